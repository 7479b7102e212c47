// The parameters of one transformer block, decoded to float: what is loaded, calibrated, folded,
// quantized, written and forgotten.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "io/checkpoint.h"
#include "io/matrix.h"
#include "model/architecture.h"

namespace evenkeel {

/// y = x * weight^T + bias.
struct Linear {
  Matrix weight;  // [out, in]
  Vector bias;    // [out], or empty: none
};

struct Norm {
  Vector gain;  // [channels]
  Vector bias;  // [channels], or empty: none
};

struct Block {
  std::array<Norm, norm_count> norms;
  std::array<Linear, linear_count> linears;

  Norm& norm(NormRole role) { return norms[index_of(role)]; }
  const Norm& norm(NormRole role) const { return norms[index_of(role)]; }
  Linear& linear(LinearRole role) { return linears[index_of(role)]; }
  const Linear& linear(LinearRole role) const { return linears[index_of(role)]; }
};

/// Gives the float weight of a linear layer, however it is stored.
using WeightLoader = std::function<Matrix(const std::string& module, Index rows, Index columns)>;

/// Throws: InputError as Checkpoint::matrix does (missing tensor, wrong shape, NaN).
Block load_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number);
Block load_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number,
                 const WeightLoader& weight);

/// Lets the kernel drop the pages of the block's tensors.
void release_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number);

}  // namespace evenkeel
