// The clip search of AWQ (Lin et al. 2023; `auto_clip` of the published program): how far the
// largest weights of a group may be cut off before it is rounded, for a smaller step to all of it.
//
// For every output channel and group, c = (1 - i / 20) max|w|, i = 0 .. 9; kept is the c of least
//   mean over tokens of (x (q(clamp(w, -c, c)) - w))^2,  x the group's inputs, q rounding to
//   nearest;
// of equal ones the larger.
#pragma once

#include <vector>

#include "io/matrix.h"
#include "quantizers/gptq.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Limits for weights that read the same inputs. The error above is d^T H d / 2, d = q(..) - w and
/// H the Hessian of the group's inputs, so that all of the tokens count, in double (the published
/// program takes up to 512 of them, at equal distances). Not thread-safe while it observes.
class ClipSearch {
 public:
  /// REQUIRES: weights per_channel or per_group.
  ClipSearch(Index columns, const TensorScheme& weights);

  /// Adds every row of `inputs` [tokens, columns]; there may be none.
  void observe(const ConstMatrixView& inputs);
  Index tokens() const { return hessians_.front().tokens(); }

  /// [rows, groups], not negative. A group with inputs that are all zero keeps its largest value.
  /// REQUIRES: tokens() > 0; weight [rows, columns] finite and not empty.
  /// Throws: InputError when the inputs are not finite.
  Matrix limits(const ConstMatrixView& weight) const;

 private:
  TensorScheme scheme_;
  Index columns_;
  std::vector<InputHessian> hessians_;  // of each group's columns
};

/// Clamps each group of `weight` to [-limit, limit]; an infinite limit leaves it as it is.
/// REQUIRES: limits as `ClipSearch::limits` gives them for this scheme.
void clip_weight(MatrixView weight, const ConstMatrixView& limits, const TensorScheme& scheme);

}  // namespace evenkeel
