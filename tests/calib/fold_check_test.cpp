// A fold that changes the function must stop the job, and say where.
#include "calib/fold_check.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/random_matrix.h"
#include "support/tiny_stream.h"
#include "transforms/fold.h"

namespace evenkeel {
namespace {

ChannelTransform some_transform(std::uint32_t seed) {
  return {support::random_vector(16, seed, -9.0F, 9.0F),
          support::random_vector(16, seed + 1, 0.5F, 20.0F)};
}

class FoldCheck : public testing::TestWithParam<std::size_t> {
 protected:
  FoldCheck()
      : site_(sites_of(tiny_.architecture(), 0, {.method = Method::os_plus}).at(GetParam())) {}

  Block folded(const ChannelTransform& transform) const { return folded(transform, site_); }
  Block folded(const ChannelTransform& transform, const Site& site) const {
    Block block = before_;
    fold(transform, tiny_.architecture(), site, block);
    return block;
  }
  void check(const Block& after) const { check(after, site_); }
  void check(const Block& after, const Site& site) const {
    evenkeel::FoldCheck(tiny_.architecture(), site, before_, tiny_.stream().at(0))
        .require_same(after);
  }
  void expect_refused(const Block& after, const Site& site) const {
    support::expect_error<MachineError>([&] { check(after, site); },
                                        "site '" + std::string(site.name) + "'", {});
  }

  support::TinyStream tiny_{1, 20};
  Block before_ = tiny_.block();
  Site site_;
};

TEST_P(FoldCheck, TakesARightFold) {
  EXPECT_NO_THROW(check(before_));
  for (std::uint32_t seed = 0; seed < 40; seed += 2) {
    EXPECT_NO_THROW(check(folded(some_transform(seed)))) << seed;
  }
}

// Readers that the site does not know of are left out of the fold and of their own check; the
// block's output tells.
TEST_P(FoldCheck, RefusesASiteThatMissesAReader) {
  for (const LinearPlace missing : site_.readers) {
    Site site = site_;
    std::erase(site.readers, missing);
    const ChannelTransform transform = some_transform(3);
    expect_refused(folded(transform, site), site);
    // The same fold under the whole site: the reader's own check sees it, and names it.
    support::expect_error<MachineError>(
        [&] { check(folded(transform, site)); }, "site '" + std::string(site.name) + "'",
        {"'" + tiny_.architecture().linear(missing.role).name + "'"});
  }
}

TEST_P(FoldCheck, RefusesAShiftOfTheWrongSign) {
  ChannelTransform transform = some_transform(5);
  transform.scale.setOnes();
  Block after = folded(transform);
  transform.shift = -transform.shift;
  for (const LinearPlace role : site_.readers) {
    after.linear(role).bias = folded(transform).linear(role).bias;
  }
  expect_refused(after, site_);
}

TEST_P(FoldCheck, RefusesAScaleOfTheWrongDirection) {
  ChannelTransform transform = some_transform(7);
  transform.shift.setZero();
  Block after = folded(transform);
  transform.scale = transform.scale.cwiseInverse().eval();
  after.norm(*site_.norm) = folded(transform).norm(*site_.norm);
  expect_refused(after, site_);
}

TEST_P(FoldCheck, RefusesNaNAnywhere) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  for (const LinearPlace role : tiny_.architecture().linear_places()) {
    for (const Index place : {Index{0}, Index{7}, tiny_.architecture().rows(role.role) - 1}) {
      Block after = before_;
      after.linear(role).bias(place) = nan;
      expect_refused(after, site_);
    }
  }
  for (const NormRole role : tiny_.architecture().norm_roles()) {
    Block after = before_;
    after.norm(role).gain(3) = nan;
    expect_refused(after, site_);
  }
}

// A change of one part in a thousand, in a layer that the site does not own.
TEST_P(FoldCheck, RefusesAChangeElsewhere) {
  Block after = before_;
  after.linear(LinearRole::down).weight *= 1.001F;
  expect_refused(after, site_);
}

TEST_P(FoldCheck, RefusesWhatFloatCannotHold) {
  ChannelTransform transform = some_transform(9);
  transform.scale(2) = 1e-42F;  // the norm's gain becomes infinite
  expect_refused(folded(transform), site_);
}

INSTANTIATE_TEST_SUITE_P(Sites, FoldCheck, testing::Values(0, 1),
                         [](const auto& test) { return test.param == 0 ? "attention" : "mlp"; });

}  // namespace
}  // namespace evenkeel
