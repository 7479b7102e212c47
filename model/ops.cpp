#include "model/ops.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/ops.cpp"
// The order matters to Highway.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "model/exponential-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;

// A mean in two parts: what rounding took from the first, the second holds. Without it a row far
// from zero keeps an offset that its small spread then magnifies.
struct Centre {
  float mean;
  float rest;
};

// The sum of term(vector) over whole vectors of the row; four sums hide the latency of adding.
// `done` says where it stopped.
template <class Term>
float sum_of_terms(const float* values, std::size_t size, const Term& term, std::size_t& done) {
  const Tag d;
  const std::size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d);
  auto b = a;
  auto c = a;
  auto e = a;
  std::size_t i = 0;
  for (; i + 4 * lanes <= size; i += 4 * lanes) {
    a = term(hn::LoadU(d, values + i), a);
    b = term(hn::LoadU(d, values + i + lanes), b);
    c = term(hn::LoadU(d, values + i + 2 * lanes), c);
    e = term(hn::LoadU(d, values + i + 3 * lanes), e);
  }
  for (; i + lanes <= size; i += lanes) a = term(hn::LoadU(d, values + i), a);
  done = i;
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

float mean_around(const float* values, std::size_t size, float centre) {
  const auto middle = hn::Set(Tag(), centre);
  std::size_t i = 0;
  float sum = sum_of_terms(
      values, size, [&](auto value, auto total) { return hn::Add(total, hn::Sub(value, middle)); },
      i);
  for (; i < size; ++i) sum += values[i] - centre;
  return sum / static_cast<float>(size);
}

float variance_around(const float* values, std::size_t size, Centre centre) {
  const auto mean = hn::Set(Tag(), centre.mean);
  const auto rest = hn::Set(Tag(), centre.rest);
  std::size_t i = 0;
  float sum = sum_of_terms(
      values, size,
      [&](auto value, auto total) {
        const auto difference = hn::Sub(hn::Sub(value, mean), rest);
        return hn::MulAdd(difference, difference, total);
      },
      i);
  for (; i < size; ++i) {
    const float difference = values[i] - centre.mean - centre.rest;
    sum += difference * difference;
  }
  return sum / static_cast<float>(size);
}

void layer_norm_row(const float* x, const float* gain, const float* bias, std::size_t size,
                    float epsilon, float* out) {
  Centre centre{mean_around(x, size, 0.0F), 0.0F};
  centre.rest = mean_around(x, size, centre.mean);
  const float inverse = 1.0F / std::sqrt(variance_around(x, size, centre) + epsilon);
  const Tag d;
  const auto mean = hn::Set(d, centre.mean);
  const auto rest = hn::Set(d, centre.rest);
  const auto factor = hn::Set(d, inverse);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    auto value = hn::Mul(hn::Sub(hn::Sub(hn::LoadU(d, x + i), mean), rest), factor);
    value = hn::Mul(value, hn::LoadU(d, gain + i));
    if (bias != nullptr) value = hn::Add(value, hn::LoadU(d, bias + i));
    hn::StoreU(value, d, out + i);
  }
  for (; i < size; ++i) {
    const float value = (x[i] - centre.mean - centre.rest) * inverse * gain[i];
    out[i] = bias == nullptr ? value : value + bias[i];
  }
}

void rms_norm_row(const float* x, const float* gain, std::size_t size, float epsilon, float extra,
                  float* out) {
  const float square = variance_around(x, size, Centre{0.0F, 0.0F});
  const float inverse = 1.0F / std::sqrt(square + epsilon);
  for (std::size_t i = 0; i < size; ++i) out[i] = x[i] * inverse * (gain[i] + extra);
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
      const auto value = exponential(d, hn::Sub(hn::LoadU(d, values + i), middle));
      if (out != nullptr) hn::StoreU(value, d, out + i);
      total = hn::Add(total, value);
    }
    sum += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, total)));
  }
  if (i < size) {
    // Copied, as a masked load or store may touch what lies behind the row.
    // NOLINTNEXTLINE(modernize-avoid-c-arrays): aligned for a vector
    HWY_ALIGN float rest[hn::MaxLanes(Tag())];
    std::fill_n(rest, lanes, -std::numeric_limits<float>::infinity());
    std::copy(values + i, values + size, rest);
    const auto value = exponential(d, hn::Sub(hn::Load(d, rest), middle));
    sum += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, value)));
    hn::Store(value, d, rest);
    if (out != nullptr) std::copy_n(rest, size - i, out + i);
  }
  return sum;
}

