#include "transforms/fold.h"

#include <limits>

#include <gtest/gtest.h>

#include "model/ops.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

using support::random_matrix;
using support::random_vector;

constexpr Index tokens = 40;
constexpr Index channels = 24;

// A norm after its normalization, and what reads it.
struct Layers {
  Matrix normalized = random_matrix(tokens, channels, 1, -2.0F, 2.0F);
  Norm norm{random_vector(channels, 2, 0.5F, 20.0F), random_vector(channels, 3, -60.0F, 60.0F)};
  Linear first{random_matrix(10, channels, 4), random_vector(10, 5)};
  Linear second{random_matrix(7, channels, 6), random_vector(7, 7)};

  Matrix input() const {
    return (normalized.array().rowwise() * norm.gain.array()).rowwise() + norm.bias.array();
  }
};

ChannelTransform random_transform() {
  return {random_vector(channels, 8, -60.0F, 60.0F), random_vector(channels, 9, 0.1F, 30.0F)};
}

TEST(Fold, IsTheFormulaByHand) {
  Norm norm{Vector{{2.0F, 8.0F}}, Vector{{1.0F, -6.0F}}};
  Linear linear{Matrix{{1.0F, 2.0F}, {-3.0F, 0.5F}}, Vector{{0.0F, 1.0F}}};
  Linear* const readers[] = {&linear};
  fold({Vector{{3.0F, -2.0F}}, Vector{{1.0F, 4.0F}}}, norm, readers);
  EXPECT_EQ(norm.gain, (Vector{{2.0F, 2.0F}}));
  EXPECT_EQ(norm.bias, (Vector{{-2.0F, -1.0F}}));
  EXPECT_EQ(linear.weight, (Matrix{{1.0F, 8.0F}, {-3.0F, 2.0F}}));
  EXPECT_EQ(linear.bias, (Vector{{-1.0F, -9.0F}}));  // 3 - 4; 1 - 9 - 1
}

TEST(Fold, KeepsWhatEveryReaderGives) {
  const Layers before;
  Layers after = before;
  Linear* const readers[] = {&after.first, &after.second};
  fold(random_transform(), after.norm, readers);
  EXPECT_FALSE(after.first.weight.isApprox(before.first.weight));
  EXPECT_LE(fold_error(before.input(), before.first, after.input(), after.first), 1.0);
  EXPECT_LE(fold_error(before.input(), before.second, after.input(), after.second), 1.0);
}

// Through a real norm, for transforms of many sizes; what the search gives is well inside.
TEST(Fold, KeepsWhatTheNormAndItsReadersGive) {
  Layers before;
  const auto input = [&](const Norm& norm) {
    Matrix out(tokens, channels);
    layer_norm(before.normalized, norm.gain, norm.bias, 1e-5F, out);
    return out;
  };
  for (std::uint32_t seed = 100; seed < 300; seed += 2) {
    Layers after = before;
    Linear* const readers[] = {&after.first, &after.second};
    const float reach = seed < 200 ? 3.0F : 300.0F;
    fold({random_vector(channels, seed, -reach, reach),
          random_vector(channels, seed + 1, 1.0F / reach, reach)},
         after.norm, readers);
    ASSERT_LE(fold_error(input(before.norm), before.first, input(after.norm), after.first), 1.0);
    ASSERT_LE(fold_error(input(before.norm), before.second, input(after.norm), after.second), 1.0);
  }
}

TEST(Fold, OfASiteChangesItsProducerAndItsReadersAlone) {
  Block before;
  std::uint32_t seed = 20;
  for (Norm& norm : before.norms) {
    norm = {random_vector(channels, ++seed), random_vector(channels, ++seed)};
  }
  for (Linear& linear : before.linears) {
    linear = {random_matrix(channels, channels, ++seed), random_vector(channels, ++seed)};
  }
  Architecture architecture;
  for (const Site& site : sites_of(architecture)) {
    Block after = before;
    fold(random_transform(), site, after);
    for (const NormRole role : all_norms) {
      EXPECT_EQ(after.norm(role).gain == before.norm(role).gain, role != site.producer);
      EXPECT_EQ(after.norm(role).bias == before.norm(role).bias, role != site.producer);
    }
    for (const LinearRole role : all_linears) {
      const bool reads = input_of(role) == site.input;
      EXPECT_EQ(after.linear(role).weight == before.linear(role).weight, !reads);
      EXPECT_EQ(after.linear(role).bias == before.linear(role).bias, !reads);
    }
  }
}

TEST(Fold, TheIdentityChangesNothing) {
  const Layers before;
  Layers after = before;
  Linear* const readers[] = {&after.first};
  fold(ChannelTransform::identity(channels), after.norm, readers);
  EXPECT_EQ(after.norm.gain, before.norm.gain);
  EXPECT_EQ(after.norm.bias, before.norm.bias);
  EXPECT_EQ(after.first.weight, before.first.weight);
  EXPECT_EQ(after.first.bias, before.first.bias);
}

TEST(Fold, ScaleAloneNeedsNoBias) {
  Layers before;
  before.norm.bias.resize(0);
  before.first.bias.resize(0);
  const Matrix input = before.normalized.array().rowwise() * before.norm.gain.array();
  Layers after = before;
  Linear* const readers[] = {&after.first};
  fold({Vector::Zero(channels), random_transform().scale}, after.norm, readers);
  const Matrix folded = after.normalized.array().rowwise() * after.norm.gain.array();
  EXPECT_EQ(after.first.bias.size(), 0);
  EXPECT_LE(fold_error(input, before.first, folded, after.first), 1.0);
}

// What fold_error must not let through.
TEST(FoldError, SeesAReaderThatWasLeftOut) {
  const Layers before;
  Layers after = before;
  Linear* const readers[] = {&after.first};
  fold(random_transform(), after.norm, readers);
  EXPECT_GT(fold_error(before.input(), before.second, after.input(), after.second), 1e3);
}

TEST(FoldError, SeesAShiftOfTheWrongSign) {
  const Layers before;
  Layers after = before;
  Linear* const readers[] = {&after.first};
  ChannelTransform transform = random_transform();
  fold(transform, after.norm, readers);
  after.first.bias -= 2.0F * (transform.shift * before.first.weight.transpose());
  EXPECT_GT(fold_error(before.input(), before.first, after.input(), after.first), 1e3);
}

TEST(FoldError, SeesAScaleOfTheWrongDirection) {
  const Layers before;
  Layers after = before;
  const ChannelTransform transform{Vector::Zero(channels), random_transform().scale};
  after.norm.gain.array() *= transform.scale.array();
  after.norm.bias.array() *= transform.scale.array();
  after.first.weight.array().rowwise() *= transform.scale.array();
  EXPECT_GT(fold_error(before.input(), before.first, after.input(), after.first), 1e3);
}

TEST(FoldError, CountsNaNAsTheWorst) {
  const Layers before;
  Layers after = before;
  after.first.bias(3) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(fold_error(before.input(), before.first, after.input(), after.first),
            std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace evenkeel
