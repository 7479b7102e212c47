// Codes as the compressed-tensors layout stores them, so that other programs load them.
// Format: https://github.com/vllm-project/compressed-tensors; what is said here holds for 0.20.
//
// Stored codes are signed: an asymmetric code or zero point c of 0 .. 2^b - 1 is stored as
// c - 2^(b-1), so that step * (code - zero_point) is the same number. Steps are F32, and nothing
// is lost. For NAME.weight [rows, columns]:
//
//   int-quantized    NAME.weight        I8  [rows, columns], one byte a code
//   pack-quantized   NAME.weight_packed I32 [rows, ceil(columns * bits / 32)]: the codes, raised by
//                    2^(b-1), as one run of bits per row, lowest bit first
//                    NAME.weight_shape  I64 [2]: rows, columns
//   both             NAME.weight_scale      F32 [1] per_tensor, [rows, 1] per_channel,
//                                           [rows, groups] per_group: the step
//                    NAME.weight_zero_point when asymmetric: I8, shaped as the steps; but in
//                                           pack-quantized, unless per_tensor,
//                                           I32 [ceil(rows * bits / 32), groups]: each column
//                                           packed
//                    NAME.input_scale       F32 [1], NAME.input_zero_point I8 [1] (asymmetric):
//                                           with static per_tensor activations
#pragma once

#include <cstddef>
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

/// Why the layout cannot hold weights of this scheme; nothing when it can. With `columns`, the
/// input channels of one linear: whether the group divides them, too.
std::optional<std::string> packing_fault(const TensorScheme& weights,
                                         std::optional<Index> columns = {});

/// Why other readers of the layout cannot know how activations are quantized (static per_channel);
/// nothing when they can. The weights are stored all the same, and `quantization_config` then says
/// nothing of activations. (Symmetric activations beyond their range take code -2^(b-1) in other
/// readers, which is one step further than here.)
std::optional<std::string> activations_fault(const TensorScheme& activations);

/// "pack-quantized" for weights of 4 bits, which it holds in half the space and which every
/// version of the format reads; "int-quantized" for all others.
std::string packing_format(const Scheme& scheme);

/// The tensors that stand for `NAME.weight` [rows, columns], as above. `module` is NAME.
/// Throws: UsageError with the module's name and `packing_fault`.
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

/// Where `unpack` and `unpack_input` find tensors, by their full names.
class PackedSource {
 public:
  virtual ~PackedSource() = default;
  /// Throws: InputError when absent.
  virtual const StoredTensor& at(std::string_view name) const = 0;
};

/// The inverse of `pack`.
/// Throws: InputError when a shape, dtype, code, step or zero point contradicts the scheme.
QuantizedWeight unpack(const PackedSource& source, const std::string& module, Index rows,
                       Index columns, const Scheme& scheme);

/// Step and zero point of the linear's input node, as stored beside it.
/// REQUIRES: static per_tensor activations. Throws: InputError as `unpack`.
AffineParameters unpack_input(const PackedSource& source, const std::string& module,
                              const Scheme& scheme);

/// The "quantization_config" of config.json: linears are quantized, the `ignored` modules
/// (lm_head, ...) not.
nlohmann::ordered_json quantization_config(const Scheme& scheme,
                                           const std::vector<std::string>& ignored);

}  // namespace evenkeel
