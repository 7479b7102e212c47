// The likelihood of the next token against the definition, in double.
#include "model/likelihood.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "support/random_matrix.h"
#include "support/scratch_folder.h"
#include "support/tiny_families.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::random_matrix;

constexpr double epsilon = std::numeric_limits<float>::epsilon();

struct Expected {
  double sum = 0.0;
  double bound = 0.0;
};

// A logit's product is off by at most epsilon * (channels + 1) times its magnitude, the target's
// and, through the log of the sum of exponentials, the others' likewise; the latter is itself off
// by 83 epsilon (ops_test derives it).
Expected slow_likelihood(const Tokens& tokens, const Matrix& x, const Matrix& head) {
  Expected result;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const auto row = x.row(static_cast<Index>(i)).cast<double>();
    std::vector<double> logits;
    double magnitude = 0.0;
    for (Index id = 0; id < head.rows(); ++id) {
      logits.push_back(row.dot(head.row(id).cast<double>()));
      magnitude = std::max(magnitude, row.cwiseAbs().dot(head.row(id).cwiseAbs().cast<double>()));
    }
    const double most = *std::max_element(logits.begin(), logits.end());
    double total = 0.0;
    for (const double logit : logits) total += std::exp(logit - most);
    result.sum += most + std::log(total) - logits[static_cast<std::size_t>(tokens[i + 1])];
    result.bound += epsilon * (83.0 + 2.0 * static_cast<double>(x.cols() + 1) * magnitude);
  }
  return result;
}

Tokens random_tokens(std::size_t length, Index vocabulary) {
  Tokens tokens;
  const Matrix values =
      random_matrix(1, static_cast<Index>(length), 9, 0.0F, static_cast<float>(vocabulary));
  for (std::size_t i = 0; i < length; ++i) {
    tokens.push_back(static_cast<TokenId>(values(0, static_cast<Index>(i))));
  }
  return tokens;
}

// A model whose logits are the products alone.
class PlainModel {
 public:
  const LanguageModel& operator*() const { return model_; }

 private:
  support::ScratchFolder folder_;
  Checkpoint checkpoint_{support::write_tiny_opt(folder_.path())};
  LanguageModel model_{checkpoint_};
};

double likelihood(const Tokens& tokens, const Matrix& x, const Matrix& head,
                  const std::vector<Index>& chunk_starts) {
  const PlainModel model;
  NextTokenLikelihood result(*model, std::span(tokens).subspan(1), x);
  for (const Index first : chunk_starts) {
    Index end = head.rows();
    for (const Index other : chunk_starts) {
      if (other > first) end = std::min(end, other);
    }
    result.add(head.middleRows(first, end - first), first);
  }
  return result.sum();
}

class Likelihood : public testing::TestWithParam<std::size_t> {};

TEST_P(Likelihood, AgreesWithTheDefinitionInAnyOrderOfChunks) {
  const std::size_t length = GetParam();
  constexpr Index vocabulary = 90;
  const Tokens tokens = random_tokens(length, vocabulary);
  const Matrix x = random_matrix(static_cast<Index>(length), 24, 1, -2.0F, 2.0F);
  const Matrix head = random_matrix(vocabulary, 24, 2, -2.0F, 2.0F);
  const Expected expected = slow_likelihood(tokens, x, head);
  for (const std::vector<Index>& starts :
       {std::vector<Index>{0}, {0, 40}, {40, 0}, {60, 1, 0, 89, 30}, {0, 1, 2, 3, 50}}) {
    EXPECT_NEAR(likelihood(tokens, x, head, starts), expected.sum, expected.bound);
  }
  const PlainModel model;
  EXPECT_EQ(NextTokenLikelihood(*model, std::span(tokens).subspan(1), x).count(),
            static_cast<Index>(length) - 1);
}

INSTANTIATE_TEST_SUITE_P(Lengths, Likelihood, testing::Values(2, 3, 128, 129, 130, 257, 300));

