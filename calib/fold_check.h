// The self-check of a fold: the folded block must give the unfolded block's output.
#pragma once

#include <vector>

#include "model/architecture.h"
#include "model/block.h"
#include "model/experts.h"
#include "transforms/site.h"

namespace evenkeel {

inline constexpr double block_tolerance = 1e-4;

/// Made before the fold, of which it keeps what the block gives and the site's readers, and asked
/// after it. Both runs are of one calibration sample, `hidden` [tokens, channels], in full
/// precision.
class FoldCheck {
 public:
  FoldCheck(const Architecture& architecture, const Site& site, const Block& before, Matrix hidden);

  /// Each reader of the site must agree within the rounding bound of its products (fold_error at
  /// most 1), and the block's output within `block_tolerance` of its largest change to the hidden
  /// state: rounding of the readers passes through softmax and the MLP, which amplify it by little.
  /// Left out of the latter are tokens that a mixture's router, between nearly equal experts, sends
  /// elsewhere by that rounding; the router's own products are compared as a reader's.
  /// Throws: MachineError that names the site and the error.
  void require_same(const Block& after) const;

 private:
  struct Run {
    Matrix input;   // of the site
    Matrix output;  // of the block
    std::vector<Routing> routing;
  };
  Run run(const Block& block) const;
  bool routed_alike(const Run& after, Index token) const;

  const Architecture& architecture_;
  const Site& site_;
  Matrix hidden_;
  std::vector<Linear> readers_;  // as they were
  Run before_;
};

}  // namespace evenkeel
