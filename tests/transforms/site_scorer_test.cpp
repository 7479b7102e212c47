#include "transforms/site_scorer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "quantizers/weight_quantizer.h"
#include "support/random_matrix.h"
#include "support/within.h"

namespace evenkeel {
namespace {

using support::Doubles;
using support::random_matrix;

constexpr Index channels = 16;

const TensorScheme weights{.bits = 4, .granularity = Granularity::per_channel};
const TensorScheme activations{.bits = 4};

Candidate some_candidate() {
  return {support::random_vector(channels, 11, 0.5F, 3.0F),
          ActivationQuantizer(activations, {Range{-1.5F, 1.25F}})};
}

ScoredSite linear_site(std::vector<Index> lengths) {
  ScoredSite site;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    site.inputs.push_back(random_matrix(lengths[i], channels, static_cast<std::uint32_t>(i + 1)));
  }
  site.weight = random_matrix(24, channels, 5);
  return site;
}

ScoredSite attention_site(std::vector<Index> lengths, bool causal) {
  ScoredSite site = linear_site(std::move(lengths));
  site.weight = random_matrix(3 * channels, channels, 6);
  site.bias = support::random_vector(3 * channels, 7);
  site.objective = Objective::attention;
  site.attention = {.heads = 2, .causal = causal};
  return site;
}

// Attention in double, one query and one head at a time.
Doubles slow_attention(const Doubles& products, const TokenMask& mask,
                       const AttentionOptions& options) {
  const Index width = channels / options.heads;
  Doubles out = Doubles::Zero(products.rows(), channels);
  for (Index head = 0; head < options.heads; ++head) {
    const Index at = head * width;
    for (Index query = 0; query < products.rows(); ++query) {
      double sum = 0.0;
      for (Index key = 0; key < products.rows(); ++key) {
        if (options.causal && key > query) continue;
        if (!mask.empty() && mask[static_cast<std::size_t>(key)] == 0) continue;
        const double score = products.row(query).segment(at, width).dot(
                                 products.row(key).segment(channels + at, width)) /
                             std::sqrt(static_cast<double>(width));
        sum += std::exp(score);
        out.row(query).segment(at, width) +=
            std::exp(score) * products.row(key).segment(2 * channels + at, width);
      }
      out.row(query).segment(at, width) /= sum;
    }
  }
  return out;
}

// The loss as its definition says, with the same fake-quantized floats.
double slow_loss(const ScoredSite& site, const Candidate& candidate) {
  Matrix weight = site.weight.array().rowwise() * candidate.scale.array();
  fake_quantize_weight(weight, weights);
  double sum = 0.0;
  double tokens = 0.0;
  for (std::size_t i = 0; i < site.inputs.size(); ++i) {
    Matrix input = site.inputs[i].array().rowwise() / candidate.scale.array();
    candidate.input.apply(input);
    const TokenMask mask = site.masks.empty() ? TokenMask{} : site.masks[i];
    const auto output = [&](const Matrix& x, const Matrix& w) -> Doubles {
      Doubles products = x.cast<double>() * w.cast<double>().transpose();
      if (site.objective == Objective::linear) return products;
      products.rowwise() += site.bias.cast<double>();
      return slow_attention(products, mask, site.attention);
    };
    const Doubles difference = output(input, weight) - output(site.inputs[i], site.weight);
    for (Index row = 0; row < difference.rows(); ++row) {
      if (!mask.empty() && mask[static_cast<std::size_t>(row)] == 0) continue;
      sum += difference.row(row).squaredNorm();
      tokens += 1.0;
    }
  }
  return sum / tokens;
}

// Differences are of the outputs' size (4 bits), so that a float's error of each output, some
// channels x epsilon of its size, stays that of the loss, doubled by the square.
void expect_slow_loss(const ScoredSite& site) {
  const Candidate candidate = some_candidate();
  const double expected = slow_loss(site, candidate);
  ASSERT_GT(expected, 0.0);
  EXPECT_NEAR(*SiteScorer(site, weights).loss(candidate), expected, 1e-4 * expected);
}

TEST(SiteScorer, LinearLossIsItsDefinition) { expect_slow_loss(linear_site({150, 1, 128})); }

TEST(SiteScorer, AttentionLossIsItsDefinition) {
  expect_slow_loss(attention_site({150, 7}, true));
  expect_slow_loss(attention_site({150, 7}, false));
}

TEST(SiteScorer, PaddingIsNeitherSeenNorScored) {
  ScoredSite site = attention_site({12, 9}, true);
  site.masks = {TokenMask(12, 1), TokenMask(9, 1)};
  for (std::size_t i = 7; i < 9; ++i) site.masks[1][i] = 0;
  expect_slow_loss(site);
  // Padding on the right changes nothing that real tokens are.
  ScoredSite shorter = attention_site({12, 9}, true);
  shorter.inputs[1] = shorter.inputs[1].topRows(7).eval();
  EXPECT_DOUBLE_EQ(*SiteScorer(site, weights).loss(some_candidate()),
                   *SiteScorer(shorter, weights).loss(some_candidate()));
}

TEST(SiteScorer, PaddingOnTheLeftIsNeitherSeenNorScored) {
  for (ScoredSite site : {attention_site({140, 9}, true), linear_site({140, 9})}) {
    site.masks = {TokenMask(140, 1), {}};
    for (std::size_t i = 0; i < 131; ++i) site.masks[0][i] = 0;
    expect_slow_loss(site);
  }
}

TEST(SiteScorer, EveryGranularityOfActivationsIsScored) {
  for (const ScoredSite& site : {linear_site({150, 3}), attention_site({150, 3}, true)}) {
    for (const Granularity granularity : {Granularity::per_token, Granularity::per_group}) {
      const TensorScheme scheme{.bits = 4, .granularity = granularity, .group_size = 5};
      const Candidate candidate{some_candidate().scale, ActivationQuantizer(scheme)};
      const double expected = slow_loss(site, candidate);
      EXPECT_NEAR(*SiteScorer(site, weights).loss(candidate), expected, 1e-4 * expected);
    }
    const Candidate candidate{
        some_candidate().scale,
        ActivationQuantizer({.bits = 4, .granularity = Granularity::per_channel},
                            std::vector<Range>(channels, {-1.0F, 1.5F}))};
    const double expected = slow_loss(site, candidate);
    EXPECT_NEAR(*SiteScorer(site, weights).loss(candidate), expected, 1e-4 * expected);
  }
}

// A sum of float differences that a float could not hold.
TEST(SiteScorer, SumsInDouble) {
  ScoredSite site;
  site.inputs = {Matrix::Constant(3, 1, 1e19F)};
  site.weight = Matrix::Constant(40, 1, 4.0F);
  const Candidate nothing{Vector::Ones(1), ActivationQuantizer(activations, {Range{0.0F, 0.0F}})};
  EXPECT_NEAR(*SiteScorer(site, weights).loss(nothing), 40.0 * 1.6e39, 1e34);
}

TEST(SiteScorer, LinearLossDoesNotReadTheBias) {
  ScoredSite site = linear_site({20});
  const double without = *SiteScorer(site, weights).loss(some_candidate());
  site.bias = support::random_vector(24, 9, -5.0F, 5.0F);
  EXPECT_EQ(*SiteScorer(site, weights).loss(some_candidate()), without);
}

TEST(SiteScorer, DropsACandidateOnlyWhenItCannotWin) {
  for (const ScoredSite& site : {attention_site({300}, true), linear_site({300, 20})}) {
    const SiteScorer scorer(site, weights);
    const Candidate candidate = some_candidate();
    const double loss = *scorer.loss(candidate);
    EXPECT_EQ(scorer.loss(candidate, loss), loss);
    EXPECT_EQ(scorer.loss(candidate, loss, true), std::nullopt);
    EXPECT_EQ(scorer.loss(candidate, 0.999 * loss), std::nullopt);
    EXPECT_EQ(scorer.loss(candidate, 0.0), std::nullopt);
    EXPECT_EQ(scorer.loss(candidate, 1.001 * loss, true), loss);
  }
}

}  // namespace
}  // namespace evenkeel
