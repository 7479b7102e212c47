// The parameters of one transformer block, decoded to float: what is loaded, calibrated, folded,
// quantized, written and forgotten.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/checkpoint.h"
#include "io/matrix.h"
#include "model/architecture.h"
#include "quantizers/integer_linear.h"

namespace evenkeel {

/// y = x * weight^T + bias.
struct Linear {
  Matrix weight;  // [out, in]
  Vector bias;    // [out], or empty: none
  /// The same weight where it is quantized and its products can be computed on codes, by which the
  /// forward multiplies inputs that are quantized likewise; empty: none.
  std::shared_ptr<const IntegerLinear> codes{};
};

struct Norm {
  Vector gain;  // [channels]; of a query or key norm [head channels] or [heads * head channels];
                // empty: the block has no such norm
  Vector bias;  // [channels], or empty: none
  /// Where the residual takes what the norm gives (post-LayerNorm): it takes that times
  /// residual_scale plus residual_shift, which undoes a fold. [channels], or empty: as it is.
  Vector residual_scale{}, residual_shift{};

  bool present() const { return gain.size() != 0; }
};

struct Block {
  Index number = 0;
  std::array<Norm, norm_count> norms;
  /// By role: none, one, or one for each expert.
  std::array<std::vector<Linear>, linear_count> linears;

  Norm& norm(NormRole role) { return norms[index_of(role)]; }
  const Norm& norm(NormRole role) const { return norms[index_of(role)]; }
  Linear& linear(LinearPlace place) {
    return linears[index_of(place.role)][static_cast<std::size_t>(place.expert)];
  }
  const Linear& linear(LinearPlace place) const {
    return linears[index_of(place.role)][static_cast<std::size_t>(place.expert)];
  }
};

/// Names of the tensors that undo a fold in the residual of a post-LayerNorm block.
inline constexpr std::string_view residual_scale_name = ".residual_scale";
inline constexpr std::string_view residual_shift_name = ".residual_shift";
/// The key of config.json that says that norms may have them.
inline constexpr std::string_view residual_transforms_key = "residual_transforms";

/// Gives the float weight [rows, columns] of a linear, however it is stored
/// (model/stored_linears.h).
struct StoredLinear;
using WeightLoader = std::function<Matrix(const StoredLinear& stored)>;

/// Throws: InputError as Checkpoint::matrix does (missing tensor, wrong shape, NaN).
Block load_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number);
Block load_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number,
                 const WeightLoader& weight);

/// The weight of one linear in a float dtype; lets the kernel drop its pages. Throws: as above.
Matrix load_weight(const Checkpoint& checkpoint, const Architecture& architecture,
                   const StoredLinear& stored);

/// Lets the kernel drop the pages of the block's tensors.
void release_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number);

}  // namespace evenkeel
