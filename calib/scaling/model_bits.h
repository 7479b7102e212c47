// How many bits a model takes, counted from what its quantized checkpoint stores.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/language_model.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// Bits of the tensors of a checkpoint (not of their names): 8 for each byte.
struct ModelBits {
  std::uint64_t codes = 0;        // of quantized weights
  std::uint64_t constants = 0;    // steps and zero points, or the largest magnitudes
  std::uint64_t means = 0;        // of centered weights
  std::uint64_t kept = 0;         // input dimensions in 16 bits, and which they are
  std::uint64_t code_books = 0;   // and the shapes of weights
  std::uint64_t unquantized = 0;  // embeddings, norms, biases, linears that are not quantized
  std::uint64_t weights = 0;      // how many weights are quantized (a count, not bits)

  std::uint64_t of_weights() const { return codes + constants + means + kept + code_books; }
  std::uint64_t total() const { return of_weights() + unquantized; }
  /// Bits of a quantized weight with all that belongs to it; 0 of no weight.
  double per_weight() const {
    return weights == 0 ? 0.0 : static_cast<double>(of_weights()) / static_cast<double>(weights);
  }
};

/// Of the model as it is stored, `weights` being those that `scheme` would quantize.
ModelBits stored_bits(const LanguageModel& model, const Scheme& scheme);

/// Of quantized/ as `calibrate run` writes it; `residual_norms` are the norms that a transform
/// gives tensors of their own (calib/checkpoint_outputs.h). REQUIRES: no packing_fault.
ModelBits quantized_bits(const LanguageModel& model, const Scheme& scheme,
                         const std::vector<std::string>& residual_norms);

nlohmann::ordered_json to_json(const ModelBits& bits);

}  // namespace evenkeel
