// Norms, softmax and activations against doubles, on every instruction set of this machine.
#include "model/ops.h"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "support/each_target.h"
#include "support/random_matrix.h"
#include "support/slow_reference.h"

namespace evenkeel {
namespace {

using support::Bounded;
using support::Doubles;
using support::random_matrix;
using support::random_vector;
using support::within;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr double epsilon = std::numeric_limits<float>::epsilon();
constexpr double norm_epsilon = 1e-5;
constexpr std::array all_activations{Activation::relu, Activation::gelu, Activation::gelu_tanh,
                                     Activation::silu};

// What the tests of this room compare with must itself be able to fail.
TEST(Within, RejectsWhatIsNotNear) {
  const Doubles expected = Doubles::Constant(2, 2, 1.0);
  Matrix actual = Matrix::Constant(2, 2, 1.0F);
  EXPECT_TRUE(within(actual, expected, 0.0));
  EXPECT_FALSE(within(actual, expected, -1.0));
  EXPECT_FALSE(within(actual, expected, static_cast<double>(nan)));
  EXPECT_FALSE(within(Matrix::Constant(1, 4, 1.0F), expected, 1.0));
  EXPECT_FALSE(within(actual, {expected, Doubles::Zero(2, 1)}));
  for (const float wrong : {nan, infinity, -infinity, -1.0F, 1.1F}) {
    actual(1, 1) = wrong;
    EXPECT_FALSE(within(actual, expected, 0.05)) << wrong;
  }
  EXPECT_FALSE(within(actual, Doubles::Constant(2, 2, static_cast<double>(nan)), 1e9));
  EXPECT_FALSE(within(Matrix::Constant(2, 2, infinity),
                      Doubles::Constant(2, 2, static_cast<double>(infinity)), 1e9));
}

class Ops : public support::EachTarget {};
INSTANTIATE_TEST_SUITE_P(Targets, Ops, support::each_target(), support::target_name);

std::vector<Index> sizes() {
  std::vector<Index> all{100, 127, 192, 768};
  for (Index size = 1; size <= 70; ++size) all.push_back(size);
  return all;
}

void expect_layer_norm(const Matrix& x, const Vector& gain, const Vector& bias) {
  Matrix out = Matrix::Constant(x.rows(), x.cols(), nan);
  layer_norm(x, gain, bias, static_cast<float>(norm_epsilon), out);
  const Bounded expected = support::slow_layer_norm(support::exactly(x), gain, bias, norm_epsilon);
  EXPECT_TRUE(within(out, expected)) << x.cols() << " channels";
  Matrix in_place = x;
  layer_norm(in_place, gain, bias, static_cast<float>(norm_epsilon), in_place);
  EXPECT_EQ(in_place, out);
}

TEST_P(Ops, LayerNormOfEverySize) {
  for (const Index size : sizes()) {
    const Vector gain = random_vector(size, 1, 0.5F, 2.0F);
    const Vector bias = random_vector(size, 2);
    const Matrix x = random_matrix(3, size, 3, -2.0F, 3.0F);
    expect_layer_norm(x, gain, bias);
    expect_layer_norm(x, gain, Vector());
    expect_layer_norm(-x.cwiseAbs(), gain, bias);
  }
}

// The spread is a millionth of the offset: a mean that is off by its own rounding shows.
TEST_P(Ops, LayerNormFarFromZero) {
  for (const Index size : sizes()) {
    const Vector gain = random_vector(size, 4, 0.5F, 2.0F);
    const Vector bias = random_vector(size, 5);
    for (const float offset : {1e3F, -1e4F, 1e6F}) {
      const float spread = 4e-6F * std::abs(offset);
      expect_layer_norm(random_matrix(3, size, 6, offset - spread, offset + spread), gain, bias);
    }
  }
}

TEST_P(Ops, LayerNormOfAConstantRowIsTheBias) {
  for (const Index size : sizes()) {
    const Vector gain = random_vector(size, 7, 0.5F, 2.0F);
    const Vector bias = random_vector(size, 8);
    for (const float value : {0.0F, 1.0F, -0.1F, 12345.678F, -1e6F / 3.0F}) {
      expect_layer_norm(Matrix::Constant(2, size, value), gain, bias);
    }
  }
  Matrix one_channel = Matrix::Constant(1, 1, 1e30F);
  layer_norm(one_channel, Vector::Constant(1, 3.0F), Vector::Constant(1, 0.25F), 1e-5F,
             one_channel);
  EXPECT_EQ(one_channel(0, 0), 0.25F);
}

TEST_P(Ops, LayerNormWithOneOutlier) {
  for (const Index size : sizes()) {
    Matrix x = random_matrix(2, size, 9);
    x(0, size / 2) = 1e5F;
    x(1, size - 1) = -1e5F;
    expect_layer_norm(x, Vector::Ones(size), Vector::Zero(size));
  }
}

TEST_P(Ops, LayerNormReadsAndWritesWindows) {
  const Matrix x = random_matrix(4, 40, 10);
  const Vector gain = random_vector(9, 11);
  Matrix out = Matrix::Constant(4, 40, 7.0F);
  layer_norm(x.middleCols(3, 9), gain, Vector(), 1e-5F, out.middleCols(20, 9));
  Matrix whole(4, 9);
  const Matrix copy = x.middleCols(3, 9);
  layer_norm(copy, gain, Vector(), 1e-5F, whole);
  EXPECT_EQ(Matrix(out.middleCols(20, 9)), whole);
  out.middleCols(20, 9).setConstant(7.0F);
  EXPECT_EQ(out, Matrix::Constant(4, 40, 7.0F));
}

TEST_P(Ops, RmsNormOfEverySize) {
  for (const Index size : sizes()) {
    const Vector gain = random_vector(size, 16, -1.0F, 2.0F);
    Matrix x = random_matrix(4, size, 17, -2.0F, 3.0F);
    x.row(1).setZero();
    x.row(2).setConstant(-1e6F / 3.0F);
    x(3, size - 1) = 1e5F;
    for (const NormKind kind : {NormKind::rms, NormKind::rms_plus_one}) {
      const double extra = kind == NormKind::rms ? 0.0 : 1.0;
      Matrix out = x;
      normalize(kind, x, gain, Vector(), static_cast<float>(norm_epsilon), out);
      EXPECT_TRUE(
          within(out, support::slow_rms_norm(support::exactly(x), gain, extra, norm_epsilon)))
          << size << " channels";
      Matrix in_place = x;
      normalize(kind, in_place, gain, Vector(), static_cast<float>(norm_epsilon), in_place);
      EXPECT_EQ(in_place, out);
    }
  }
}

TEST_P(Ops, NormalizeByLayerIsLayerNorm) {
  const Matrix x = random_matrix(3, 37, 18);
  const Vector gain = random_vector(37, 19);
  const Vector bias = random_vector(37, 20);
  Matrix expected(3, 37);
  layer_norm(x, gain, bias, 1e-5F, expected);
  Matrix out(3, 37);
  normalize(NormKind::layer, x, gain, bias, 1e-5F, out);
  EXPECT_EQ(out, expected);
}

// exp(x - max): the difference is rounded once, which moves the exponential by half an epsilon of
// its size; the exponential, the sum of n terms and the division add theirs.
void expect_softmax(const Vector& values) {
  Vector out = values;
  softmax({out.data(), static_cast<std::size_t>(out.size())});
  const auto most = static_cast<double>(values.maxCoeff());
  const Doubles below = values.cast<double>().array() - most;
  const Doubles exponentials = below.array().exp();
  Bounded expected{exponentials / exponentials.sum(), {}};
  expected.bound.resize(1, values.size());
  for (Index i = 0; i < values.size(); ++i) {
    const double value = expected.value(0, i);
    const double difference = value == 0.0 ? 0.0 : -below(0, i);
    expected.bound(0, i) = value * epsilon * (static_cast<double>(values.size()) + 6 + difference) +
                           static_cast<double>(std::numeric_limits<float>::min());
  }
  EXPECT_TRUE(within(out, expected)) << values.size() << " values";
  EXPECT_NEAR(out.cast<double>().sum(), 1.0, epsilon * static_cast<double>(values.size() + 6));
}

TEST_P(Ops, SoftmaxOfEverySize) {
  for (const Index size : sizes()) {
    for (const float reach : {0.0F, 1e-3F, 1.0F, 30.0F, 500.0F}) {
      const auto seed = static_cast<std::uint32_t>(size);
      expect_softmax(random_vector(size, seed, -reach, reach));
      expect_softmax(random_vector(size, seed, 1e4F - reach, 1e4F + reach));
      expect_softmax(random_vector(size, seed, -1.5e38F, 1.5e38F));
    }
  }
}

TEST_P(Ops, SoftmaxGivesMaskedKeysNothing) {
  for (const Index size : sizes()) {
    Vector values = random_vector(size, 12);
    for (Index i = 0; i + 1 < size; i += 2) values(i) = -infinity;
    expect_softmax(values);
    softmax({values.data(), static_cast<std::size_t>(size)});
    for (Index i = 0; i + 1 < size; i += 2) EXPECT_EQ(values(i), 0.0F);

    Vector masked = Vector::Constant(size, -infinity);
    softmax({masked.data(), static_cast<std::size_t>(size)});
    EXPECT_EQ(masked, Vector::Zero(size));
  }
}

std::span<const float> part(const Vector& values, Index first, Index count) {
  return {values.data() + first, static_cast<std::size_t>(count)};
}

double slow_log_sum_exp(const Vector& values) {
  const auto most = static_cast<double>(values.maxCoeff());
  double sum = 0.0;
  for (const float value : values) sum += std::exp(static_cast<double>(value) - most);
  return most + std::log(sum);
}

// Relative error of the sum: of each exponential 2 epsilon and at most 0.4 more for the rounded
// difference (d exp(-d) <= 0.37), of at most 64 + 16 additions in float; the logarithm turns it
// into an absolute one. `value` adds in double.
constexpr double log_sum_bound = 83.0 * epsilon;

TEST_P(Ops, LogSumExpOverAnySplitIsThatOfTheWhole) {
  for (const Index size : {1, 2, 7, 16, 33, 64, 257, 5000}) {
    for (const float offset : {0.0F, 80.0F, -1e4F, 1e4F}) {
      const Vector values =
          random_vector(size, static_cast<std::uint32_t>(size), offset - 12.0F, offset + 12.0F);
      const double expected = slow_log_sum_exp(values);
      for (const Index chunk : {Index{1}, Index{3}, Index{16}, Index{100}, size}) {
        if (chunk == 1 && size > 300) continue;
        LogSumExp forwards;
        LogSumExp backwards;
        for (Index first = 0; first < size; first += chunk) {
          forwards.add(part(values, first, std::min(chunk, size - first)));
          const Index from_end = (size - 1) / chunk * chunk - first;
          backwards.add(part(values, from_end, std::min(chunk, size - from_end)));
        }
        EXPECT_NEAR(forwards.value(), expected, log_sum_bound) << size << ", " << chunk;
        EXPECT_NEAR(backwards.value(), expected, log_sum_bound) << size << ", " << chunk;
      }
    }
  }
}

TEST_P(Ops, LogSumExpTakesChunksThatAddNothing) {
  const Vector values = random_vector(20, 13);
  const Vector masked = Vector::Constant(9, -infinity);
  LogSumExp total;
  total.add(part(masked, 0, 9));
  EXPECT_EQ(total.value(), -static_cast<double>(infinity));
  total.add({});
  total.add(part(values, 0, 20));
  total.add(part(masked, 0, 9));
  EXPECT_NEAR(total.value(), slow_log_sum_exp(values), log_sum_bound);
}

TEST_P(Ops, NaNAndOverflowAreNotHidden) {
  const Vector values = random_vector(37, 14);
  const Vector masked = Vector::Constant(37, -infinity);
  for (const float wrong : {nan, infinity}) {
    for (const Index place : {0, 7, 16, 31, 32, 36}) {
      for (const Vector& good : {values, masked}) {
        Vector broken = good;
        broken(place) = wrong;
        LogSumExp total;
        total.add(part(values, 0, 37));
        total.add(part(broken, 0, 37));
        total.add(part(values, 0, 37));
        EXPECT_TRUE(std::isnan(total.value())) << place;
        softmax({broken.data(), 37});
        EXPECT_TRUE(broken.array().isNaN().all()) << place;
      }
    }
  }
}

Matrix hard_values() {
  Matrix values = random_matrix(1, 77, 15, -9.0F, 9.0F);
  values.leftCols(8) << 0.0F, -0.0F, 1e-30F, -1e-30F, 40.0F, -40.0F, 3e38F, -3e38F;
  return values;
}

TEST(Activate, ReluKeepsWhatIsPositive) {
  Matrix values = hard_values();
  const Matrix before = values;
  activate(Activation::relu, values);
  for (Index i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values(0, i), before(0, i) > 0.0F ? before(0, i) : 0.0F);
  }
}

// Far on either side an activation is its argument or zero; a row's end goes through the rest.
TEST_P(Ops, ActivationsHoldFarFromZero) {
  Matrix values(1, 8001);
  for (Index i = 0; i < values.size(); ++i) {
    values(0, i) = 0.5F * static_cast<float>(i - 4000);
  }
  for (const Activation kind :
       {Activation::relu, Activation::gelu, Activation::gelu_tanh, Activation::silu}) {
    Matrix actual = values;
    activate(kind, actual);
    for (Index i = 0; i < values.size(); ++i) {
      const double x = values(0, i);
      const double sigmoid = 1.0 / (1.0 + std::exp(-x));
      const double tanh_part =
          0.5 * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
      const double share = kind == Activation::relu        ? (x > 0.0 ? 1.0 : 0.0)
                           : kind == Activation::gelu      ? 0.5 * std::erfc(-x / std::sqrt(2.0))
                           : kind == Activation::gelu_tanh ? tanh_part
                                                           : sigmoid;
      // Some epsilon of x near zero, where the sigmoid is rounded; and what overflow takes for
      // zero.
      ASSERT_NEAR(actual(0, i), x * share,
                  4.0 * epsilon * std::abs(x) * (x > -20.0 ? 1.0 : 0.0) +
                      3e-7 * std::abs(x * share) + 4e-37)
          << static_cast<int>(kind) << " of " << x;
    }
    Matrix ends{{-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity(),
                 std::numeric_limits<float>::quiet_NaN(), -3e38F, 3e38F}};
    activate(kind, ends);
    if (kind != Activation::gelu) {
      EXPECT_EQ(ends(0, 0), 0.0F);
    }
    EXPECT_EQ(ends(0, 1), std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(ends(0, 2)));
    EXPECT_EQ(ends(0, 3), 0.0F);
    EXPECT_EQ(ends(0, 4), 3e38F);
  }
}

// x (1 + erf(x / sqrt 2)) / 2: the sum is rounded to half an epsilon of 2 at most, and erf and its
// argument are good to about two more.
TEST(Activate, GeluIsTheExactOne) {
  Matrix values = hard_values();
  Bounded expected = support::exactly(values);
  for (Index i = 0; i < values.size(); ++i) {
    const double x = expected.value(0, i);
    expected.value(0, i) = x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    expected.bound(0, i) = 3.0 * epsilon * std::abs(x);
  }
  activate(Activation::gelu, values);
  EXPECT_TRUE(within(values, expected));
}

// The argument of tanh, t, is rounded some 6 times; tanh moves by at most t (1 - tanh(t)^2) <= 0.45
// of that, adds two epsilon of its own, and the sum and the products round too.
TEST(Activate, GeluByTanh) {
  Matrix values = hard_values();
  Bounded expected = support::exactly(values);
  for (Index i = 0; i < values.size(); ++i) {
    const double x = expected.value(0, i);
    const double inner = std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x);
    expected.value(0, i) = 0.5 * x * (1.0 + std::tanh(inner));
    expected.bound(0, i) = 4.0 * epsilon * std::abs(x);
  }
  activate(Activation::gelu_tanh, values);
  EXPECT_TRUE(within(values, expected));
}

