#include "transforms/outlier_suppression.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/random_matrix.h"
#include "transforms/fold.h"

namespace evenkeel {
namespace {

constexpr Index channels = 12;

// A norm without its normalization: an outlier by its gain, one channel turned round, one dead.
struct Norms {
  Matrix normalized = support::random_matrix(40, channels, 1, -2.0F, 2.0F);
  Norm norm{support::random_vector(channels, 2, 0.5F, 1.5F),
            support::random_vector(channels, 3, -0.5F, 0.5F)};
  Linear reader{support::random_matrix(9, channels, 4), support::random_vector(9, 5)};

  Norms() {
    norm.gain(3) = 50.0F;
    norm.gain(4) = -20.0F;
    norm.gain(5) = 0.0F;
  }
  Matrix input() const {
    return (normalized.array().rowwise() * norm.gain.array()).rowwise() + norm.bias.array();
  }
};

TEST(OutlierSuppression, TheGainIsTheScale) {
  const Norms norms;
  const SiteTransform found = outlier_suppression(linear_site({norms.input()}, norms.reader),
                                                  norms.norm.gain, *scheme_named("w6a6"));
  for (Index j = 0; j < channels; ++j) {
    EXPECT_EQ(found.transform.scale(j), j == 5 ? 1.0F : norms.norm.gain(j));
  }
  EXPECT_TRUE(found.transform.shift.isZero(0.0F));
  EXPECT_TRUE(found.thresholds.empty());
  EXPECT_LT(found.loss_after, 0.5 * found.loss_before);
}

TEST(OutlierSuppression, LeavesTheNormWithoutAGain) {
  Norms norms;
  const Matrix before = norms.input();
  const Linear reader = norms.reader;
  const SiteTransform found =
      outlier_suppression(linear_site({before}, reader), norms.norm.gain, *scheme_named("w8a8"));
  const std::array<Linear*, 1> readers{&norms.reader};
  fold(found.transform, norms.norm, readers);
  for (Index j = 0; j < channels; ++j) EXPECT_EQ(norms.norm.gain(j), j == 5 ? 0.0F : 1.0F);
  EXPECT_LE(fold_error(before, reader, norms.input(), norms.reader), 1.0);
}

TEST(OutlierSuppression, RefusesALossThatIsNotFinite) {
  Norms norms;
  norms.norm.bias(0) = std::numeric_limits<float>::infinity();
  EXPECT_THROW(outlier_suppression(linear_site({norms.input()}, norms.reader), norms.norm.gain,
                                   *scheme_named("w8a8")),
               InputError);
}

}  // namespace
}  // namespace evenkeel
