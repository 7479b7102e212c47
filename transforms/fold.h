// Fold: writing a ChannelTransform into the parameters so that the full-precision function is
// unchanged, and the check that it is.
#pragma once

#include <span>

#include "io/matrix.h"
#include "model/block.h"
#include "transforms/channel_transform.h"
#include "transforms/site.h"

namespace evenkeel {

/// producer: bias := (bias - shift) / scale, and gain := gain / scale (of a norm that multiplies by
/// 1 + gain: 1 + gain is divided), or each row of a linear's weight divided by its scale;
/// each reader: bias := bias + W shift (with W before scaling), W := W * scale by column.
/// In double, rounded once. Source: OS+ Eq. 3 and 4.
/// REQUIRES: sizes agree; where shift is not zero, producer and readers have a bias.
void fold(const ChannelTransform& transform, Norm& producer, std::span<Linear* const> readers,
          NormKind kind = NormKind::layer);

/// The same for a site of a block. Where the residual reads the norm too, its residual transform
/// becomes what undoes the fold. `transform` is by channel of the producer: [value channels] at an
/// output site, whose readers' columns share them (`ties_of`). REQUIRES: sizes agree; where shift
/// is not zero, `site.can_shift()`.
void fold(const ChannelTransform& transform, const Architecture& architecture, const Site& site,
          Block& block);

/// How far two float evaluations of the same linear map may lie apart: largest over tokens and
/// outputs of |y - y'| in units of its rounding bound
///   epsilon * (channels + 4) * (|X| |W|^T + |b| + |X'| |W'|^T + |b'|),
/// where (X, W, b) is before and (X', W', b') after the fold. At most 1 when the fold is right.
/// `x`, `folded_x` [tokens, channels] are what the producer gives before and after.
double fold_error(const ConstMatrixView& x, const Linear& reader, const ConstMatrixView& folded_x,
                  const Linear& folded_reader);

}  // namespace evenkeel
