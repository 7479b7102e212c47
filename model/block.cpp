#include "model/block.h"

#include "model/stored_linears.h"

namespace evenkeel {
namespace {

class BlockLoader {
 public:
  BlockLoader(const Checkpoint& checkpoint, const Architecture& architecture, Index number,
              const WeightLoader& weight)
      : checkpoint_(checkpoint), architecture_(architecture), number_(number), weight_(weight) {}

  Block load() const {
    Block block;
    block.number = number_;
    for (const NormRole role : architecture_.norm_roles()) block.norm(role) = norm(role);
    for (const LinearRole role : all_linears) {
      block.linears[index_of(role)].resize(static_cast<std::size_t>(architecture_.copies(role)));
    }
    for (const StoredLinear& stored : stored_linears(architecture_, number_)) {
      split_weight(stored, weight_(stored), block);
      if (stored.bias) {
        split_bias(stored, checkpoint_.vector(stored.module + ".bias", stored.rows), block);
      }
    }
    return block;
  }

 private:
  Norm norm(NormRole role) const {
    const std::string name = architecture_.norm_name(number_, role);
    Norm norm;
    if (name.empty()) return norm;
    if (role == NormRole::query || role == NormRole::key) {
      norm.gain = head_gain(name + ".weight", role);
      return norm;
    }
    norm.gain = checkpoint_.vector(name + architecture_.norm_gain, architecture_.channels);
    if (architecture_.norm(role).bias) {
      norm.bias = checkpoint_.vector(name + architecture_.norm_bias, architecture_.channels);
    }
    const std::string scale = name + std::string(residual_scale_name);
    if (architecture_.residual_transforms && checkpoint_.find(scale) != nullptr) {
      norm.residual_scale = checkpoint_.vector(scale, architecture_.channels);
      norm.residual_shift =
          checkpoint_.vector(name + std::string(residual_shift_name), architecture_.channels);
    }
    return norm;
  }

  Vector head_gain(const std::string& name, NormRole role) const {
    const Index width = architecture_.head_channels;
    if (!architecture_.norm_by_head) return checkpoint_.vector(name, width);
    const Index heads =
        role == NormRole::query ? architecture_.heads : architecture_.key_value_heads;
    return checkpoint_.matrix(name, heads, width).reshaped<Eigen::RowMajor>().transpose();
  }

  const Checkpoint& checkpoint_;
  const Architecture& architecture_;
  Index number_;
  const WeightLoader& weight_;
};

}  // namespace

Matrix load_weight(const Checkpoint& checkpoint, const Architecture& architecture,
                   const StoredLinear& stored) {
  const std::string name = stored.module + ".weight";
  const bool as_stored = architecture.weight_order == WeightOrder::out_in;
  Matrix weight = as_stored ? checkpoint.matrix(name, stored.rows, stored.columns)
                            : checkpoint.matrix(name, stored.columns, stored.rows).transpose();
  checkpoint.release(name);
  return weight;
}

Block load_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number) {
  return load_block(checkpoint, architecture, number, [&](const StoredLinear& stored) {
    return load_weight(checkpoint, architecture, stored);
  });
}

Block load_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number,
                 const WeightLoader& weight) {
  return BlockLoader(checkpoint, architecture, number, weight).load();
}

void release_block(const Checkpoint& checkpoint, const Architecture& architecture, Index number) {
  const std::string place = architecture.block_module(number, "");
  for (const TensorFile& shard : checkpoint.shards()) {
    for (const StoredTensor& tensor : shard.tensors()) {
      if (tensor.name.starts_with(place)) shard.release(tensor);
    }
  }
}

}  // namespace evenkeel
