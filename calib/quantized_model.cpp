#include "calib/quantized_model.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "calib/checkpoint_outputs.h"
#include "calib/scheme_json.h"
#include "calib/scheme_places.h"
#include "io/errors.h"
#include "io/one_line.h"
#include "model/stored_linears.h"
#include "quantizers/packing.h"

namespace evenkeel {
namespace {

class CheckpointSource final : public PackedSource {
 public:
  explicit CheckpointSource(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}
  const StoredTensor& at(std::string_view name) const override { return checkpoint_.at(name); }

 private:
  const Checkpoint& checkpoint_;
};

std::string key(std::string_view name) { return fmt::format("{}.{}", evenkeel_key, name); }

std::filesystem::path record_path(const Checkpoint& checkpoint) {
  const std::filesystem::path name = checkpoint.config().text(key("record"));
  auto path = (checkpoint.folder() / name).lexically_normal();
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw InputError(
        fmt::format("{}: the record of the calibration, which holds the ranges of the "
                    "nodes, is missing; keep it beside the folder",
                    one_line(path.string())));
  }
  return path;
}

}  // namespace

Block load_quantized_block(const Checkpoint& checkpoint, const Architecture& architecture,
                           const Scheme& scheme, Index number) {
  const CheckpointSource source(checkpoint);
  std::vector<PartCodes> codes;
  Block block = load_block(checkpoint, architecture, number, [&](const StoredLinear& stored) {
    if (!is_quantized(scheme, number, stored)) return load_weight(checkpoint, architecture, stored);
    const QuantizedWeight weight = unpack(source, stored.module, stored.rows, stored.columns,
                                          scheme_of_linear(scheme, number, stored));
    std::ranges::move(split_codes(stored, weight), std::back_inserter(codes));
    return dequantize_weight(weight);
  });
  give_codes(codes, block);
  return block;
}

bool is_quantized(const Checkpoint& checkpoint) { return checkpoint.config().has(evenkeel_key); }

QuantizedModel::QuantizedModel(const Checkpoint& checkpoint)
    : model_(checkpoint, LinearStorage::packed),
      scheme_(scheme_from_json(checkpoint.config(), key("scheme"))),
      record_(record_path(checkpoint)) {
  if (const auto fault = packing_fault(scheme_.weights)) {
    throw InputError(
        fmt::format("{}: '{}': {}", checkpoint.config().path().string(), key("scheme"), *fault));
  }
  if (const auto faults = place_faults(scheme_, model_.architecture()); !faults.empty()) {
    throw InputError(fmt::format("{}: '{}': {}", checkpoint.config().path().string(), key("scheme"),
                                 faults.front()));
  }
  if (const std::string id = checkpoint.config().text(key("id")); record_.id() != id) {
    throw InputError(
        fmt::format("{}: the record is of run {}, the checkpoint of run {}; run the "
                    "job again",
                    record_.path().string(), in_quotes(record_.id()), in_quotes(id)));
  }
}

Block QuantizedModel::block(Index number) const {
  return load_quantized_block(model_.checkpoint(), model_.architecture(), scheme_, number);
}

NodeQuantizers QuantizedModel::quantizers(Index number) const {
  const Architecture& architecture = model_.architecture();
  NodeQuantizers quantizers = record_.quantizers(number, architecture, scheme_);
  const CheckpointSource source(model_.checkpoint());
  for (const StoredLinear& stored : stored_linears(architecture, number)) {
    if (!is_quantized(scheme_, number, stored)) continue;
    const Scheme scheme = scheme_of_linear(scheme_, number, stored);
    if (!input_is_stored(scheme.activations)) continue;
    const std::string& module = stored.module;
    const Node node = input_of(stored.role());
    if (unpack_input(source, module, scheme) != quantizers[index_of(node)]->parameters().front()) {
      throw InputError(fmt::format(
          "{}: '{}.input_scale' or its zero point differs from the range of {} in {}; run the job "
          "again",
          model_.checkpoint().folder().string(), module, name_of(node), record_.path().string()));
    }
  }
  return quantizers;
}

RunnableBlock QuantizedModel::load(Index number) const {
  RunnableBlock loaded{block(number), quantizers(number)};
  release_block(model_.checkpoint(), model_.architecture(), number);
  return loaded;
}

}  // namespace evenkeel
