#include "calib/checkpoint_outputs.h"

#include <map>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "calib/scheme_json.h"
#include "quantizers/packing.h"

namespace evenkeel {
namespace {

std::span<const float> values_of(const Vector& vector) {
  return {vector.data(), static_cast<std::size_t>(vector.size())};
}

void write_norms_and_biases(const Architecture& architecture, Index number, const Block& block,
                            CheckpointWriter& writer) {
  for (const NormRole role : all_norms) {
    const std::string name = architecture.norm_name(number, role);
    writer.write(name + ".weight", values_of(block.norm(role).gain));
    if (block.norm(role).bias.size() != 0) {
      writer.write(name + ".bias", values_of(block.norm(role).bias));
    }
  }
  for (const LinearRole role : all_linears) {
    const Vector& bias = block.linear(role).bias;
    if (bias.size() == 0) continue;
    writer.write(architecture.linear_name(number, role) + ".bias", values_of(bias));
  }
}

// What each tensor of the blocks becomes: a weight is packed, a norm or bias is kept in F32.
CheckpointWriter::Layout quantized_layout(const Architecture& architecture, const Scheme& scheme) {
  std::map<std::string, std::vector<TensorPlan>> changed;
  const auto keep_exactly = [&](const std::string& name, Index size) {
    changed[name] = {{name, DType::F32, {size}}};
  };
  for (Index number = 0; number < architecture.blocks; ++number) {
    for (const NormRole role : all_norms) {
      const std::string name = architecture.norm_name(number, role);
      keep_exactly(name + ".weight", architecture.channels);
      keep_exactly(name + ".bias", architecture.channels);
    }
    for (const LinearRole role : all_linears) {
      const std::string name = architecture.linear_name(number, role);
      changed[name + ".weight"] =
          packed_plan(name, architecture.rows(role), architecture.columns(role), scheme);
      if (architecture.bias) keep_exactly(name + ".bias", architecture.rows(role));
    }
  }
  return [changed = std::move(changed)](const StoredTensor& tensor) {
    const auto found = changed.find(tensor.name);
    if (found != changed.end()) return found->second;
    return std::vector<TensorPlan>{{tensor.name, tensor.dtype, tensor.shape}};
  };
}

}  // namespace

FoldedCheckpoint::FoldedCheckpoint(const LanguageModel& model, const std::filesystem::path& folder)
    : model_(model), writer_(model.checkpoint(), folder) {}

void FoldedCheckpoint::block(Index number, const Block& folded) {
  const Architecture& architecture = model_.architecture();
  write_norms_and_biases(architecture, number, folded, writer_);
  for (const LinearRole role : all_linears) {
    writer_.write(architecture.linear_name(number, role) + ".weight", folded.linear(role).weight);
  }
}

void FoldedCheckpoint::finish() { writer_.finish(model_.checkpoint().config().document()); }

std::optional<std::string> packing_fault(const Architecture& architecture,
                                         const TensorScheme& weights) {
  for (const LinearRole role : all_linears) {
    if (const auto fault = packing_fault(weights, architecture.columns(role))) {
      return fmt::format("'{}': {}", architecture.family->linears[index_of(role)], *fault);
    }
  }
  return std::nullopt;
}

QuantizedCheckpoint::QuantizedCheckpoint(const LanguageModel& model,
                                         const std::filesystem::path& folder, const Scheme& scheme)
    : model_(model),
      scheme_(scheme),
      writer_(model.checkpoint(), folder, quantized_layout(model.architecture(), scheme)) {}

void QuantizedCheckpoint::block(Index number, const BlockResult& result) {
  const Architecture& architecture = model_.architecture();
  write_norms_and_biases(architecture, number, result.folded, writer_);
  for (const LinearRole role : all_linears) {
    const auto& input = result.quantizers[index_of(input_of(role))];
    const auto packed = pack(architecture.linear_name(number, role), result.codes[index_of(role)],
                             scheme_, input ? &*input : nullptr);
    for (const PackedTensor& tensor : packed) writer_.write_bytes(tensor.name, tensor.bytes);
  }
}

void QuantizedCheckpoint::finish(const std::string& id) {
  const Architecture& architecture = model_.architecture();
  nlohmann::ordered_json config = model_.checkpoint().config().document();
  config["quantization_config"] =
      quantization_config(scheme_, {std::string(architecture.family->head)});
  config[evenkeel_key] = {
      {"scheme", scheme_to_json(scheme_)}, {"record", "../calibration.h5"}, {"id", id}};
  writer_.finish(config);
}

}  // namespace evenkeel
