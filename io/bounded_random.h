// Random integers that are the same on every platform: the distributions of the C++ library are
// not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace evenkeel {

/// A seeded stream (64-bit Mersenne Twister). Not thread-safe.
class BoundedRandom {
 public:
  explicit BoundedRandom(std::uint64_t seed) : engine_(seed) {}

  /// Uniform in [0, bound), without the bias of a remainder: draws that fall into the last,
  /// incomplete run of `bound` numbers are drawn again. REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t incomplete = (largest % bound + 1) % bound;
    for (;;) {
      const std::uint64_t draw = engine_();
      if (draw <= largest - incomplete) return draw % bound;
    }
  }

 private:
  std::mt19937_64 engine_;
};

/// `count` of `items`, each at most once, by the first steps of a Fisher-Yates shuffle.
/// REQUIRES: count <= items.size().
template <typename Item>
std::vector<Item> drawn(std::vector<Item> items, std::size_t count, std::uint64_t seed) {
  BoundedRandom random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(items[i], items[i + random.below(items.size() - i)]);
  }
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(count), items.end());
  return items;
}

}  // namespace evenkeel
