#include "calib/scaling/model_bits.h"

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "calib/checkpoint_outputs.h"
#include "calib/scheme_places.h"
#include "model/stored_linears.h"

namespace evenkeel {
namespace {

using Part = std::uint64_t ModelBits::*;

// What the tensors of a quantized weight hold, by the ends of their names (quantizers/packing.h).
constexpr std::array<std::pair<std::string_view, Part>, 12> parts{
    {{".weight", &ModelBits::codes},
     {".weight_packed", &ModelBits::codes},
     {".weight_codes", &ModelBits::codes},
     {".weight_scale", &ModelBits::constants},
     {".weight_zero_point", &ModelBits::constants},
     {".weight_absmax", &ModelBits::constants},
     {".input_scale", &ModelBits::constants},
     {".input_zero_point", &ModelBits::constants},
     {".weight_mean", &ModelBits::means},
     {".weight_kept", &ModelBits::kept},
     {".weight_kept_columns", &ModelBits::kept},
     {".weight_code_book", &ModelBits::code_books}}};

Part part_of(std::string_view name) {
  for (const auto& [end, part] : parts) {
    if (name.ends_with(end)) return part;
  }
  return &ModelBits::code_books;  // .weight_shape
}

std::uint64_t bits_of(DType dtype, const std::vector<std::int64_t>& shape) {
  std::uint64_t elements = 1;
  for (const std::int64_t size : shape) elements *= static_cast<std::uint64_t>(size);
  return 8 * elements * size_of(dtype);
}

std::set<std::string> quantized_weights(const LanguageModel& model, const Scheme& scheme) {
  const Architecture& architecture = model.architecture();
  std::set<std::string> names;
  for (Index number = 0; number < architecture.blocks; ++number) {
    for (const StoredLinear& stored : quantized_linears(architecture, scheme, number)) {
      names.insert(stored.module + ".weight");
    }
  }
  return names;
}

}  // namespace

ModelBits stored_bits(const LanguageModel& model, const Scheme& scheme) {
  const auto quantized = quantized_weights(model, scheme);
  ModelBits bits;
  for (const TensorFile& shard : model.checkpoint().shards()) {
    for (const StoredTensor& tensor : shard.tensors()) {
      const std::uint64_t own = 8 * tensor.bytes.size();
      const bool is_weight = quantized.contains(tensor.name);
      (is_weight ? bits.codes : bits.unquantized) += own;
      if (is_weight) bits.weights += static_cast<std::uint64_t>(tensor.elements());
    }
  }
  return bits;
}

ModelBits quantized_bits(const LanguageModel& model, const Scheme& scheme,
                         const std::vector<std::string>& residual_norms) {
  const auto quantized = quantized_weights(model, scheme);
  ModelBits bits;
  const StoredTensor* last = nullptr;
  for (const PlannedTensor& planned : quantized_plan(model, scheme, residual_norms)) {
    const bool is_weight = quantized.contains(planned.source->name);
    bits.*(is_weight ? part_of(planned.plan.name) : &ModelBits::unquantized) +=
        bits_of(planned.plan.dtype, planned.plan.shape);
    if (is_weight && planned.source != last) {
      bits.weights += static_cast<std::uint64_t>(planned.source->elements());
    }
    last = planned.source;
  }
  return bits;
}

nlohmann::ordered_json to_json(const ModelBits& bits) {
  return {{"total", bits.total()},
          {"codes", bits.codes},
          {"constants", bits.constants},
          {"means", bits.means},
          {"kept", bits.kept},
          {"code_books", bits.code_books},
          {"unquantized", bits.unquantized},
          {"weights", bits.weights},
          {"per_weight", bits.per_weight()}};
}

}  // namespace evenkeel
