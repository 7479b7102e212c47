// Codes as the compressed-tensors layout stores them, so that other programs load them.
// Format: https://github.com/vllm-project/compressed-tensors, as of 0.20. Steps are F32, and
// nothing is lost. The layout has two forms, and we a third, of NAME.weight [rows, columns];
// `format_of` says which.
//
// "int-quantized": one byte a code, whatever the bits. It is the form that the format's own library
// infers for every integer scheme with quantized activations. A stored byte is signed: an
// asymmetric code or zero point c of 0 .. 2^b - 1 is c - 2^(b-1), so that step * (code -
// zero_point) is the same number; a symmetric code is as it is.
//
//   NAME.weight             I8  [rows, columns]
//   NAME.weight_scale       F32 [1] per_tensor, [rows, 1] per_channel, [rows, groups] per_group:
//                           the step
//   NAME.weight_zero_point  I8, shaped as the steps; asymmetric only
//   NAME.input_scale        F32 [1], with static per_tensor activations
//   NAME.input_zero_point   I8  [1], likewise, asymmetric only
//
// "pack-quantized": 32 / b codes a word, b = 4 or 8 (quantizers/code_words.h), for weights whose
// inputs are not quantized; what the library infers for them, and what kernels for such weights
// read. An asymmetric code or zero point is stored as it is, a symmetric code c as c + 2^(b-1).
//
//   NAME.weight_packed      I32 [rows, words of a row]
//   NAME.weight_shape       I64 [2]: rows, columns
//   NAME.weight_scale       F32 [rows, 1] per_channel, [rows, groups] per_group
//   NAME.weight_zero_point  I32 [words of a column, 1 or groups]; asymmetric only
//
// "code-book": weights of a signed code book, which no layout of other programs holds.
//
//   NAME.weight_codes         U8  [bytes]: a stream of bits (quantizers/data_types/bit_stream.h) of
//                             the positions in the code book, of the columns that are not kept
//   NAME.weight_shape         I64 [2]: rows, columns
//   NAME.weight_absmax        F16 [constants]: of each block, group or row, in their order
//   NAME.weight_mean          F16 [constants]; centered only
//   NAME.weight_code_book     F32 [values], ascending
//   NAME.weight_kept_columns  I32 [kept], ascending; with proxy_percent only
//   NAME.weight_kept          F16 [rows, kept]; likewise
//
// Weights alone of other widths stay in bytes, since releases of the library differ in how they
// pack them, and so do those per_tensor, which no such kernel reads.
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
/// REQUIRES: here and below, `faults_of` the scheme is empty.
std::optional<std::string> packing_fault(const TensorScheme& weights,
                                         std::optional<Index> columns = {});

/// Why other readers of the layout cannot know how activations are quantized (static per_channel);
/// nothing when they can (also codes that are not uniform). The weights are stored all the same,
/// and `quantization_config` then says nothing of activations. (Symmetric activations beyond their
/// range take code -2^(b-1) in other readers, which is one step further than here; perplexities
/// agree to three digits all the same, tests/golden/loading_test.py.)
std::optional<std::string> activations_fault(const TensorScheme& activations);

/// Whether other readers are told how activations are quantized: they are, and can know it.
bool input_is_said(const TensorScheme& activations);

/// The forms above.
enum class PackedFormat { int_quantized, pack_quantized, code_book };
/// As the layout spells it: "int-quantized", "pack-quantized", "code-book".
std::string_view name_of(PackedFormat format);
/// The form of linears with these weights and activations.
PackedFormat format_of(const Scheme& scheme);

/// Whether the range of a linear's input is stored beside it: static per_tensor uniform codes.
bool input_is_stored(const TensorScheme& activations);

/// The tensors that stand for `NAME.weight` [rows, columns], as above. `module` is NAME.
/// Throws: UsageError with the module's name and `packing_fault`.
std::vector<TensorPlan> packed_plan(const std::string& module, Index rows, Index columns,
                                    const Scheme& scheme);

/// One stored tensor and its bytes.
struct PackedTensor {
  std::string name;
  std::vector<std::byte> bytes;
};

/// The bytes of every tensor of `packed_plan`, in its order. REQUIRES: it can be planned. `input`
/// is the quantizer of the linear's input node; REQUIRES: static per-tensor when the plan has
/// input_scale.
std::vector<PackedTensor> pack(const std::string& module, const QuantizedWeight& weight,
                               const Scheme& scheme, const ActivationQuantizer* input);

/// Where `unpack` and `unpack_input` find tensors, by their full names.
class PackedSource {
 public:
  virtual ~PackedSource() = default;
  /// Throws: InputError when absent.
  virtual const StoredTensor& at(std::string_view name) const = 0;
};

/// The inverse of `pack`. Throws: InputError when a shape, dtype, code, step, zero point or bit
/// that belongs to none contradicts the scheme, or the scheme the layout.
QuantizedWeight unpack(const PackedSource& source, const std::string& module, Index rows,
                       Index columns, const Scheme& scheme);

/// Step and zero point of the linear's input node, as stored beside it.
/// REQUIRES: input_is_stored(scheme.activations). Throws: InputError as `unpack`.
AffineParameters unpack_input(const PackedSource& source, const std::string& module,
                              const Scheme& scheme);

/// Linears that are quantized alike. A target is a module's name, or "Linear": every one.
struct LinearGroup {
  TensorScheme weights;
  TensorScheme activations;
  std::vector<std::string> targets;
};

/// The "quantization_config" of config.json: linears are quantized by the group that names them,
/// the `ignored` modules (lm_head, ...) not.
nlohmann::ordered_json quantization_config(const std::vector<LinearGroup>& groups,
                                           const std::vector<std::string>& ignored);
/// The same when all linears are quantized by the scheme's weights and activations.
nlohmann::ordered_json quantization_config(const Scheme& scheme,
                                           const std::vector<std::string>& ignored);

}  // namespace evenkeel