TEST(LikelihoodOf, OneTokenIsNothing) {
  const Tokens one{3};
  const Matrix x = random_matrix(1, 4, 3);
  EXPECT_EQ(likelihood(one, x, random_matrix(9, 4, 4), {0}), 0.0);
  const PlainModel model;
  EXPECT_EQ(NextTokenLikelihood(*model, std::span(one).subspan(1), x).count(), 0);
}

TEST(LikelihoodOf, EqualLogitsAreTheLogOfTheVocabulary) {
  const Tokens tokens{0, 5, 8};
  EXPECT_NEAR(likelihood(tokens, Matrix::Zero(3, 4), random_matrix(9, 4, 5), {0, 4}),
              2.0 * std::log(9.0), 2.0 * 83.0 * epsilon);
}

// exp(800) overflows even a double; the log of a probability of one is zero.
TEST(LikelihoodOf, LargeLogitsDoNotOverflow) {
  Matrix head = Matrix::Zero(3, 1);
  head << 800.0F, 0.0F, -800.0F;
  const Tokens tokens{0, 0, 2};
  for (const std::vector<Index>& starts : {std::vector<Index>{0}, {0, 1, 2}, {2, 1, 0}}) {
    EXPECT_NEAR(likelihood(tokens, Matrix::Ones(3, 1), head, starts), 1600.0, 1e-4);
  }
}

// Bias, scale and cap are a part of the logits, in each chunk its own part of the bias.
TEST(LikelihoodOf, LogitsAreFinishedBeforeTheyAreScored) {
  const support::ScratchFolder folder;
  const Checkpoint checkpoint(support::write_tiny_family(folder.path(), support::tiny_gptj()));
  const LanguageModel model(checkpoint);
  const Tokens tokens{3, 49, 0, 17};
  const Matrix x = random_matrix(4, 16, 8);
  const Matrix logits = model.logits(x);
  double expected = 0.0;
  for (Index i = 0; i < 3; ++i) {
    const Eigen::RowVectorXd row = logits.row(i).cast<double>();
    expected += std::log(row.array().exp().sum()) - row(tokens[static_cast<std::size_t>(i) + 1]);
  }
  NextTokenLikelihood result(model, std::span(tokens).subspan(1), x);
  result.add(model.head_rows(30, 20), 30);
  result.add(model.head_rows(0, 30), 0);
  // Of three tokens: the log of the sum's error, and products of at most 16 * 0.5 in another order.
  EXPECT_NEAR(result.sum(), expected, 3.0 * epsilon * (83.0 + 4.0 * 17.0 * 8.0));
}

// One state, whatever the order of the chunks; of equal logits the first is the greedy one.
TEST(LikelihoodOf, GreedyTokensHaveTheLargestLogits) {
  Matrix head(5, 1);
  head << 1.0F, 3.0F, 2.0F, 3.0F, -1.0F;
  const PlainModel model;
  for (const std::vector<Index>& starts :
       {std::vector<Index>{0}, {0, 2}, {2, 0}, {3, 1, 0, 2, 4}}) {
    for (TokenId target = 0; target < 5; ++target) {
      const Tokens targets{1, target, 1};
      const Matrix x = Matrix::Ones(3, 1);
      NextTokenLikelihood result(*model, targets, x, NextTokenLikelihood::Greedy::yes);
      for (std::size_t i = 0; i < starts.size(); ++i) {
        Index end = 5;
        for (const Index other : starts) {
          if (other > starts[i]) end = std::min(end, other);
        }
        result.add(head.middleRows(starts[i], end - starts[i]), starts[i]);
      }
      EXPECT_EQ(result.is_greedy(0, 3), target == 1) << target;
      EXPECT_TRUE(result.is_greedy(2, 1));
      EXPECT_NEAR(result.sum(0, 1) + result.sum(1, 2), result.sum(), 1e-12);
    }
  }
}

TEST(LikelihoodOf, NaNIsNotHidden) {
  Matrix x = random_matrix(4, 3, 6);
  x(1, 1) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(likelihood({0, 1, 2, 3}, x, random_matrix(5, 3, 7), {0, 2})));
}

}  // namespace
}  // namespace evenkeel
