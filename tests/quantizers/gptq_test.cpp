#include "quantizers/gptq.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/LU>
#include <gtest/gtest.h>

#include "io/errors.h"
#include "quantizers/affine.h"
#include "support/expect_error.h"
#include "support/random_matrix.h"
#include "support/within.h"

namespace evenkeel {
namespace {

constexpr Granularity groups = Granularity::per_group;

TensorScheme scheme_of(Granularity granularity, int group_size = 128) {
  return {.bits = 3,
          .granularity = granularity,
          .symmetric = true,
          .rounding = Rounding::gptq,
          .group_size = group_size};
}

/// Inputs whose channels are mixtures of a few, so that a column can make up for another.
Matrix correlated_inputs(Index tokens, Index channels, std::uint32_t seed) {
  const Matrix sources = support::random_matrix(tokens, std::max<Index>(1, channels / 4), seed);
  const Matrix mixing = support::random_matrix(sources.cols(), channels, seed + 1);
  return sources * mixing + 0.1F * support::random_matrix(tokens, channels, seed + 2);
}

DoubleMatrix hessian_of(const Matrix& inputs) {
  InputHessian hessian(inputs.cols());
  hessian.observe(inputs);
  return hessian.finish();
}

QuantizedWeight rounded(const Matrix& weight, const DoubleMatrix& hessian,
                        const TensorScheme& scheme) {
  return gptq(weight, GptqFactor(hessian, scheme.gptq), scheme);
}

double output_error(const Matrix& inputs, const Matrix& weight, const QuantizedWeight& codes) {
  return (inputs * (weight - dequantize_weight(codes)).transpose()).cast<double>().squaredNorm();
}

// The reference of this file: one column at a time as the derivation has it (Optimal Brain
// Quantization, Frantar et al. 2022, Eq. 2 and 3), with the inverse of what is left of the Hessian
// found anew for each column: no Cholesky factor, no blocks.
QuantizedWeight slow_gptq(const Matrix& weight, DoubleMatrix hessian, const TensorScheme& scheme) {
  const Index columns = weight.cols();
  std::vector<Index> order(static_cast<std::size_t>(columns));
  std::iota(order.begin(), order.end(), Index{0});
  if (scheme.gptq.activation_order) {
    std::ranges::stable_sort(order,
                             [&](Index a, Index b) { return hessian(a, a) > hessian(b, b); });
  }
  double sum = 0.0;
  double living = 0.0;
  for (Index i = 0; i < columns; ++i) {
    sum += hessian(i, i);
    living += hessian(i, i) > 0.0 ? 1.0 : 0.0;
  }
  for (Index i = 0; i < columns; ++i) {
    const double damping = scheme.gptq.damping * sum / living;
    hessian(i, i) = hessian(i, i) > 0.0 ? hessian(i, i) + damping : 1.0;
  }
  QuantizedWeight result = quantize_weight(weight, scheme);
  const Index width = scheme.granularity == groups ? Index{scheme.group_size} : columns;
  const CodeRange range = code_range(scheme.bits, scheme.symmetric);
  DoubleMatrix moving = weight.cast<double>();
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::vector<Index> left(order.begin() + static_cast<std::ptrdiff_t>(i), order.end());
    const DoubleMatrix inverse = DoubleMatrix(hessian(left, left)).inverse();
    const Index column = order[i];
    for (Index row = 0; row < weight.rows(); ++row) {
      const std::size_t step =
          scheme.granularity == Granularity::per_tensor
              ? 0
              : static_cast<std::size_t>(row * result.groups() + column / width);
      if (scheme.granularity == groups && !scheme.gptq.static_groups && column % width == 0) {
        const Index count = std::min(width, columns - column);
        const auto group = moving.row(row).segment(column, count).cast<float>();
        const auto found =
            affine_parameters({group.minCoeff(), group.maxCoeff()}, scheme.bits, scheme.symmetric);
        result.steps[step] = found.step;
        result.zero_points[step] = found.zero_point;
      }
      const AffineParameters parameters{result.steps[step], result.zero_points[step]};
      const auto code =
          reference::quantize(static_cast<float>(moving(row, column)), parameters, range);
      result.codes[static_cast<std::size_t>(row * columns + column)] = code;
      const double error =
          moving(row, column) - static_cast<double>(reference::dequantize(code, parameters));
      for (std::size_t k = 1; k < left.size(); ++k) {
        moving(row, left[k]) -= error / inverse(0, 0) * inverse(0, static_cast<Index>(k));
      }
    }
  }
  return result;
}

class EveryOption : public testing::TestWithParam<TensorScheme> {};

TEST_P(EveryOption, AgreesWithTheDerivation) {
  const TensorScheme scheme = GetParam();
  // One column, one group, a group that does not divide, more columns than a block.
  for (const auto& [rows, columns] : {std::pair<Index, Index>{3, 1}, {4, 24}, {5, 50}, {2, 150}}) {
    const Matrix weight = support::random_matrix(rows, columns, 1);
    const DoubleMatrix hessian = hessian_of(correlated_inputs(3 * columns, columns, 2));
    const QuantizedWeight fast = rounded(weight, hessian, scheme);
    const QuantizedWeight slow = slow_gptq(weight, hessian, scheme);
    // Both round in float what they find in double, so that codes differ only where a weight is
    // within 1e-7 of a tie; none of these is.
    EXPECT_EQ(fast.codes, slow.codes) << rows << " x " << columns;
    EXPECT_EQ(fast.steps, slow.steps);
    EXPECT_EQ(fast.zero_points, slow.zero_points);
  }
}

std::vector<TensorScheme> every_option() {
  std::vector<TensorScheme> schemes;
  for (const auto granularity : {Granularity::per_tensor, Granularity::per_channel, groups}) {
    for (const bool symmetric : {false, true}) {
      for (const bool activation_order : {false, true}) {
        for (const bool static_groups : {false, true}) {
          if (!static_groups && (granularity != groups || activation_order)) continue;
          TensorScheme scheme = scheme_of(granularity, 24);
          scheme.symmetric = symmetric;
          scheme.gptq = {.activation_order = activation_order, .static_groups = static_groups};
          schemes.push_back(scheme);
        }
      }
    }
  }
  return schemes;
}

INSTANTIATE_TEST_SUITE_P(Gptq, EveryOption, testing::ValuesIn(every_option()),
                         [](const auto& scheme) {
                           const GptqOptions& gptq = scheme.param.gptq;
                           return std::string(name_of(scheme.param.granularity)) +
                                  (scheme.param.symmetric ? "_symmetric" : "") +
                                  (gptq.activation_order ? "_ordered" : "") +
                                  (gptq.static_groups ? "_static" : "");
                         });

TEST(Gptq, AGroupWiderThanABlockIsFoundWhenItIsReached) {
  TensorScheme scheme = scheme_of(groups, 140);
  scheme.gptq = {.activation_order = false, .static_groups = false};
  const Matrix weight = support::random_matrix(2, 290, 3);
  const DoubleMatrix hessian = hessian_of(correlated_inputs(600, 290, 4));
  const QuantizedWeight fast = rounded(weight, hessian, scheme);
  const QuantizedWeight slow = slow_gptq(weight, hessian, scheme);
  EXPECT_EQ(fast.codes, slow.codes);
  EXPECT_EQ(fast.steps, slow.steps);
}

TEST(Gptq, TheOutputMovesLessThanByRoundingToTheNearest) {
  const Matrix inputs = correlated_inputs(400, 96, 5);
  const Matrix weight = support::random_matrix(32, 96, 6);
  for (const TensorScheme& scheme : every_option()) {
    const double nearest = output_error(inputs, weight, quantize_weight(weight, scheme));
    const double found = output_error(inputs, weight, rounded(weight, hessian_of(inputs), scheme));
    EXPECT_LT(found, 0.5 * nearest) << name_of(scheme.granularity);
  }
}

TEST(Gptq, WithoutCorrelationItIsRoundingToTheNearest) {
  const Matrix weight = support::random_matrix(7, 200, 7);
  DoubleMatrix hessian = DoubleMatrix::Identity(200, 200);
  for (const TensorScheme& scheme : every_option()) {
    const QuantizedWeight nearest = quantize_weight(weight, scheme);
    EXPECT_EQ(rounded(weight, hessian, scheme).codes, nearest.codes);
    EXPECT_EQ(rounded(weight, hessian, scheme).steps, nearest.steps);
    hessian.diagonal() = support::random_vector(200, 8, 0.1F, 4.0F).cast<double>();
    EXPECT_EQ(rounded(weight, hessian, scheme).codes, nearest.codes);
  }
}

TEST(Gptq, ADeadColumnIsRoundedToTheNearestAndTouchesNoOther) {
  Matrix inputs = correlated_inputs(200, 40, 9);
  inputs.col(13).setZero();
  const Matrix weight = support::random_matrix(6, 40, 10);
  std::vector<Index> living;
  for (Index column = 0; column < 40; ++column) {
    if (column != 13) living.push_back(column);
  }
  // Per tensor, so that the steps of the others do not depend on the column's place.
  Matrix others = weight(Eigen::all, living);
  others(0, 0) = weight.cwiseAbs().maxCoeff();
  Matrix all = weight;
  all(0, 0) = others(0, 0);
  const TensorScheme scheme = scheme_of(Granularity::per_tensor);
  const QuantizedWeight found = rounded(all, hessian_of(inputs), scheme);
  const QuantizedWeight nearest = quantize_weight(all, scheme);
  const QuantizedWeight without = rounded(others, hessian_of(inputs(Eigen::all, living)), scheme);
  for (std::size_t row = 0; row < 6; ++row) {
    EXPECT_EQ(found.codes[row * 40 + 13], nearest.codes[row * 40 + 13]);
    for (std::size_t i = 0; i < living.size(); ++i) {
      EXPECT_EQ(found.codes[row * 40 + static_cast<std::size_t>(living[i])],
                without.codes[row * 39 + i]);
    }
  }
  const DoubleMatrix nothing = DoubleMatrix::Zero(40, 40);
  EXPECT_EQ(rounded(all, nothing, scheme).codes, nearest.codes);
}

TEST(Gptq, FewerTokensThanColumnsAndTheLeastDampingStayFinite) {
  TensorScheme scheme = scheme_of(Granularity::per_channel);
  scheme.gptq.damping = smallest_damping;
  const Matrix inputs = correlated_inputs(3, 64, 11);
  const GptqFactor factor(hessian_of(inputs), scheme.gptq);
  EXPECT_TRUE(factor.upper().allFinite());
}

TEST(Gptq, AllZeroAndConstantWeightsComeBack) {
  const DoubleMatrix hessian = hessian_of(correlated_inputs(50, 30, 12));
  for (const TensorScheme& scheme : every_option()) {
    EXPECT_EQ(dequantize_weight(rounded(Matrix::Zero(3, 30), hessian, scheme)),
              Matrix::Zero(3, 30));
    // The end of the range is a code of its own, to two roundings.
    const Matrix back = dequantize_weight(rounded(Matrix::Constant(3, 30, 0.7F), hessian, scheme));
    EXPECT_LE((back.array() - 0.7F).abs().maxCoeff(),
              0.7F * 2.0F * std::numeric_limits<float>::epsilon());
  }
}

TEST(GptqFactor, IsTheCholeskyFactorOfTheInverse) {
  for (const bool ordered : {false, true}) {
    const DoubleMatrix hessian = hessian_of(correlated_inputs(90, 33, 13));
    const GptqFactor factor(hessian, {.damping = 0.05, .activation_order = ordered});
    const std::vector<Index>& order = factor.order();
    DoubleMatrix damped = hessian(order, order);
    damped.diagonal().array() += 0.05 * hessian.diagonal().mean();
    const DoubleMatrix& upper = factor.upper();
    EXPECT_TRUE(DoubleMatrix(upper.triangularView<Eigen::StrictlyLower>()).isZero(0.0));
    EXPECT_GT(upper.diagonal().minCoeff(), 0.0);
    // U H U^T = 1. Condition at most 33 / 0.05; times 33 epsilon of double.
    const DoubleMatrix one = upper * damped * upper.transpose();
    EXPECT_LE((one - DoubleMatrix::Identity(33, 33)).cwiseAbs().maxCoeff(), 1e-11);
    for (std::size_t i = 1; i < order.size(); ++i) {
      EXPECT_TRUE(ordered ? hessian(order[i - 1], order[i - 1]) >= hessian(order[i], order[i])
                          : order[i - 1] + 1 == order[i]);
    }
  }
}

TEST(GptqFactor, OfWhatIsNotFiniteIsAnError) {
  DoubleMatrix hessian = DoubleMatrix::Identity(3, 3);
  hessian(2, 0) = std::numeric_limits<double>::quiet_NaN();
  support::expect_error<InputError>([&] { GptqFactor(hessian, {}); }, "the inputs of GPTQ",
                                    {"finite"});
  hessian = DoubleMatrix::Constant(3, 3, -5.0);
  hessian.diagonal().setOnes();
  support::expect_error<InputError>([&] { GptqFactor(hessian, {}); }, "the Hessian of GPTQ",
                                    {"damping"});
}

TEST(InputHessian, IsTwiceTheMeanOfTheOuterProducts) {
  const Matrix inputs = support::random_matrix(37, 11, 14);
  DoubleMatrix expected = DoubleMatrix::Zero(11, 11);
  for (Index token = 0; token < 37; ++token) {
    const Eigen::RowVectorXd row = inputs.row(token).cast<double>();
    expected += 2.0 / 37.0 * row.transpose() * row;
  }
  InputHessian whole(11);
  whole.observe(inputs);
  InputHessian first(11);
  InputHessian second(11);
  first.observe(inputs.topRows(10));
  first.observe(inputs.topRows(0));
  second.observe(inputs.bottomRows(27));
  first.merge(second);
  for (const InputHessian* hessian : {&whole, &first}) {
    EXPECT_EQ(hessian->tokens(), 37);
    const DoubleMatrix found = hessian->finish();
    EXPECT_EQ(found, found.transpose());
    // Sums of 37 products of at most 1 in double, times 2 / 37.
    EXPECT_LE((found - expected).cwiseAbs().maxCoeff(), 2.0 * 38.0 * 0x1p-52);
  }
}

TEST(Gptq, RoundsToTheCodesOfABook) {
  const Matrix weight = support::random_matrix(12, 64, 31);
  const Matrix inputs = correlated_inputs(300, 64, 32);
  for (const Codes codes : {Codes::linear, Codes::floating, Codes::quantile, Codes::dynamic}) {
    for (const Granularity granularity :
         {Granularity::per_channel, Granularity::per_block, Granularity::per_tensor}) {
      // A block of 48 lies in two rows.
      const TensorScheme scheme{.bits = 3,
                                .granularity = granularity,
                                .rounding = Rounding::gptq,
                                .codes = codes,
                                .block_size = 48};
      const QuantizedWeight nearest = quantize_weight(weight, scheme);
      // Inputs that do not hang together leave nothing to make up for.
      const QuantizedWeight alone = rounded(weight, DoubleMatrix::Identity(64, 64), scheme);
      EXPECT_EQ(alone.codes, nearest.codes);
      const QuantizedWeight found = rounded(weight, hessian_of(inputs), scheme);
      EXPECT_EQ(found.steps, nearest.steps);
      EXPECT_LT(output_error(inputs, weight, found), 0.7 * output_error(inputs, weight, nearest));
    }
  }
}

}  // namespace
}  // namespace evenkeel
