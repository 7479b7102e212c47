#include "model/ops.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/ops.cpp"
// clang-format off: the order matters to Highway
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;

float sum_of(const float* values, std::size_t size) {
  const Tag d;
  auto total = hn::Zero(d);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    total = hn::Add(total, hn::LoadU(d, values + i));
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, total));
  for (; i < size; ++i) sum += values[i];
  return sum;
}

float sum_of_squares_around(const float* values, std::size_t size, float centre) {
  const Tag d;
  const auto middle = hn::Set(d, centre);
  auto total = hn::Zero(d);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto difference = hn::Sub(hn::LoadU(d, values + i), middle);
    total = hn::MulAdd(difference, difference, total);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, total));
  for (; i < size; ++i) sum += (values[i] - centre) * (values[i] - centre);
  return sum;
}

void layer_norm_row(const float* x, const float* gain, const float* bias, std::size_t size,
                    float epsilon, float* out) {
  const auto count = static_cast<float>(size);
  const float mean = sum_of(x, size) / count;
  const float variance = sum_of_squares_around(x, size, mean) / count;
  const float inverse = 1.0F / std::sqrt(variance + epsilon);
  const Tag d;
  const auto middle = hn::Set(d, mean);
  const auto factor = hn::Set(d, inverse);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    auto value = hn::Mul(hn::Sub(hn::LoadU(d, x + i), middle), factor);
    value = hn::Mul(value, hn::LoadU(d, gain + i));
    if (bias != nullptr) value = hn::Add(value, hn::LoadU(d, bias + i));
    hn::StoreU(value, d, out + i);
  }
  for (; i < size; ++i) {
    out[i] = (x[i] - mean) * inverse * gain[i] + (bias == nullptr ? 0.0F : bias[i]);
  }
}

float maximum_of(const float* values, std::size_t size) {
  const Tag d;
  float largest = values[0];
  std::size_t i = 0;
  if (size >= hn::Lanes(d)) {
    auto most = hn::LoadU(d, values);
    for (i = hn::Lanes(d); i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
      most = hn::Max(most, hn::LoadU(d, values + i));
    }
    largest = hn::GetLane(hn::MaxOfLanes(d, most));
  }
  for (; i < size; ++i) largest = values[i] > largest ? values[i] : largest;
  return largest;
}

// exp(values - shift) into out (which may be values, or null when only the sum is wanted).
double exponentials(const float* values, std::size_t size, float shift, float* out) {
  const Tag d;
  const std::size_t lanes = hn::Lanes(d);
  const auto middle = hn::Set(d, shift);
  double sum = 0.0;
  std::size_t i = 0;
  // Partial sums of a few hundred terms in float, then in double: rows may be a vocabulary long.
  while (i + lanes <= size) {
    auto total = hn::Zero(d);
    const std::size_t stop = i + 64 * lanes < size ? i + 64 * lanes : size;
    for (; i + lanes <= stop; i += lanes) {
      const auto value = hn::Exp(d, hn::Sub(hn::LoadU(d, values + i), middle));
      if (out != nullptr) hn::StoreU(value, d, out + i);
      total = hn::Add(total, value);
    }
    sum += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, total)));
  }
  if (i < size) {
    const std::size_t rest = size - i;
    const auto mask = hn::FirstN(d, rest);
    const auto loaded = hn::MaskedLoad(mask, d, values + i);
    const auto value = hn::IfThenElseZero(mask, hn::Exp(d, hn::Sub(loaded, middle)));
    if (out != nullptr) hn::BlendedStore(value, mask, d, out + i);
    sum += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, value)));
  }
  return sum;
}

void scale(float* values, std::size_t size, float factor) {
  const Tag d;
  const auto times = hn::Set(d, factor);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    hn::StoreU(hn::Mul(hn::LoadU(d, values + i), times), d, values + i);
  }
  for (; i < size; ++i) values[i] *= factor;
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace evenkeel {

HWY_EXPORT(layer_norm_row);
HWY_EXPORT(maximum_of);
HWY_EXPORT(exponentials);
HWY_EXPORT(scale);

void layer_norm(const ConstMatrixView& x, const ConstVectorView& gain, const ConstVectorView& bias,
                float epsilon, MatrixView out) {
  const float* shift = bias.size() == 0 ? nullptr : bias.data();
  for (Index row = 0; row < x.rows(); ++row) {
    HWY_DYNAMIC_DISPATCH(layer_norm_row)
    (x.row(row).data(), gain.data(), shift, static_cast<std::size_t>(x.cols()), epsilon,
     out.row(row).data());
  }
}

void softmax(std::span<float> values) {
  const float largest = HWY_DYNAMIC_DISPATCH(maximum_of)(values.data(), values.size());
  if (std::isinf(largest) && largest < 0.0F) {
    for (float& value : values) value = 0.0F;
    return;
  }
  const double sum =
      HWY_DYNAMIC_DISPATCH(exponentials)(values.data(), values.size(), largest, values.data());
  HWY_DYNAMIC_DISPATCH(scale)(values.data(), values.size(), static_cast<float>(1.0 / sum));
}

void LogSumExp::add(std::span<const float> values) {
  if (values.empty()) return;
  const float largest = HWY_DYNAMIC_DISPATCH(maximum_of)(values.data(), values.size());
  const double part =
      HWY_DYNAMIC_DISPATCH(exponentials)(values.data(), values.size(), largest, nullptr);
  const double other = largest;
  if (sum == 0.0) {
    maximum = other;
    sum = part;
  } else if (other > maximum) {
    sum = sum * std::exp(maximum - other) + part;
    maximum = other;
  } else {
    sum += part * std::exp(other - maximum);
  }
}

double LogSumExp::value() const { return maximum + std::log(sum); }

void activate(Activation kind, MatrixView values) {
  switch (kind) {
    case Activation::relu:
      values = values.cwiseMax(0.0F);
      return;
    case Activation::gelu:
      values = values.unaryExpr(
          [](float x) { return 0.5F * x * (1.0F + std::erf(x * 0.70710678118654752F)); });
      return;
  }
}

}  // namespace evenkeel
#endif  // HWY_ONCE
