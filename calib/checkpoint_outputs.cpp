#include "calib/checkpoint_outputs.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "calib/scheme_json.h"
#include "calib/scheme_places.h"
#include "model/stored_linears.h"
#include "quantizers/packing.h"

namespace evenkeel {
namespace {

std::span<const float> values_of(const Vector& vector) {
  return {vector.data(), static_cast<std::size_t>(vector.size())};
}

void write_norms_and_biases(const Architecture& architecture, Index number, const Block& block,
                            CheckpointWriter& writer) {
  for (const NormRole role : architecture.norm_roles()) {
    const std::string name = architecture.norm_name(number, role);
    const Norm& norm = block.norm(role);
    if (name.empty()) continue;
    const bool of_heads = role == NormRole::query || role == NormRole::key;
    writer.write(name + (of_heads ? ".weight" : architecture.norm_gain), values_of(norm.gain));
    if (norm.bias.size() != 0) writer.write(name + architecture.norm_bias, values_of(norm.bias));
    if (norm.residual_scale.size() != 0) {
      writer.write(name + std::string(residual_scale_name), values_of(norm.residual_scale));
      writer.write(name + std::string(residual_shift_name), values_of(norm.residual_shift));
    }
  }
  for (const StoredLinear& stored : stored_linears(architecture, number)) {
    if (stored.bias) writer.write(stored.module + ".bias", values_of(joined_bias(stored, block)));
  }
}

void write_weight(const Architecture& architecture, const StoredLinear& stored, const Block& block,
                  CheckpointWriter& writer) {
  Matrix room;
  const Matrix& weight = joined_weight(stored, block, room);
  if (architecture.weight_order == WeightOrder::out_in) {
    writer.write(stored.module + ".weight", weight);
  } else {
    writer.write(stored.module + ".weight", Matrix(weight.transpose()));
  }
}

bool has_residual_transforms(const LanguageModel& model, const std::vector<std::string>& norms) {
  return model.architecture().residual_transforms || !norms.empty();
}

// The tensors that stand beside a norm's weight when its residual transform is new.
class ResidualPlans {
 public:
  ResidualPlans(const LanguageModel& model, const std::vector<std::string>& norms) {
    const Checkpoint& source = model.checkpoint();
    for (const std::string& norm : norms) {
      if (source.find(norm + std::string(residual_scale_name)) == nullptr) {
        norms_.insert_or_assign(norm + model.architecture().norm_gain, norm);
      }
    }
  }

  void add_to(const StoredTensor& tensor, std::vector<TensorPlan>& plans) const {
    const auto norm = norms_.find(tensor.name);
    if (norm == norms_.end()) return;
    for (const std::string_view name : {residual_scale_name, residual_shift_name}) {
      plans.push_back({norm->second + std::string(name), DType::F32, tensor.shape});
    }
  }

