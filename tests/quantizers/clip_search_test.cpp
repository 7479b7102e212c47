#include "quantizers/clip_search.h"

#include <limits>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "quantizers/weight_quantizer.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr Index columns = 20;
const TensorScheme in_groups{
    .bits = 3, .granularity = Granularity::per_group, .symmetric = true, .group_size = 8};

Matrix limits_of(const Matrix& weight, const Matrix& inputs, const TensorScheme& scheme) {
  ClipSearch search(weight.cols(), scheme);
  search.observe(inputs);
  return search.limits(weight);
}

double output_error(const Matrix& weight, const Matrix& inputs, const TensorScheme& scheme,
                    const Matrix* limits = nullptr) {
  Matrix rounded = weight;
  if (limits != nullptr) clip_weight(rounded, *limits, scheme);
  fake_quantize_weight(rounded, scheme);
  return ((rounded - weight).cast<double>() * inputs.cast<double>().transpose()).squaredNorm();
}

// Codes and limits beside the published formulas: tests/golden/clip_search_test.py.

TEST(ClipSearch, LowersTheErrorOfTheProducts) {
  const Matrix weight = support::random_matrix(12, 8, 1);
  const Matrix inputs = support::random_matrix(64, 8, 2);
  const Matrix limits = limits_of(weight, inputs, in_groups);
  EXPECT_LT(output_error(weight, inputs, in_groups, &limits),
            output_error(weight, inputs, in_groups));
}

TEST(ClipSearch, AWeightThatMattersIsKept) {
  Matrix weight = Matrix::Constant(1, 8, 0.1F);
  weight(0, 3) = 1.0F;
  Matrix inputs = Matrix::Constant(4, 8, 1e-3F);
  inputs.col(3).setConstant(10.0F);
  EXPECT_EQ(limits_of(weight, inputs, in_groups)(0, 0), 1.0F);
  inputs.col(3).setZero();  // no error of its own is ever seen
  EXPECT_LT(limits_of(weight, inputs, in_groups)(0, 0), 1.0F);
}

TEST(ClipSearch, TheLastGroupMayBeShort) {
  const Matrix limits = limits_of(support::random_matrix(5, columns, 3),
                                  support::random_matrix(9, columns, 4), in_groups);
  EXPECT_EQ(limits.rows(), 5);
  EXPECT_EQ(limits.cols(), 3);
}

TEST(ClipSearch, InputsInPartsAreTheWhole) {
  const Matrix weight = support::random_matrix(5, columns, 5);
  const Matrix inputs = support::random_matrix(10, columns, 6);
  ClipSearch search(columns, in_groups);
  search.observe(inputs.topRows(4));
  search.observe(inputs.topRows(0));
  search.observe(inputs.bottomRows(6));
  EXPECT_EQ(search.tokens(), 10);
  EXPECT_EQ(search.limits(weight), limits_of(weight, inputs, in_groups));
}

TEST(ClipSearch, RefusesInputsThatAreNotFinite) {
  Matrix inputs = support::random_matrix(4, columns, 7);
  inputs(1, 2) = std::numeric_limits<float>::infinity();
  EXPECT_THROW(limits_of(support::random_matrix(2, columns, 8), inputs, in_groups), InputError);
}

TEST(ClipWeight, ClampsEachGroupToItsLimit) {
  Matrix weight{{-3.0F, 2.0F, 5.0F}, {1.0F, -1.0F, -7.0F}};
  const TensorScheme pairs{.bits = 4, .granularity = Granularity::per_group, .group_size = 2};
  const float none = std::numeric_limits<float>::infinity();
  clip_weight(weight, Matrix{{2.5F, 0.0F}, {none, 6.0F}}, pairs);
  EXPECT_EQ(weight, (Matrix{{-2.5F, 2.0F, 0.0F}, {1.0F, -1.0F, -6.0F}}));
}

}  // namespace
}  // namespace evenkeel
