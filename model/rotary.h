// Rotary positions (Su et al. 2021).
#pragma once

#include <vector>

#include "io/matrix.h"

namespace evenkeel {

enum class RotaryPairs {
  halves,      // channel i turns with i + rotary_channels / 2 (GPT-NeoX, LLaMA)
  neighbours,  // channel 2i turns with 2i + 1 (GPT-J, Cohere)
};

/// Llama 3's stretching of low frequencies; factor 1 is none.
struct RotaryScaling {
  float factor = 1.0F;
  float low_frequency_factor = 1.0F;
  float high_frequency_factor = 4.0F;
  float original_positions = 8192.0F;
  bool linear = false;  // position / factor at every frequency
};

struct RotaryOptions {
  Index channels = 0;  // of each head, from its first on; the rest stays
  float base = 10000.0F;
  RotaryPairs pairs = RotaryPairs::halves;
  RotaryScaling scaling;
};

/// Angles by pair of channels, in float as transformers computes them.
std::vector<float> rotary_frequencies(const RotaryOptions& options);

/// Turns every head of `values` [tokens, heads * head_channels] in place; row i is position i.
void rotate(const RotaryOptions& options, const std::vector<float>& frequencies,
            Index head_channels, MatrixView values);

}  // namespace evenkeel
