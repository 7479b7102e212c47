// Codes as the compressed-tensors layout stores them.
// Format: https://github.com/vllm-project/compressed-tensors (int-quantized, pack-quantized).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "io/safetensors.h"
#include "quantizers/activation_quantizer.h"
#include "quantizers/scheme.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {

/// Why the layout cannot hold this scheme's weights; nothing when it can.
std::optional<std::string> packing_fault(const TensorScheme& weights);

/// "int-quantized" (one byte a code) or "pack-quantized" (int32 words, 4 bits).
std::string packing_format(const Scheme& scheme);

/// The tensors that stand for `NAME.weight` [rows, columns]: weight or weight_packed and
/// weight_shape, weight_scale, weight_zero_point; with static per-tensor activations also
/// input_scale and input_zero_point. `module` is NAME.
std::vector<TensorPlan> packed_plan(const std::string& module, Index rows, Index columns,
                                    const Scheme& scheme);

/// One stored tensor and its bytes.
struct PackedTensor {
  std::string name;
  std::vector<std::byte> bytes;
};

/// The bytes of every tensor of `packed_plan`, in its order. `input` is the quantizer of the
/// linear's input node; REQUIRES: static per-tensor when the plan has input_scale.
std::vector<PackedTensor> pack(const std::string& module, const QuantizedWeight& weight,
                               const Scheme& scheme, const ActivationQuantizer* input);

/// The inverse: reads the tensors of `module` (found through `at`, which throws when absent).
/// Throws: InputError when a shape, dtype or code contradicts the scheme.
class PackedSource {
 public:
  virtual ~PackedSource() = default;
  virtual const StoredTensor& at(std::string_view name) const = 0;
};
QuantizedWeight unpack(const PackedSource& source, const std::string& module, Index rows,
                       Index columns, const Scheme& scheme);

/// The "quantization_config" of config.json: linears of the given modules quantized, the
/// `ignored` modules (lm_head, ...) not.
nlohmann::ordered_json quantization_config(const Scheme& scheme,
                                           const std::vector<std::string>& ignored);

}  // namespace evenkeel
