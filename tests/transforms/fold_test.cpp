#include "transforms/fold.h"

#include <algorithm>
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

// A block of every role, square, whose sites share no parameter but those they should.
struct Everything {
  Architecture architecture;
  Block block;

  Everything() {
    architecture.channels = architecture.ffn_channels = channels;
    architecture.blocks = 1;
    architecture.heads = architecture.key_value_heads = 4;
    architecture.head_channels = channels / 4;
    std::uint32_t seed = 20;
    for (const NormRole role : {NormRole::attention_input, NormRole::mlp_input}) {
      architecture.norms[index_of(role)].name = "norm";
      block.norm(role) = {random_vector(channels, ++seed), random_vector(channels, ++seed)};
    }
    for (const LinearRole role : all_linears) {
      if (role == LinearRole::router) continue;
      architecture.linears[index_of(role)] = {"linear", channels, channels, true};
      block.linears[index_of(role)] = {
          {random_matrix(channels, channels, ++seed), random_vector(channels, ++seed)}};
    }
  }
};

TEST(Fold, OfASiteChangesItsProducerAndItsReadersAlone) {
  const Everything before;
  const std::vector<Site> sites = all_sites(before.architecture);
  ASSERT_EQ(sites.size(), 4U);
  for (const Site& site : sites) {
    SCOPED_TRACE(site.name);
    Block after = before.block;
    ChannelTransform transform = random_transform();
    if (!site.can_shift()) transform.shift.setZero();
    fold(transform, before.architecture, site, after);
    for (const NormRole role : before.architecture.norm_roles()) {
      const bool same = role != site.norm;
      EXPECT_EQ(after.norm(role).gain == before.block.norm(role).gain, same);
      EXPECT_EQ(after.norm(role).bias == before.block.norm(role).bias, same);
      EXPECT_EQ(after.norm(role).residual_scale.size(), 0);
    }
    for (const LinearPlace place : before.architecture.linear_places()) {
      const bool reads =
          std::find(site.readers.begin(), site.readers.end(), place) != site.readers.end();
      const bool same = !reads && site.linear != place;
      EXPECT_EQ(after.linear(place).weight == before.block.linear(place).weight, same);
      const bool same_bias = same || (reads && !site.can_shift());
      EXPECT_EQ(after.linear(place).bias == before.block.linear(place).bias, same_bias);
    }
  }
}

// The residual takes x' * residual_scale + residual_shift, which is x again, fold after fold.
TEST(Fold, IsUndoneInTheResidualOfAPostLayerNormBlock) {
  Everything all;
  all.architecture.residual_after_norm = true;
  all.architecture.first_norm = "first";
  const Site site = all_sites(all.architecture).front();
  ASSERT_TRUE(site.residual);
  const Matrix normalized = random_matrix(tokens, channels, 1, -2.0F, 2.0F);
  const auto given = [&](const Norm& norm) -> Matrix {
    return (normalized.array().rowwise() * norm.gain.array()).rowwise() + norm.bias.array();
  };
  const Matrix before = given(all.block.norm(*site.norm));
  for (int i = 0; i < 2; ++i) {
    fold(
        {random_vector(channels, 50 + i, -2.0F, 2.0F), random_vector(channels, 60 + i, 0.5F, 2.0F)},
        all.architecture, site, all.block);
    const Norm& norm = all.block.norm(*site.norm);
    const Matrix undone = (given(norm).array().rowwise() * norm.residual_scale.array()).rowwise() +
                          norm.residual_shift.array();
    // Values below 8 through some ten roundings, each magnified by at most 4.
    EXPECT_LE((undone - before).cwiseAbs().maxCoeff(),
              10.0F * 4.0F * 8.0F * std::numeric_limits<float>::epsilon());
  }
}

// Gemma's norm multiplies by one more than its weight.
TEST(Fold, IntoANormOfOnePlusWeightDividesThatSum) {
  Norm norm{Vector{{1.0F, -0.5F}}, {}};
  Linear linear{Matrix{{1.0F, 2.0F}}, {}};
  Linear* const readers[] = {&linear};
  fold({Vector::Zero(2), Vector{{4.0F, 0.25F}}}, norm, readers, NormKind::rms_plus_one);
  EXPECT_EQ(norm.gain, (Vector{{-0.5F, 1.0F}}));  // 2 / 4 - 1; 0.5 / 0.25 - 1
  EXPECT_EQ(linear.weight, (Matrix{{4.0F, 0.5F}}));
}

// With grouped queries a value channel is read once by each query head of its group.
TEST(Fold, OfValuesReachesEveryQueryHeadOfTheGroup) {
  Everything all;
  all.architecture.key_value_heads = 2;  // of 4 heads
  const Index values = channels / 2;
  all.architecture.linears[index_of(LinearRole::value)].rows = values;
  Linear& value = all.block.linear(LinearRole::value);
  value = {random_matrix(values, channels, 70), random_vector(values, 71)};
  const auto site = all_sites(all.architecture)[1];
  ASSERT_EQ(site.kind, SiteKind::output);
  const Linear value_before = value;
  const Linear output_before = all.block.linear(LinearRole::output);
  const ChannelTransform transform{random_vector(values, 72),
                                   random_vector(values, 73, 0.5F, 2.0F)};
  fold(transform, all.architecture, site, all.block);
  const Matrix x = random_matrix(tokens, channels, 74);
  const Index width = channels / 4;
  // Each query head passes its group's value on, whole.
  const auto context = [&](const Linear& linear) {
    const Matrix given = (x * linear.weight.transpose()).rowwise() + linear.bias;
    Matrix out(tokens, channels);
    for (Index head = 0; head < 4; ++head) {
      out.middleCols(head * width, width) = given.middleCols(head / 2 * width, width);
    }
    return out;
  };
  EXPECT_LE(fold_error(context(value_before), output_before, context(value),
                       all.block.linear(LinearRole::output)),
            1.0);
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