 private:
  std::map<std::string, std::string> norms_;  // by the weight's name
};

CheckpointWriter::Layout folded_layout(ResidualPlans residuals) {
  return [residuals = std::move(residuals)](const StoredTensor& tensor) {
    std::vector<TensorPlan> plans{{tensor.name, tensor.dtype, tensor.shape}};
    residuals.add_to(tensor, plans);
    return plans;
  };
}

// What each tensor of the blocks becomes: a weight is packed, a norm or bias (or the weight of a
// linear that is not quantized) is kept in F32.
CheckpointWriter::Layout quantized_layout(const Architecture& architecture, const Scheme& scheme,
                                          ResidualPlans residuals) {
  std::map<std::string, std::vector<TensorPlan>> packed;
  std::set<std::string> exact;
  const auto keep_exactly = [&](const std::string& module) {
    for (const std::string_view part :
         {std::string_view(".weight"), std::string_view(".bias"),
          std::string_view(architecture.norm_gain), std::string_view(architecture.norm_bias),
          residual_scale_name, residual_shift_name}) {
      exact.insert(module + std::string(part));
    }
  };
  for (Index number = 0; number < architecture.blocks; ++number) {
    for (const NormRole role : architecture.norm_roles()) {
      keep_exactly(architecture.norm_name(number, role));
    }
    for (const StoredLinear& stored : stored_linears(architecture, number)) {
      keep_exactly(stored.module);
      if (!is_quantized(scheme, number, stored)) continue;
      packed[stored.module + ".weight"] = packed_plan(stored.module, stored.rows, stored.columns,
                                                      scheme_of_linear(scheme, number, stored));
    }
  }
  return [packed = std::move(packed), exact = std::move(exact),
          residuals = std::move(residuals)](const StoredTensor& tensor) {
    const auto found = packed.find(tensor.name);
    if (found != packed.end()) return found->second;
    const DType dtype = exact.contains(tensor.name) ? DType::F32 : tensor.dtype;
    std::vector<TensorPlan> plans{{tensor.name, dtype, tensor.shape}};
    residuals.add_to(tensor, plans);
    return plans;
  };
}

// The linears outside of the blocks, and within them those that no scheme quantizes.
std::vector<std::string> unquantized_modules(const Architecture& architecture,
                                             const Scheme& scheme) {
  std::vector<std::string> modules{architecture.head.logits};
  // What transformers 5 calls it in every language model, whatever the checkpoint does.
  constexpr const char* head_module = "lm_head";
  if (architecture.head.kind == HeadKind::language && architecture.head.logits != head_module) {
    modules.emplace_back(head_module);
  }
  if (!architecture.head.dense.empty()) modules.push_back(architecture.head.dense);
  for (const std::string& name :
       {architecture.embedding.project_in, architecture.head.project_out}) {
    if (!name.empty()) modules.push_back(architecture.module(name));
  }
  for (Index number = 0; number < architecture.blocks; ++number) {
    for (const StoredLinear& stored : stored_linears(architecture, number)) {
      if (!is_quantized(scheme, number, stored)) modules.push_back(stored.module);
    }
  }
  return modules;
}

// Linears alike in one group; when all are, it is that of every linear.
std::vector<LinearGroup> linear_groups(const Architecture& architecture, const Scheme& scheme) {
  std::vector<LinearGroup> groups;
  for (Index number = 0; number < architecture.blocks; ++number) {
    for (const StoredLinear& stored : quantized_linears(architecture, scheme, number)) {
      const Scheme own = scheme_of_linear(scheme, number, stored);
      auto group = std::ranges::find_if(groups, [&](const LinearGroup& known) {
        return known.weights == own.weights && known.activations == own.activations;
      });
      if (group == groups.end()) {
        groups.push_back({own.weights, own.activations, {}});
        group = std::prev(groups.end());
      }
      group->targets.push_back(stored.module);
    }
  }
  if (groups.size() == 1) groups.front().targets = {"Linear"};
  return groups;
}

}  // namespace

std::vector<PlannedTensor> quantized_plan(const LanguageModel& model, const Scheme& scheme,
                                          const std::vector<std::string>& residual_norms) {
  const auto layout =
      quantized_layout(model.architecture(), scheme, ResidualPlans(model, residual_norms));
  std::vector<PlannedTensor> all;
  for (const TensorFile& shard : model.checkpoint().shards()) {
    for (const StoredTensor& tensor : shard.tensors()) {
      for (TensorPlan& plan : layout(tensor)) {
        if (is_weight(plan.dtype)) plan.dtype = written_dtype(plan.dtype);  // as it is written
        all.push_back({&tensor, std::move(plan)});
      }
    }
  }
  return all;
}

FoldedCheckpoint::FoldedCheckpoint(const LanguageModel& model, const std::filesystem::path& folder,
                                   const std::vector<std::string>& residual_norms,
                                   Leftovers leftovers)
    : model_(model),
      residual_transforms_(has_residual_transforms(model, residual_norms)),
      writer_(model.checkpoint(), folder, folded_layout(ResidualPlans(model, residual_norms)),
              leftovers) {}

void FoldedCheckpoint::block(Index number, const Block& folded) {
  const Architecture& architecture = model_.architecture();
  write_norms_and_biases(architecture, number, folded, writer_);
  for (const StoredLinear& stored : stored_linears(architecture, number)) {
    write_weight(architecture, stored, folded, writer_);
  }
}

void FoldedCheckpoint::finish() {
  nlohmann::ordered_json config = model_.checkpoint().config().document();
  if (residual_transforms_) config[residual_transforms_key] = true;
  writer_.finish(config);
}

QuantizedCheckpoint::QuantizedCheckpoint(const LanguageModel& model,
                                         const std::filesystem::path& folder, const Scheme& scheme,
                                         const std::vector<std::string>& residual_norms,
                                         Leftovers leftovers)
    : model_(model),
      scheme_(scheme),
      residual_transforms_(has_residual_transforms(model, residual_norms)),
      writer_(model.checkpoint(), folder,
              quantized_layout(model.architecture(), scheme, ResidualPlans(model, residual_norms)),
              leftovers) {}

void QuantizedCheckpoint::block(Index number, const BlockResult& result) {
  const Architecture& architecture = model_.architecture();
  write_norms_and_biases(architecture, number, result.folded, writer_);
  const std::vector<StoredLinear> all = stored_linears(architecture, number);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_quantized(scheme_, number, all[i])) {
      write_weight(architecture, all[i], result.folded, writer_);
      continue;
    }
    const auto& input = result.quantizers[index_of(input_of(all[i].role()))];
    const auto packed = pack(all[i].module, result.codes[i],
                             scheme_of_linear(scheme_, number, all[i]), input ? &*input : nullptr);
    for (const PackedTensor& tensor : packed) writer_.write_bytes(tensor.name, tensor.bytes);
  }
}

void QuantizedCheckpoint::finish(const std::string& id) {
  const Architecture& architecture = model_.architecture();
  nlohmann::ordered_json config = model_.checkpoint().config().document();
  config["quantization_config"] = quantization_config(linear_groups(architecture, scheme_),
                                                      unquantized_modules(architecture, scheme_));
  config[evenkeel_key] = {
      {"scheme", scheme_to_json(scheme_)}, {"record", "../calibration.h5"}, {"id", id}};
  if (residual_transforms_) config[residual_transforms_key] = true;
  writer_.finish(config);
}

}  // namespace evenkeel
