// Matrices of random values, the same on every machine.
#pragma once

#include <cstdint>
#include <random>

#include "io/matrix.h"

namespace evenkeel::support {

/// Uniform in [low, high). std::mt19937 is the same everywhere; the standard library's
/// distributions are not.
inline Matrix random_matrix(Index rows, Index columns, std::uint32_t seed, float low = -1.0F,
                            float high = 1.0F) {
  std::mt19937 random(seed);
  return Matrix::NullaryExpr(rows, columns, [&] {
    return low + (high - low) * (static_cast<float>(random() >> 8U) * 0x1p-24F);
  });
}

inline Vector random_vector(Index size, std::uint32_t seed, float low = -1.0F, float high = 1.0F) {
  return random_matrix(1, size, seed, low, high);
}

}  // namespace evenkeel::support
