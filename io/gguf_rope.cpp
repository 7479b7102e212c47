#include "io/gguf_rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr std::string_view divisors_name = "rope_freqs.weight";
// The divisors are stored as floats, computed in float: a few units in the last place.
constexpr double closeness = 1e-5;

double divisor(const Llama3Rope& rope, double wavelength) {
  if (wavelength < rope.original / rope.high) return 1.0;
  if (wavelength > rope.original / rope.low) return rope.factor;
  const double smooth = (rope.original / wavelength - rope.low) / (rope.high - rope.low);
  return 1.0 / ((1.0 - smooth) / rope.factor + smooth);
}

bool fits(const Llama3Rope& rope, std::span<const float> divisors,
          const std::vector<double>& wavelengths) {
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    const double expected = divisor(rope, wavelengths[i]);
    // Not the other way round: NaN does not fit.
    if (!(std::abs(divisors[i] - expected) <= closeness * expected)) return false;
  }
  return true;
}

// A setting with low = 1 through what is known of the mixed frequencies: original (a number of
// tokens, so whole) from one of them, high too from two. With none, the thresholds lie anywhere
// between the longest wavelength that is kept and the shortest that is stretched.
Llama3Rope fitted(std::span<const float> divisors, const std::vector<double>& wavelengths) {
  Llama3Rope rope{.factor = divisors.back()};
  struct Mixed {
    double inverse;  // of the wavelength
    double smooth;
  };
  std::vector<Mixed> mixed;
  double kept = wavelengths.front();
  double stretched = wavelengths.back();
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    const double value = divisors[i];
    if (std::abs(value - 1.0) <= closeness) {
      kept = wavelengths[i];
    } else if (std::abs(value - rope.factor) <= closeness * rope.factor) {
      stretched = std::min(stretched, wavelengths[i]);
    } else {
      mixed.push_back(
          {1.0 / wavelengths[i], (1.0 / value - 1.0 / rope.factor) / (1.0 - 1.0 / rope.factor)});
    }
  }
  if (mixed.empty()) {
    // original / high a third, original / low two thirds of the way, in logarithms.
    rope.high = std::cbrt(stretched / kept);
    rope.original = std::round(kept * rope.high * rope.high);
  } else if (mixed.size() == 1) {
    rope.original =
        std::round((rope.low + (rope.high - rope.low) * mixed[0].smooth) / mixed[0].inverse);
  } else {
    const Mixed& first = mixed.front();
    const Mixed& last = mixed.back();
    const double slope = (first.smooth - last.smooth) / (first.inverse - last.inverse);
    const double at_zero = first.smooth - slope * first.inverse;  // -low / (high - low)
    rope.high = 1.0 - 1.0 / at_zero;
    rope.original = std::round(slope * (rope.high - 1.0));
  }
  return rope;
}

std::int64_t head_channels(const nlohmann::ordered_json& config) {
  if (config.contains("head_dim")) return config["head_dim"];
  return config.value("hidden_size", std::int64_t{0}) /
         std::max<std::int64_t>(config.value("num_attention_heads", std::int64_t{1}), 1);
}

void add_share(const GgufFile& file, const GgufFamily& family, nlohmann::ordered_json& config) {
  const std::string key = gguf_key(file, ".rope.dimension_count");
  const auto rotated = file.integer(key);
  const std::int64_t channels = head_channels(config);
  if (!rotated || (*rotated == channels && family.rotary_share.empty())) return;
  if (family.rotary_share.empty() || *rotated <= 0 || *rotated > channels) {
    file.refuse(key, fmt::format("the {} channels of a head", channels));
  }
  double share = static_cast<double>(*rotated) / static_cast<double>(channels);
  // Readers take the whole part of share * channels, which must not fall one short.
  if (share * static_cast<double>(channels) < static_cast<double>(*rotated)) {
    share = std::nextafter(share, 2.0);
  }
  config[family.rotary_share] = share;
}

void add_llama3(const GgufFile& file, const StoredTensor& stored, nlohmann::ordered_json& config) {
  std::vector<float> divisors(static_cast<std::size_t>(stored.elements()));
  decode(stored, 0, divisors);
  const auto channels = 2 * static_cast<std::int64_t>(divisors.size());
  if (const auto rotated = file.integer(gguf_key(file, ".rope.dimension_count"));
      rotated && *rotated != channels) {
    throw InputError(
        fmt::format("{}: tensor '{}': {} divisors for {} rotated channels of a head; "
                    "expected half as many",
                    file.path().string(), divisors_name, divisors.size(), *rotated));
  }
  const auto rope = llama3_rope(divisors, config.value("rope_theta", 10000.0), channels);
  if (!rope) {
    throw InputError(
        fmt::format("{}: tensor '{}': is not a scaling of frequencies as Llama 3 has "
                    "it, the only one supported; use a checkpoint with config.json",
                    file.path().string(), divisors_name));
  }
  if (rope->factor == 1.0) return;
  config["rope_scaling"] = {
      {"rope_type", "llama3"},
      {"factor", rope->factor},
      {"low_freq_factor", rope->low},
      {"high_freq_factor", rope->high},
      {"original_max_position_embeddings", static_cast<std::int64_t>(rope->original)}};
}

}  // namespace

std::optional<Llama3Rope> llama3_rope(std::span<const float> divisors, double base,
                                      std::int64_t channels) {
  if (divisors.empty()) return std::nullopt;
  std::vector<double> wavelengths(divisors.size());
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    wavelengths[i] = 2.0 * std::numbers::pi *
                     std::pow(base, 2.0 * static_cast<double>(i) / static_cast<double>(channels));
  }
  for (const Llama3Rope& rope :
       {Llama3Rope{.factor = divisors.back()}, fitted(divisors, wavelengths)}) {
    if (rope.factor >= 1.0 && rope.original >= 1.0 && rope.original < 0x1p31 &&
        rope.high > rope.low && fits(rope, divisors, wavelengths)) {
      return rope;
    }
  }
  return std::nullopt;
}

void add_rope(const GgufFile& file, const GgufFamily& family, nlohmann::ordered_json& config) {
  add_share(file, family, config);
  const std::string type_key = gguf_key(file, ".rope.scaling.type");
  const std::string factor_key = gguf_key(file, ".rope.scaling.factor");
  auto factor = file.number(factor_key);
  // Of files before the type was written.
  if (!factor) factor = file.number(gguf_key(file, ".rope.scale_linear"));
  const bool stretched = factor && *factor != 0.0 && *factor != 1.0;
  const std::string_view type = file.text(type_key).value_or(stretched ? "linear" : "none");
  if (type == "linear") {
    if (!factor) file.missing(factor_key);
    config["rope_scaling"] = {{"rope_type", "linear"}, {"type", "linear"}, {"factor", *factor}};
  } else if (type != "none") {
    throw InputError(
        fmt::format("{}: metadata '{}': {} is not supported; supported: none, linear, "
                    "and rope_freqs as in Llama 3",
                    file.path().string(), type_key, in_quotes(type)));
  }
  if (const StoredTensor* const divisors = file.find_tensor(divisors_name)) {
    add_llama3(file, *divisors, config);
  }
}

}  // namespace evenkeel
