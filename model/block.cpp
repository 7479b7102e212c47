#include "model/block.h"

#include <string>

namespace evenkeel {

Block load_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number) {
  return load_block(checkpoint, architecture, number,
                    [&](const std::string& module, Index rows, Index columns) {
                      return checkpoint.matrix(module + ".weight", rows, columns);
                    });
}

Block load_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number,
                 const WeightLoader& weight) {
  Block block;
  for (const NormRole role : all_norms) {
    const std::string name = architecture.norm_name(number, role);
    Norm& norm = block.norm(role);
    norm.gain = checkpoint.vector(name + ".weight", architecture.channels);
    norm.bias = checkpoint.vector(name + ".bias", architecture.channels);
  }
  for (const LinearRole role : all_linears) {
    const std::string name = architecture.linear_name(number, role);
    Linear& linear = block.linear(role);
    linear.weight = weight(name, architecture.rows(role), architecture.columns(role));
    if (architecture.bias) linear.bias = checkpoint.vector(name + ".bias", architecture.rows(role));
  }
  return block;
}

void release_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number) {
  for (const NormRole role : all_norms) {
    const std::string name = architecture.norm_name(number, role);
    checkpoint.release(name + ".weight");
    checkpoint.release(name + ".bias");
  }
  for (const LinearRole role : all_linears) {
    const std::string name = architecture.linear_name(number, role);
    checkpoint.release(name + ".weight");
    if (architecture.bias) checkpoint.release(name + ".bias");
  }
}

}  // namespace evenkeel
