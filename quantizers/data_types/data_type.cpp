#include "quantizers/data_types/data_type.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace evenkeel {
namespace {

// As published with QLoRA.
constexpr std::array<float, 16> normal_float{-1.0F,        -0.69619280F, -0.52507305F, -0.39491749F,
                                             -0.28444138F, -0.18477343F, -0.09105004F, 0.0F,
                                             0.07958030F,  0.16093020F,  0.24611230F,  0.33791524F,
                                             0.44070983F,  0.56261700F,  0.72295684F,  1.0F};
// The magnitudes of a float of 2 exponent bits and one of fraction, whose subnormal is 1/192.
constexpr std::array<double, 8> float_4{0.0,     1.0 / 192, 1.0 / 6, 1.0 / 4,
                                        1.0 / 3, 1.0 / 2,   2.0 / 3, 1.0};

std::vector<double> linear_magnitudes(int bits) {
  const int last = (1 << (bits - 1)) - 1;
  std::vector<double> magnitudes;
  for (int i = 0; i <= last; ++i) magnitudes.push_back(static_cast<double>(i) / last);
  return magnitudes;
}

std::vector<double> float_magnitudes(int bits, int exponent_bits, bool appendix_bias) {
  const int fractions = 1 << (bits - 1 - exponent_bits);
  const int bias = (1 << (exponent_bits - 1)) + (appendix_bias ? 1 : 0);
  std::vector<double> magnitudes;
  for (int exponent = 0; exponent < 1 << exponent_bits; ++exponent) {
    for (int i = 0; i < fractions; ++i) {
      const double fraction = static_cast<double>(i) / fractions;
      magnitudes.push_back(exponent == 0 ? std::ldexp(fraction, -bias)
                                         : std::ldexp(1.0 + fraction, bias + 1 - exponent));
    }
  }
  return magnitudes;
}

std::vector<double> dynamic_magnitudes(int bits) {
  std::vector<double> magnitudes{0.0};
  for (int i = 0; i <= bits - 2; ++i) {
    const int parts = 1 << i;
    for (int part = 0; part < parts; ++part) {
      const double middle = 0.1 + 0.9 * (part + 0.5) / parts;
      magnitudes.push_back(middle * std::pow(10.0, i - bits + 2));
    }
  }
  return magnitudes;
}

// Both signs of the magnitudes over the largest.
std::vector<float> signed_values(const std::vector<double>& magnitudes) {
  const double largest = *std::ranges::max_element(magnitudes);
  std::vector<float> values;
  for (const double magnitude : magnitudes) {
    const auto value = static_cast<float>(magnitude / largest);
    values.push_back(value);
    if (value != 0.0F) values.push_back(-value);
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<float> dynamic_values(int bits) {
  std::vector<double> magnitudes = dynamic_magnitudes(bits);
  // They lie below 1, to which nothing scales them.
  magnitudes.push_back(1.0);
  std::vector<float> values = signed_values(magnitudes);
  values.erase(values.begin());  // 1 has no opposite
  return values;
}

}  // namespace

int default_exponent_bits(int bits) { return (bits + 1) / 2; }

int paper_exponent_bits(int bits) { return bits == 3 ? 2 : 3; }

int exponent_bits_of(const TensorScheme& scheme) {
  if (scheme.paper_exponents) return paper_exponent_bits(scheme.bits);
  return scheme.exponent_bits > 0 ? scheme.exponent_bits : default_exponent_bits(scheme.bits);
}

std::vector<float> data_type_values(const TensorScheme& scheme) {
  assert(is_signed_book(scheme.codes) && scheme.codes != Codes::quantile);
  switch (scheme.codes) {
    case Codes::floating:
      return signed_values(
          float_magnitudes(scheme.bits, exponent_bits_of(scheme), scheme.appendix_bias));
    case Codes::dynamic:
      return dynamic_values(scheme.bits);
    case Codes::nf4:
      return {normal_float.begin(), normal_float.end()};
    case Codes::fp4:
      return signed_values({float_4.begin(), float_4.end()});
    default:
      return signed_values(linear_magnitudes(scheme.bits));
  }
}

std::size_t data_type_size(const TensorScheme& scheme) {
  if (scheme.codes == Codes::quantile) return std::size_t{1} << scheme.bits;
  return data_type_values(scheme).size();
}

}  // namespace evenkeel
