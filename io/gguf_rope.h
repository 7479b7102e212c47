// Rotary positions: how a GGUF file says which part of a head is rotated and how frequencies are
// scaled.
#pragma once

#include <span>

#include <nlohmann/json.hpp>

#include "io/gguf.h"
#include "io/gguf_family.h"

namespace evenkeel {

/// The "llama3" scaling of config.json: wavelengths longer than original / low are multiplied by
/// factor, those shorter than original / high are kept, and between the two the frequency is mixed
/// linearly in original / wavelength.
struct Llama3Rope {
  double factor = 1.0;
  double low = 1.0;
  double high = 4.0;
  double original = 8192.0;
};

/// The setting that gives `divisors`, one for each frequency base^(-2i/channels), as rope_freqs of
/// Llama 3 holds them: the published one (low 1, high 4, original 8192) if it fits, else one that
/// does; every setting that fits is the same function. Nothing when none fits within 1e-5.
std::optional<Llama3Rope> llama3_rope(std::span<const float> divisors, double base,
                                      std::int64_t channels);

/// Adds rope_scaling and the family's share of rotated channels to `config`, which has the sizes.
/// Throws: InputError when the part of a head that is rotated, the type of scaling or rope_freqs
/// is not supported.
void add_rope(const GgufFile& file, const GgufFamily& family, nlohmann::ordered_json& config);

}  // namespace evenkeel
