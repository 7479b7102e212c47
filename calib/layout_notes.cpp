#include "calib/layout_notes.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/scheme_places.h"
#include "model/stored_linears.h"
#include "quantizers/packing.h"

namespace evenkeel {
namespace {

// Every way in which some linear is quantized.
std::vector<Scheme> linear_schemes(const Architecture& architecture, const Scheme& scheme) {
  std::vector<Scheme> schemes;
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const StoredLinear& linear : quantized_linears(architecture, scheme, block)) {
      const Scheme own = scheme_of_linear(scheme, block, linear);
      if (std::ranges::find(schemes, own) == schemes.end()) schemes.push_back(own);
    }
  }
  return schemes;
}

// Why other readers are not told how a node is quantized; nothing when they are, or it is not.
std::optional<std::string> unsaid(const Architecture& architecture, const Scheme& scheme,
                                  Index block, Node node) {
  const TensorScheme own = scheme_of_node(scheme, block, node);
  if (!is_quantized(own)) return std::nullopt;
  const bool read =
      std::ranges::any_of(quantized_linears(architecture, scheme, block),
                          [node](const auto& linear) { return input_of(linear.role()) == node; });
  if (read) return activations_fault(own);
  return "the compressed-tensors layout has places for quantized linears and their inputs alone";
}

std::vector<std::string> notes_of_nodes(const Architecture& architecture, const Scheme& scheme) {
  std::map<std::string, std::set<Node>> nodes;  // by reason
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const Node node : all_nodes) {
      if (const auto reason = unsaid(architecture, scheme, block, node)) {
        nodes[*reason].insert(node);
      }
    }
  }
  std::vector<std::string> notes;
  for (const auto& [reason, places] : nodes) {
    std::vector<std::string_view> names;
    for (const Node node : places) names.push_back(name_of(node));
    notes.push_back(
        fmt::format("quantized/ does not say how {} are quantized, and other readers leave them in "
                    "full precision: {}; static ranges are in calibration.h5",
                    fmt::join(names, ", "), reason));
  }
  return notes;
}

// An input whose groups do not divide it.
std::optional<std::string> short_groups(const Architecture& architecture, const Scheme& scheme) {
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const StoredLinear& linear : quantized_linears(architecture, scheme, block)) {
      const TensorScheme input = scheme_of_linear(scheme, block, linear).activations;
      if (is_quantized(input) && input.granularity == Granularity::per_group &&
          linear.columns % input.group_size != 0) {
        return fmt::format(
            "transformers does not run this quantized/: groups of {} do not divide the {} inputs "
            "of '{}', and it has no short groups; calibrate does",
            input.group_size, linear.columns, linear.module);
      }
    }
  }
  return std::nullopt;
}

bool is_packed(const Scheme& linears) { return format_of(linears) == PackedFormat::pack_quantized; }

std::optional<std::string> note_of_transformers(const Architecture& architecture,
                                                const Scheme& scheme) {
  const std::vector<Scheme> schemes = linear_schemes(architecture, scheme);
  if (schemes.empty()) return std::nullopt;
  if (is_signed_book(scheme.weights.codes)) {
    return fmt::format(
        "other programs do not load this quantized/: none has a layout for {} codes; calibrate "
        "evaluate does, and quantizers/packing.h says what its tensors hold",
        name_of(scheme.weights.codes));
  }
  if (architecture.weight_order == WeightOrder::in_out) {
    return fmt::format(
        "transformers does not load this quantized/: its own modules of {} hold weights "
        "transposed, and read none that are quantized; calibrate does",
        architecture.model_type);
  }
  if (auto note = short_groups(architecture, scheme)) return note;
  const bool packed = std::ranges::all_of(schemes, is_packed);
  if (architecture.mixture() && !(packed && scheme.weights.symmetric)) {
    return "transformers does not load this quantized/: it joins the experts of a mixture, and "
           "reads them only as symmetric weights of 4 or 8 bits whose inputs are not quantized "
           "(w4a16, w8a16); calibrate does";
  }
  if (scheme.weights.symmetric || std::ranges::none_of(schemes, is_packed)) return std::nullopt;
  if (packed) {
    return "transformers loads asymmetric weights without quantized inputs given "
           "quantization_config=CompressedTensorsConfig(dequantize=True)";
  }
  return "transformers does not load this quantized/: it reads asymmetric weights only where all "
         "inputs of linears are quantized or none is; calibrate does";
}

}  // namespace

std::optional<std::string> packing_fault(const Architecture& architecture, const Scheme& scheme) {
  for (Index block = 0; block < architecture.blocks; ++block) {
    for (const StoredLinear& linear : quantized_linears(architecture, scheme, block)) {
      if (const auto fault = packing_fault(scheme.weights, linear.columns)) {
        return fmt::format("'{}': {}", linear.module, *fault);
      }
    }
  }
  return std::nullopt;
}

std::vector<std::string> layout_notes(const Architecture& architecture, const Scheme& scheme) {
  std::vector<std::string> notes = notes_of_nodes(architecture, scheme);
  if (const auto note = note_of_transformers(architecture, scheme)) notes.push_back(*note);
  return notes;
}

}  // namespace evenkeel
