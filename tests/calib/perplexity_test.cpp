#include "calib/perplexity.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/evaluation_stream.h"
#include "io/errors.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

// exp of the mean over tokens 2 .. L of every window, in double, from whole rows of logits. The
// logits are the same floats; what is left is the float exponential, 2^-22 of each term.
double plain_perplexity(const TinyStream& tiny, const std::vector<Tokens>& windows) {
  double sum = 0.0;
  double count = 0.0;
  for (const Tokens& window : windows) {
    Matrix hidden = tiny.model().embed(window);
    Workspace workspace;
    NoTap tap;
    for (Index number = 0; number < tiny.architecture().blocks; ++number) {
      forward(tiny.architecture(), tiny.block(number), hidden, {}, tap, workspace);
    }
    tiny.model().finish(hidden);
    const Matrix logits = tiny.model().logits(hidden);
    for (std::size_t i = 1; i < window.size(); ++i) {
      const auto row = logits.row(static_cast<Index>(i) - 1).cast<double>();
      sum += std::log(row.array().exp().sum()) - row(window[i]);
      count += 1.0;
    }
  }
  return std::exp(sum / count);
}

TEST(PerplexityTest, IsExpOfTheMeanOverTokens) {
  for (const Index vocabulary : {Index{264}, head_chunk_rows + 5}) {
    support::TinyOpt options;
    options.vocabulary = vocabulary;
    const TinyStream tiny(4, 10, options);
    std::vector<Tokens> windows = tiny.windows();
    windows.back().back() = static_cast<TokenId>(vocabulary - 1);  // in the last chunk
    Progress silent;
    const auto result =
        full_precision_scores(tiny.model(), {{"a", without_types(windows)}}, silent);
    ASSERT_EQ(result.size(), 1U);
    EXPECT_EQ(result[0].label, "a");
    const double expected = plain_perplexity(tiny, windows);
    EXPECT_NEAR(result[0].value, expected, 1e-5 * expected);
    EXPECT_GT(expected, 2.0);
  }
}

TEST(PerplexityTest, TextsDoNotMix) {
  const TinyStream tiny(6, 10);
  const std::vector<Tokens> first(tiny.windows().begin(), tiny.windows().begin() + 2);
  const std::vector<Tokens> second(tiny.windows().begin() + 2, tiny.windows().end());
  Progress silent;
  const auto both = full_precision_scores(
      tiny.model(), {{"first", without_types(first)}, {"second", without_types(second)}}, silent);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].label, "first");
  EXPECT_EQ(both[0].value,
            full_precision_scores(tiny.model(), {{"x", without_types(first)}}, silent)[0].value);
  EXPECT_EQ(both[1].value,
            full_precision_scores(tiny.model(), {{"x", without_types(second)}}, silent)[0].value);
  EXPECT_NE(both[0].value, both[1].value);
}

TEST(PerplexityTest, NoTextsNoWork) {
  const TinyStream tiny;
  class Never final : public Progress {
    void step(std::string_view, int, int, std::string_view) override { ADD_FAILURE(); }
  } progress;
  EXPECT_TRUE(full_precision_scores(tiny.model(), {}, progress).empty());
  EXPECT_TRUE(EvaluationStream(tiny.model(), {}).empty());
}

TEST(PerplexityTest, OverflowIsAnErrorThatNamesTheText) {
  support::TinyOpt options;
  options.change = [](const std::string& name, std::vector<float>& values) {
    if (name == "model.decoder.final_layer_norm.weight") values.assign(values.size(), 3e38F);
  };
  const TinyStream tiny(2, 10, options);
  Progress silent;
  try {
    full_precision_scores(tiny.model(), {{"book.txt", without_types(tiny.windows())}}, silent);
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("book.txt: ")) << error.what();
  }
}

TEST(PerplexityTest, ProgressCountsBlocks) {
  class Steps final : public Progress {
   public:
    void step(std::string_view task, int done, int total, std::string_view) override {
      EXPECT_EQ(task, "evaluate");
      EXPECT_EQ(total, 2);
      EXPECT_EQ(done, static_cast<int>(count++));
    }
    std::size_t count = 0;
  } progress;
  const TinyStream tiny;
  full_precision_scores(tiny.model(), {{"a", without_types(tiny.windows())}}, progress);
  EXPECT_EQ(progress.count, 3U);
}

}  // namespace
}  // namespace evenkeel