// values *= 1 / (1 + exp(-slope(values))), where slope gives what the sigmoid is taken of.
// Highway's exponential holds up to 104; from 88 on, the quotient is below 3e-37, and zero is
// taken.
template <class Slope>
void times_sigmoid(float* values, std::size_t size, const Slope& slope) {
  const Tag d;
  const auto one = hn::Set(d, 1.0F);
  const auto most = hn::Set(d, 88.0F);
  const auto apply = [&](auto x) {
    const auto exponent = hn::Neg(slope(x));
    const auto bounded = hn::IfThenElse(hn::Gt(exponent, most), most, exponent);
    // Zero, not the quotient of infinities.
    const auto value = hn::Div(x, hn::Add(one, exponential(d, bounded)));
    return hn::IfThenElseZero(hn::Or(hn::Le(exponent, most), hn::IsNaN(x)), value);
  };
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    hn::StoreU(apply(hn::LoadU(d, values + i)), d, values + i);
  }
  if (i == size) return;
  // NOLINTNEXTLINE(modernize-avoid-c-arrays): aligned for a vector
  HWY_ALIGN float rest[hn::MaxLanes(Tag())] = {};
  std::copy(values + i, values + size, rest);
  hn::Store(apply(hn::Load(d, rest)), d, rest);
  std::copy_n(rest, size - i, values + i);
}

void silu(float* values, std::size_t size) {
  times_sigmoid(values, size, [](auto x) { return x; });
}

// (1 + tanh(y)) / 2 is the sigmoid of 2 y.
void gelu_tanh(float* values, std::size_t size) {
  const Tag d;
  const auto factor = hn::Set(d, 2.0F * 0.79788456080286536F);
  const auto cubic = hn::Set(d, 2.0F * 0.79788456080286536F * 0.044715F);
  times_sigmoid(values, size,
                [&](auto x) { return hn::Mul(x, hn::MulAdd(hn::Mul(x, x), cubic, factor)); });
}

// Not a maximum, which may turn a NaN into zero.
void relu(float* values, std::size_t size) {
  const Tag d;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) {
    const auto value = hn::LoadU(d, values + i);
    hn::StoreU(hn::IfThenZeroElse(hn::Lt(value, hn::Zero(d)), value), d, values + i);
  }
  for (; i < size; ++i) values[i] = values[i] < 0.0F ? 0.0F : values[i];
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
HWY_EXPORT(rms_norm_row);
HWY_EXPORT(maximum_of);
HWY_EXPORT(exponentials);
HWY_EXPORT(silu);
HWY_EXPORT(gelu_tanh);
HWY_EXPORT(relu);
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

void normalize(NormKind kind, const ConstMatrixView& x, const ConstVectorView& gain,
               const ConstVectorView& bias, float epsilon, MatrixView out) {
  if (kind == NormKind::layer) {
    layer_norm(x, gain, bias, epsilon, out);
    return;
  }
  for (Index row = 0; row < x.rows(); ++row) {
    HWY_DYNAMIC_DISPATCH(rms_norm_row)
    (x.row(row).data(), gain.data(), static_cast<std::size_t>(x.cols()), epsilon, gain_offset(kind),
     out.row(row).data());
  }
}

namespace {

// What exponentials are taken around: the largest value. Where that is -infinity, anything finite
// gives the zeros that are meant, while -infinity less itself would be NaN.
float centre_of_exponentials(std::span<const float> values) {
  const float largest = HWY_DYNAMIC_DISPATCH(maximum_of)(values.data(), values.size());
  return std::isinf(largest) && largest < 0.0F ? 0.0F : largest;
}

}  // namespace

void softmax(std::span<float> values) {
  const float centre = centre_of_exponentials(values);
  const double sum =
      HWY_DYNAMIC_DISPATCH(exponentials)(values.data(), values.size(), centre, values.data());
  if (sum == 0.0) return;
  HWY_DYNAMIC_DISPATCH(scale)(values.data(), values.size(), static_cast<float>(1.0 / sum));
}

void LogSumExp::add(std::span<const float> values) {
  if (values.empty()) return;
  const float centre = centre_of_exponentials(values);
  const double part =
      HWY_DYNAMIC_DISPATCH(exponentials)(values.data(), values.size(), centre, nullptr);
  if (part == 0.0) return;
  const double other = centre;
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

namespace {

template <class Kernel>
void for_each_row(MatrixView values, const Kernel& kernel) {
  for (Index row = 0; row < values.rows(); ++row) {
    kernel(values.row(row).data(), static_cast<std::size_t>(values.cols()));
  }
}

}  // namespace

void activate(Activation kind, MatrixView values) {
  switch (kind) {
    case Activation::relu:
      for_each_row(values, [](float* row, std::size_t size) {
        HWY_DYNAMIC_DISPATCH(relu)(row, size);
      });
      return;
    case Activation::gelu:
      values = values.unaryExpr(
          [](float x) { return 0.5F * x * (1.0F + std::erf(x * 0.70710678118654752F)); });
      return;
    case Activation::gelu_tanh:
      for_each_row(values, [](float* row, std::size_t size) {
        HWY_DYNAMIC_DISPATCH(gelu_tanh)(row, size);
      });
      return;
    case Activation::silu:
      for_each_row(values, [](float* row, std::size_t size) {
        HWY_DYNAMIC_DISPATCH(silu)(row, size);
      });
      return;
  }
}

}  // namespace evenkeel
#endif  // HWY_ONCE
