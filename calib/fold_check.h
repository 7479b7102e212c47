// The self-check of a fold: the folded block must give the unfolded block's output.
#pragma once

#include "model/architecture.h"
#include "model/block.h"
#include "transforms/site.h"

namespace evenkeel {

/// Runs both blocks on `hidden` [tokens, channels], one calibration sample, in full precision.
/// Each reader of the site must agree within the rounding bound of its products (fold_error at
/// most 1), and the block's output within `block_tolerance` of its largest change to the hidden
/// state: rounding of the readers passes through softmax and the MLP, which amplify it by little.
/// Throws: MachineError that names the site and the error.
void check_fold(const Architecture& architecture, const Site& site, const Block& before,
                const Block& after, const Matrix& hidden);

inline constexpr double block_tolerance = 1e-4;

}  // namespace evenkeel
