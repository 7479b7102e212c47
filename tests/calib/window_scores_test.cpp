#include "calib/window_scores.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

// From whole rows of logits, in double.
WindowScore plain_score(const TinyStream& tiny, std::size_t window, const Tokens& targets,
                        Index first_row) {
  Matrix hidden = tiny.stream().at(window);
  tiny.model().finish(hidden);
  const Matrix logits = tiny.model().logits(hidden);
  WindowScore score{.loss = 0.0, .tokens = static_cast<double>(targets.size()), .greedy = true};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Eigen::RowVectorXd row = logits.row(first_row + static_cast<Index>(i)).cast<double>();
    score.loss += std::log(row.array().exp().sum()) - row(targets[i]);
    Index largest = 0;
    row.maxCoeff(&largest);
    score.greedy = score.greedy && largest == targets[i];
  }
  return score;
}

// A text of two windows, then a task of the others, of `lengths` targets each; the last window's
// are what the model says itself.
std::vector<EvaluationText> texts_of(const TinyStream& tiny,
                                     const std::vector<std::size_t>& lengths) {
  const auto all = without_types(tiny.windows());
  EvaluationText text{.label = "text", .windows = {all[0], all[1]}};
  EvaluationText task{.label = "task", .windows = {all.begin() + 2, all.end()}};
  task.task.emplace();
  for (std::size_t i = 0; i < task.windows.size(); ++i) {
    const Tokens& ids = task.windows[i].ids;
    const std::size_t count = lengths[i % lengths.size()];
    task.task->targets.emplace_back(ids.end() - static_cast<std::ptrdiff_t>(count), ids.end());
  }
  Matrix hidden = tiny.stream().at(all.size() - 1);
  tiny.model().finish(hidden);
  const Matrix logits = tiny.model().logits(hidden);
  Tokens& said = task.task->targets.back();
  for (std::size_t i = 0; i < said.size(); ++i) {
    Index largest = 0;
    logits.row(logits.rows() - static_cast<Index>(said.size() - i)).maxCoeff(&largest);
    said[i] = static_cast<TokenId>(largest);
  }
  return {std::move(text), std::move(task)};
}

// A task's windows fill several groups, and the vocabulary more than one chunk.
TEST(WindowScores, AreThoseOfWholeRowsOfLogits) {
  support::TinyOpt options;
  options.vocabulary = head_chunk_rows + 5;
  const TinyStream tiny(60, 12, options);
  const auto texts = texts_of(tiny, {1, 12, 5, 3});
  const auto scores = window_scores(tiny.model(), texts, tiny.stream());
  ASSERT_EQ(scores.size(), 60U);
  for (std::size_t window = 0; window < scores.size(); ++window) {
    SCOPED_TRACE(window);
    const bool of_text = window < 2;
    const Tokens& ids = tiny.windows()[window];
    const Tokens targets =
        of_text ? Tokens(ids.begin() + 1, ids.end()) : texts[1].task->targets[window - 2];
    const Index first_row = of_text ? 0 : static_cast<Index>(ids.size() - targets.size());
    const WindowScore expected = plain_score(tiny, window, targets, first_row);
    // The float exponential, 2^-22 of each term, and products summed in another order.
    EXPECT_NEAR(scores[window].loss, expected.loss, 1e-5 * expected.loss);
    EXPECT_EQ(scores[window].tokens, expected.tokens);
    EXPECT_EQ(scores[window].greedy, !of_text && expected.greedy);  // not asked of a text
  }
  EXPECT_TRUE(scores.back().greedy);
  EXPECT_FALSE(scores[3].greedy);
}

TEST(WindowScores, OfNothingAreNone) {
  const TinyStream tiny;
  EXPECT_TRUE(window_scores(tiny.model(), {}, tiny.stream()).empty());
}

}  // namespace
}  // namespace evenkeel