// exp(-x) is good to an epsilon, the sum and the division round; where it overflows, the value is
// smaller than any that is not denormal.
TEST(Activate, Silu) {
  Matrix values = hard_values();
  Bounded expected = support::exactly(values);
  for (Index i = 0; i < values.size(); ++i) {
    const double x = expected.value(0, i);
    expected.value(0, i) = x / (1.0 + std::exp(-x));
    expected.bound(0, i) = 3.0 * epsilon * std::abs(expected.value(0, i)) +
                           static_cast<double>(std::numeric_limits<float>::min());
  }
  activate(Activation::silu, values);
  EXPECT_TRUE(within(values, expected));
}

TEST(Activate, KeepsNaNWhereverItIs) {
  for (const Activation kind : all_activations) {
    for (Index place = 0; place < 19; ++place) {
      Matrix values = random_matrix(1, 19, 16);
      values(0, place) = nan;
      activate(kind, values);
      for (Index i = 0; i < 19; ++i) EXPECT_EQ(std::isnan(values(0, i)), i == place) << place;
    }
  }
}

TEST(Activate, LeavesWhatIsBesideTheWindow) {
  for (const Activation kind : all_activations) {
    Matrix values = Matrix::Constant(3, 8, -2.0F);
    activate(kind, values.block(1, 2, 1, 3));
    EXPECT_NE(values(1, 2), -2.0F);
    values.block(1, 2, 1, 3).setConstant(-2.0F);
    EXPECT_EQ(values, Matrix::Constant(3, 8, -2.0F));
  }
}

}  // namespace
}  // namespace evenkeel
