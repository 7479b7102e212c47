#include "quantizers/data_types/quantile_values.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>

#include "quantizers/quantile.h"

namespace evenkeel {
namespace {

// Unsigned numbers in the order of the floats.
std::uint32_t key_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value == 0.0F ? 0.0F : value);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}
float value_of(std::uint32_t key) {
  return std::bit_cast<float>((key & 0x80000000U) != 0 ? key & 0x7FFFFFFFU : ~key);
}

// Values at given ranks, found digit by digit of their keys: each pass counts the next digit of
// those values whose digits so far are those of a wanted one.
class RankedValues {
 public:
  RankedValues(std::span<const float> values, std::vector<std::uint64_t> ranks) {
    std::ranges::sort(ranks);
    for (const std::uint64_t rank : ranks) found_[rank] = {rank, 0};
    int known = 0;
    for (const int digits : {first_digits, 8, 8}) {
      pass(values, known, digits);
      known += digits;
    }
  }

  double at(std::uint64_t rank) const { return value_of(found_.at(rank).prefix); }

 private:
  static constexpr int first_digits = 16;

  struct Wanted {
    std::uint64_t rank;    // among the values with that prefix
    std::uint32_t prefix;  // the digits that are known
  };

  static std::uint64_t prefix_of(std::uint32_t key, int known) {
    return static_cast<std::uint64_t>(key) >> (32 - known);
  }

  void pass(std::span<const float> values, int known, int digits) {
    std::vector<std::uint32_t> prefixes;
    for (const auto& [rank, wanted] : found_) prefixes.push_back(wanted.prefix);
    // They ascend with the ranks.
    prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
    // Most values are told apart from the wanted ones by their first digits.
    std::vector<std::uint8_t> begins(std::size_t{1} << first_digits, known == 0 ? 1 : 0);
    for (const std::uint32_t prefix : prefixes) {
      if (known > 0) begins[prefix >> (known - first_digits)] = 1;
    }
    const std::size_t buckets = std::size_t{1} << digits;
    std::vector<std::uint64_t> counts(prefixes.size() * buckets);
    for (const float value : values) {
      const std::uint32_t key = key_of(value);
      if (begins[prefix_of(key, first_digits)] == 0) continue;
      const auto prefix = static_cast<std::uint32_t>(prefix_of(key, known));
      const auto place = std::ranges::lower_bound(prefixes, prefix);
      if (place == prefixes.end() || *place != prefix) continue;
      const std::size_t digit = prefix_of(key, known + digits) & (buckets - 1);
      ++counts[static_cast<std::size_t>(place - prefixes.begin()) * buckets + digit];
    }
    for (auto& [rank, wanted] : found_) {
      const auto place = std::ranges::lower_bound(prefixes, wanted.prefix) - prefixes.begin();
      const std::uint64_t* own = &counts[static_cast<std::size_t>(place) * buckets];
      std::uint32_t digit = 0;
      while (wanted.rank >= own[digit]) wanted.rank -= own[digit++];
      wanted.prefix = (wanted.prefix << static_cast<unsigned>(digits)) | digit;
    }
  }

  std::map<std::uint64_t, Wanted> found_;
};

}  // namespace

std::vector<float> quantile_values(std::span<const float> values, int bits) {
  assert(bits >= 2 && bits <= 8 && !values.empty());
  const int codes = 1 << bits;
  std::vector<Quantile> quantiles;
  std::vector<std::uint64_t> ranks;
  for (int i = 1; i <= codes; ++i) {
    quantiles.emplace_back(values.size(), static_cast<double>(i) / (codes + 1));
    ranks.push_back(quantiles.back().below);
    ranks.push_back(quantiles.back().above);
  }
  const RankedValues ranked(values, std::move(ranks));
  std::vector<double> exact;
  for (const Quantile& each : quantiles) {
    exact.push_back(each.between(ranked.at(each.below), ranked.at(each.above)));
  }
  std::vector<double> means{0.0};
  double largest = 0.0;
  for (std::size_t i = 0; i + 1 < exact.size(); ++i) {
    means.push_back((exact[i] + exact[i + 1]) / 2.0);
    largest = std::max(largest, std::abs(means.back()));
  }
  std::vector<float> result;
  for (const double mean : means) {
    result.push_back(largest > 0.0 ? static_cast<float>(mean / largest) : 0.0F);
  }
  std::ranges::sort(result);
  return result;
}

}  // namespace evenkeel
