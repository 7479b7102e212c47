#include "model/rotary.h"

#include <cmath>
#include <numbers>

namespace evenkeel {
namespace {

// Llama 3: wavelengths beyond original / low are stretched by `factor`, those under original /
// high are kept, those between are interpolated.
float llama3_frequency(float frequency, const RotaryScaling& scaling) {
  const float wavelength = 2.0F * std::numbers::pi_v<float> / frequency;
  const float longest = scaling.original_positions / scaling.low_frequency_factor;
  const float shortest = scaling.original_positions / scaling.high_frequency_factor;
  if (wavelength < shortest) return frequency;
  if (wavelength > longest) return frequency / scaling.factor;
  const float smooth = (scaling.original_positions / wavelength - scaling.low_frequency_factor) /
                       (scaling.high_frequency_factor - scaling.low_frequency_factor);
  return (1.0F - smooth) * frequency / scaling.factor + smooth * frequency;
}

}  // namespace

std::vector<float> rotary_frequencies(const RotaryOptions& options) {
  std::vector<float> frequencies;
  for (Index i = 0; i < options.channels; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(options.channels);
    float frequency = 1.0F / std::pow(options.base, exponent);
    if (options.scaling.factor != 1.0F) {
      frequency = options.scaling.linear ? frequency / options.scaling.factor
                                         : llama3_frequency(frequency, options.scaling);
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}

void rotate(const RotaryOptions& options, const std::vector<float>& frequencies,
            Index head_channels, MatrixView values) {
  const auto pairs = static_cast<Index>(frequencies.size());
  const bool halves = options.pairs == RotaryPairs::halves;
  Vector cosine(pairs);
  Vector sine(pairs);
  for (Index row = 0; row < values.rows(); ++row) {
    const auto position = static_cast<float>(row);
    for (Index i = 0; i < pairs; ++i) {
      const float angle = position * frequencies[static_cast<std::size_t>(i)];
      cosine(i) = std::cos(angle);
      sine(i) = std::sin(angle);
    }
    for (Index head = 0; head < values.cols(); head += head_channels) {
      float* channel = values.row(row).data() + head;
      for (Index i = 0; i < pairs; ++i) {
        float& a = channel[halves ? i : 2 * i];
        float& b = channel[halves ? i + pairs : 2 * i + 1];
        const float first = a * cosine(i) - b * sine(i);
        b = b * cosine(i) + a * sine(i);
        a = first;
      }
    }
  }
}

}  // namespace evenkeel
