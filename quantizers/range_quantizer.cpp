#include "quantizers/range_quantizer.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace evenkeel {

RangeQuantizer::RangeQuantizer(const TensorScheme& scheme, std::span<const float> fractions,
                               Range range) {
  if (scheme.codes == Codes::uniform) {
    quantizer_ = Affine{affine_parameters(range, scheme.bits, scheme.symmetric),
                        code_range(scheme.bits, scheme.symmetric)};
  } else {
    quantizer_.emplace<Codebook>(fractions, range.high);
  }
}

void RangeQuantizer::apply(std::span<float> values) const {
  if (const auto* affine = std::get_if<Affine>(&quantizer_)) {
    fake_quantize(values, affine->parameters, affine->codes);
  } else {
    std::get<Codebook>(quantizer_).fake_quantize(values);
  }
}

double RangeQuantizer::squared_error(std::span<const float> values) const {
  // Small enough for the first cache.
  std::array<float, 1024> piece;
  double sum = 0.0;
  while (!values.empty()) {
    const auto given = values.first(std::min(piece.size(), values.size()));
    std::ranges::copy(given, piece.begin());
    apply({piece.data(), given.size()});
    using Values = Eigen::Map<const Eigen::ArrayXf>;
    const auto size = static_cast<Index>(given.size());
    sum += (Values(given.data(), size).cast<double>() - Values(piece.data(), size).cast<double>())
               .square()
               .sum();
    values = values.subspan(given.size());
  }
  return sum;
}

std::vector<float> fractions_of(const TensorScheme& scheme) {
  return scheme.codes == Codes::uniform ? std::vector<float>{} : codebook_fractions(scheme);
}

}  // namespace evenkeel
