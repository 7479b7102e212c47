#include "transforms/site_scorer.h"

#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "quantizers/weight_quantizer.h"
#include "support/random_matrix.h"
#include "support/scored_sites.h"
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

std::vector<Matrix> random_inputs(const std::vector<Index>& lengths) {
  std::vector<Matrix> inputs;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    inputs.push_back(random_matrix(lengths[i], channels, static_cast<std::uint32_t>(i + 1)));
  }
  return inputs;
}

// What a site's output is by definition, in double, of products with the readers' weights.
using Definition = std::function<Doubles(const Doubles& products, std::size_t sample)>;

struct DefinedSite {
  ScoredSite site;
  // One for each output, with the columns of the products that are its own.
  std::vector<Definition> outputs;
};

DefinedSite linear_case(const std::vector<Index>& lengths) {
  return {linear_site(random_inputs(lengths), {random_matrix(24, channels, 5), {}}),
          {[](const Doubles& products, std::size_t) { return products; }}};
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

DefinedSite attention_case(const std::vector<Index>& lengths, bool causal,
                           std::vector<TokenMask> masks = {}) {
  const AttentionOptions options{.heads = 2, .causal = causal};
  return {support::attention_site(random_inputs(lengths), random_matrix(3 * channels, channels, 6),
                                  support::random_vector(3 * channels, 7), options, masks),
          {[options, masks](const Doubles& products, std::size_t sample) {
            return slow_attention(products, masks.empty() ? TokenMask{} : masks[sample], options);
          }}};
}

double silu(double x) { return x / (1.0 + std::exp(-x)); }

Doubles slow_gated(const Doubles& products) {
  const Index rows = products.cols() / 2;
  return products.leftCols(rows).unaryExpr(&silu).cwiseProduct(products.rightCols(rows));
}

DefinedSite gated_case(const std::vector<Index>& lengths) {
  DefinedSite gated = linear_case(lengths);
  gated.site.bias = support::random_vector(24, 8);
  gated.site.tensor_rows = {12, 12};
  gated.site.outputs = {gated_output(12, Activation::silu)};
  gated.outputs = {[](const Doubles& products, std::size_t) { return slow_gated(products); }};
  return gated;
}

// One norm that attention and a gated MLP read.
DefinedSite shared_case(const std::vector<Index>& lengths) {
  DefinedSite both = attention_case(lengths, true);
  const DefinedSite gated = gated_case(lengths);
  const Index rows = both.site.weight.rows();
  both.site.weight.conservativeResize(rows + 24, Eigen::NoChange);
  both.site.weight.bottomRows(24) = gated.site.weight;
  both.site.bias.conservativeResize(rows + 24);
  both.site.bias.tail(24) = gated.site.bias;
  both.site.tensor_rows.insert(both.site.tensor_rows.end(), {12, 12});
  both.site.outputs.push_back(gated.site.outputs.front());
  both.outputs.push_back(gated.outputs.front());
  return both;
}

// Three experts of four channels; each token goes to two of them.
DefinedSite mixture_case(const std::vector<Index>& lengths) {
  DefinedSite mixture = gated_case(lengths);
  mixture.site.tensor_rows = std::vector<Index>(6, 4);
  std::vector<std::vector<Routing>> routing;
  for (const Index length : lengths) {
    routing.push_back(route(random_matrix(length, 3, static_cast<std::uint32_t>(length)), 2));
  }
  mixture.site.outputs = {mixture_output(4, Activation::silu, routing, 2)};
  mixture.outputs = {[routing](const Doubles& products, std::size_t sample) {
    Doubles out = Doubles::Zero(products.rows(), 12);
    for (Index e = 0; e < 3; ++e) {
      const Routing& sent = routing[sample][static_cast<std::size_t>(e)];
      for (std::size_t i = 0; i < sent.tokens.size(); ++i) {
        const auto row = products.row(sent.tokens[i]);
        out.row(sent.tokens[i]).segment(4 * e, 4) =
            static_cast<double>(sent.weights[i]) *
            row.segment(4 * e, 4).unaryExpr(&silu).cwiseProduct(row.segment(12 + 4 * e, 4));
      }
    }
    return out;
  }};
  return mixture;
}

// The loss as its definition says, with the same fake-quantized floats.
double slow_loss(const DefinedSite& defined, const Candidate& candidate) {
  const ScoredSite& site = defined.site;
  Matrix weight = site.weight.array().rowwise() * candidate.scale.array();
  Index first = 0;
  for (const Index rows : site.tensor_rows) {
    fake_quantize_weight(weight.middleRows(first, rows), weights);
    first += rows;
  }
  double total = 0.0;
  first = 0;
  for (std::size_t number = 0; number < site.outputs.size(); ++number) {
    const Index rows = site.outputs[number]->weight_rows();
    double sum = 0.0;
    double tokens = 0.0;
    double energy = 0.0;
    for (std::size_t i = 0; i < site.inputs.size(); ++i) {
      Matrix input = site.inputs[i].array().rowwise() / candidate.scale.array();
      candidate.input.apply(input);
      const auto output = [&](const Matrix& x, const Matrix& w) -> Doubles {
        Doubles products = x.cast<double>() * w.middleRows(first, rows).cast<double>().transpose();
        products.rowwise() += site.bias.segment(first, rows).cast<double>();
        return defined.outputs[number](products, i);
      };
      const Doubles expected = output(site.inputs[i], site.weight);
      const Doubles difference = output(input, weight) - expected;
      for (Index row = 0; row < difference.rows(); ++row) {
        if (!site.masks.empty() && !site.masks[i].empty() &&
            site.masks[i][static_cast<std::size_t>(row)] == 0) {
          continue;
        }
        sum += difference.row(row).squaredNorm();
        energy += expected.row(row).squaredNorm();
        tokens += 1.0;
      }
    }
    total += sum / (site.outputs.size() > 1 ? energy : tokens);
    first += rows;
  }
  return total;
}

// Differences are of the outputs' size (4 bits), so that a float's error of each output, some
// channels x epsilon of its size, stays that of the loss, doubled by the square.
void expect_slow_loss(const DefinedSite& defined) {
  const Candidate candidate = some_candidate();
  const double expected = slow_loss(defined, candidate);
  ASSERT_GT(expected, 0.0);
  EXPECT_NEAR(*SiteScorer(defined.site, weights).loss(candidate), expected, 1e-4 * expected);
}

TEST(SiteScorer, LinearLossIsItsDefinition) { expect_slow_loss(linear_case({150, 1, 128})); }

TEST(SiteScorer, AttentionLossIsItsDefinition) {
  expect_slow_loss(attention_case({150, 7}, true));
  expect_slow_loss(attention_case({150, 7}, false));
}

TEST(SiteScorer, GatedLossIsItsDefinition) { expect_slow_loss(gated_case({150, 1, 128})); }

TEST(SiteScorer, MixtureLossIsItsDefinition) { expect_slow_loss(mixture_case({150, 1, 128})); }

TEST(SiteScorer, OfANormReadTwiceTheRelativeLossesSum) { expect_slow_loss(shared_case({150, 7})); }

// Through the linear behind it.
TEST(SiteScorer, ProjectedLossIsItsDefinition) {
  DefinedSite projected = linear_case({150, 1});
  const Matrix behind = random_matrix(10, 24, 15);
  projected.site.outputs = {projected_output(linear_output(24), behind)};
  projected.outputs = {[behind](const Doubles& products, std::size_t) -> Doubles {
    return products * behind.cast<double>().transpose();
  }};
  expect_slow_loss(projected);
}

// Per tensor it matters which weights share a range.
TEST(SiteScorer, EachStoredTensorIsQuantizedForItself) {
  DefinedSite apart = attention_case({20}, true);
  apart.site.weight.middleRows(channels, channels) *= 30.0F;
  DefinedSite fused = apart;
  fused.site.tensor_rows = {3 * channels};
  const TensorScheme per_tensor{.bits = 6, .granularity = Granularity::per_tensor};
  const auto loss = [&](const DefinedSite& defined) {
    return *SiteScorer(defined.site, per_tensor).loss(some_candidate());
  };
  EXPECT_GT(loss(fused), 1.2 * loss(apart));
}

TEST(SiteScorer, PaddingIsNeitherSeenNorScored) {
  std::vector<TokenMask> masks{TokenMask(12, 1), TokenMask(9, 1)};
  for (std::size_t i = 7; i < 9; ++i) masks[1][i] = 0;
  const DefinedSite defined = attention_case({12, 9}, true, masks);
  expect_slow_loss(defined);
  // Padding on the right changes nothing that real tokens are.
  DefinedSite shorter = attention_case({12, 9}, true);
  shorter.site.inputs[1] = shorter.site.inputs[1].topRows(7).eval();
  EXPECT_DOUBLE_EQ(*SiteScorer(defined.site, weights).loss(some_candidate()),
                   *SiteScorer(shorter.site, weights).loss(some_candidate()));
}

TEST(SiteScorer, PaddingOnTheLeftIsNeitherSeenNorScored) {
  std::vector<TokenMask> masks{TokenMask(140, 1), {}};
  for (std::size_t i = 0; i < 131; ++i) masks[0][i] = 0;
  expect_slow_loss(attention_case({140, 9}, true, masks));
  DefinedSite linear = linear_case({140, 9});
  linear.site.masks = masks;
  expect_slow_loss(linear);
}

TEST(SiteScorer, EveryGranularityOfActivationsIsScored) {
  for (const DefinedSite& defined : {linear_case({150, 3}), attention_case({150, 3}, true)}) {
    for (const Granularity granularity : {Granularity::per_token, Granularity::per_group}) {
      const TensorScheme scheme{.bits = 4, .granularity = granularity, .group_size = 5};
      const Candidate candidate{some_candidate().scale, ActivationQuantizer(scheme)};
      const double expected = slow_loss(defined, candidate);
      EXPECT_NEAR(*SiteScorer(defined.site, weights).loss(candidate), expected, 1e-4 * expected);
    }
    const Candidate candidate{
        some_candidate().scale,
        ActivationQuantizer({.bits = 4, .granularity = Granularity::per_channel},
                            std::vector<Range>(channels, {-1.0F, 1.5F}))};
    const double expected = slow_loss(defined, candidate);
    EXPECT_NEAR(*SiteScorer(defined.site, weights).loss(candidate), expected, 1e-4 * expected);
  }
}

// A sum of float differences that a float could not hold.
TEST(SiteScorer, SumsInDouble) {
  const ScoredSite site =
      linear_site({Matrix::Constant(3, 1, 1e19F)}, {Matrix::Constant(40, 1, 4.0F), {}});
  const Candidate nothing{Vector::Ones(1), ActivationQuantizer(activations, {Range{0.0F, 0.0F}})};
  EXPECT_NEAR(*SiteScorer(site, weights).loss(nothing), 40.0 * 1.6e39, 1e34);
}

TEST(SiteScorer, LinearLossDoesNotReadTheBias) {
  ScoredSite site = linear_case({20}).site;
  const double without = *SiteScorer(site, weights).loss(some_candidate());
  site.bias = support::random_vector(24, 9, -5.0F, 5.0F);
  EXPECT_EQ(*SiteScorer(site, weights).loss(some_candidate()), without);
}

TEST(SiteScorer, DropsACandidateOnlyWhenItCannotWin) {
  for (const DefinedSite& defined :
       {attention_case({300}, true), linear_case({300, 20}), shared_case({300, 20})}) {
    const SiteScorer scorer(defined.site, weights);
    const Candidate candidate = some_candidate();
    const double loss = *scorer.loss(candidate);
    EXPECT_EQ(scorer.loss(candidate, loss), loss);
    EXPECT_EQ(scorer.loss(candidate, loss, true), std::nullopt);
    EXPECT_EQ(scorer.loss(candidate, 0.999 * loss), std::nullopt);
    EXPECT_EQ(scorer.loss(candidate, 0.0), std::nullopt);
    EXPECT_EQ(scorer.loss(candidate, 1.001 * loss, true), loss);
  }
}

// The shift goes into the biases, so that outputs that read them stay what they were; products
// alone move.
TEST(SiteScorer, ShiftKeepsWhatTheOutputsAre) {
  const Vector shift = support::random_vector(channels, 12, -2.0F, 2.0F);
  for (DefinedSite defined : {linear_case({30}), attention_case({30}, true), gated_case({30}),
                              mixture_case({30}), shared_case({30})}) {
    SiteScorer moved(defined.site, weights);
    moved.shift_by(shift);
    // By hand; the loss of the moved site against the outputs of the one before.
    DefinedSite expected = defined;
    expected.site.inputs[0].rowwise() -= shift;
    expected.site.bias += shift * defined.site.weight.transpose();
    const double loss = slow_loss(expected, some_candidate());
    EXPECT_NEAR(*moved.loss(some_candidate()), loss, 1e-4 * loss);
  }
}

// Where an output is known it is not computed, by whatever reads it; those left empty, or behind
// the last, are.
TEST(SiteScorer, TakesKnownOutputsForTheFullPrecisionOnes) {
  const DefinedSite defined = shared_case({40, 7});
  const double loss = *SiteScorer(defined.site, weights).loss(some_candidate());
  std::vector<Matrix> attention;
  for (const Matrix& input : defined.site.inputs) {
    const Doubles products =
        (input.cast<double>() * defined.site.weight.cast<double>().transpose()).rowwise() +
        defined.site.bias.cast<double>();
    attention.push_back(defined.outputs[0](products.leftCols(3 * channels), 0).cast<float>());
  }
  ScoredSite site = defined.site;
  site.known_outputs = {attention};
  EXPECT_NEAR(*SiteScorer(site, weights).loss(some_candidate()), loss, 1e-4 * loss);
  site.known_outputs = {attention, {}};
  EXPECT_NEAR(*SiteScorer(site, weights).loss(some_candidate()), loss, 1e-4 * loss);
  for (Matrix& output : attention) output *= 3.0F;
  site.known_outputs = {attention};
  EXPECT_GT(*SiteScorer(site, weights).loss(some_candidate()), 1.1 * loss);
}

// Both kinds of arithmetic compute outputs of the same quantized values, so that of each they
// differ by the rounding of its sums: some 2 channels x epsilon of the output's size for each. A
// loss is a sum of squared differences, which moves by twice that over their size relative to the
// outputs': some quarter at 4 bits and, where nothing is cut off, over a hundredth at 8.
TEST(SiteScorer, FloatsAndCodesGiveTheSameLoss) {
  const std::vector<Index> lengths{150, 1, 128};
  for (const DefinedSite& defined :
       {linear_case(lengths), attention_case(lengths, true), attention_case(lengths, false),
        gated_case(lengths), mixture_case(lengths), shared_case(lengths)}) {
    for (const auto& [bits, size] : {std::pair(4, 0.25), std::pair(8, 0.01)}) {
      for (const Granularity granularity : {Granularity::per_tensor, Granularity::per_channel}) {
        const TensorScheme scheme{.bits = bits, .granularity = granularity};
        const Candidate candidate{
            some_candidate().scale,
            ActivationQuantizer(TensorScheme{.bits = bits}, {Range{-2.0F, 2.0F}})};
        if (!has_integer_products(scheme, candidate.input.scheme(), channels)) {
          GTEST_SKIP() << "u8 x s8 saturates on this machine";
        }
        const auto loss = [&](Arithmetic arithmetic) {
          return *SiteScorer(defined.site, scheme, arithmetic).loss(candidate);
        };
        const double floating = loss(Arithmetic::floating);
        ASSERT_GT(floating, 0.0);
        const double rounding = 4.0 * channels * std::numeric_limits<float>::epsilon();
        EXPECT_NEAR(loss(Arithmetic::fastest), floating, 2.0 * rounding / size * floating)
            << bits << " bits";
      }
    }
  }
}

// Runs of a share are shorter than those of the whole, and their floats rounded otherwise: as far
// apart as in expect_slow_loss. One token more or less is a hundredth.
TEST(SiteScorer, LossesOfSharesSumToTheLoss) {
  for (const std::vector<Index>& lengths :
       {std::vector<Index>{100}, {100, 1, 40}, std::vector<Index>(8, 12)}) {
    std::vector<TokenMask> masks;
    for (const Index length : lengths) masks.emplace_back(static_cast<std::size_t>(length), 1);
    masks[0][3] = 0;
    for (const DefinedSite& defined :
         {linear_case(lengths), attention_case(lengths, true, masks), gated_case(lengths),
          mixture_case(lengths), shared_case(lengths)}) {
      const SiteScorer scorer(defined.site, weights);
      ASSERT_TRUE(scorer.has_shares());
      const double loss = *scorer.loss(some_candidate());
      double sum = 0.0;
      SiteScorer::Parts all = scorer.nothing_known();
      for (const Share share : all_shares) {
        SiteScorer::Parts part = scorer.nothing_known();
        ASSERT_TRUE(scorer.add(some_candidate(), {&share, 1}, part));
        EXPECT_GT(part.sum(), 0.0);
        EXPECT_LT(part.sum(), 0.9 * loss);
        sum += part.sum();
        ASSERT_TRUE(scorer.add(some_candidate(), {&share, 1}, all));
      }
      EXPECT_NEAR(sum, loss, 1e-4 * loss);
      // Of whole samples it is the loss itself.
      if (scorer.shares_are_samples()) {
        EXPECT_EQ(all.sum(), loss);
      }
      EXPECT_NEAR(all.sum(), sum, 1e-12 * loss);
    }
  }
}

TEST(SiteScorer, HasSharesWhereEachHasATokenThatIsScored) {
  EXPECT_FALSE(SiteScorer(linear_case({16}).site, weights).has_shares());
  EXPECT_TRUE(SiteScorer(linear_case({96}).site, weights).has_shares());
  DefinedSite padded = linear_case({96});
  padded.site.masks = {TokenMask(96, 1)};
  for (std::size_t i = 80; i < 96; ++i) padded.site.masks[0][i] = 0;  // the first share's only run
  EXPECT_FALSE(SiteScorer(padded.site, weights).has_shares());
}

}  // namespace
}  // namespace evenkeel
