#include "calib/task_score.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "calib/figures_of.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

std::size_t first_largest(const std::vector<double>& values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

std::vector<double> normalized(const std::vector<double>& log_likelihoods,
                               const std::vector<std::size_t>& lengths) {
  std::vector<double> normalized;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    // Over nothing it is minus infinity, as the harness has it, and never chosen.
    normalized.push_back(log_likelihoods[i] / static_cast<double>(lengths[i]));
  }
  return normalized;
}

ExampleResult result_of(const EvaluationText& text, const TaskExample& example,
                        std::span<const WindowScore> windows) {
  ExampleResult result{.line = example.line, .answer = static_cast<double>(example.answer)};
  for (const WindowScore& window : windows) {
    if (std::isnan(window.loss)) {
      throw InputError(fmt::format(
          "{}: line {} has a log-likelihood that is not a number; the model's activations overflow "
          "on it",
          text.label, example.line));
    }
    result.logits.push_back(-window.loss);
  }
  if (text.task->form == TaskForm::last_word) {
    result.prediction = windows.front().greedy ? 1.0 : 0.0;
    result.answer = 1.0;
    return result;
  }
  result.prediction = static_cast<double>(first_largest(result.logits));
  if (text.task->form == TaskForm::choices) {
    result.normalized_prediction = first_largest(normalized(result.logits, example.lengths));
  }
  return result;
}

}  // namespace

TextScore task_score(const EvaluationText& text, std::span<const WindowScore> windows) {
  const TaskExamples& task = *text.task;
  std::vector<double> right;
  std::vector<double> other;
  TextScore score{.label = text.label, .metric = Metric::accuracy, .task = task.kind};
  for (const TaskExample& example : task.examples) {
    ExampleResult result = result_of(text, example, windows.first(example.answers));
    windows = windows.subspan(example.answers);
    right.push_back(result.prediction == result.answer ? 1.0 : 0.0);
    if (task.form == TaskForm::choices) {
      other.push_back(result.normalized_prediction == example.answer ? 1.0 : 0.0);
    } else if (task.form == TaskForm::last_word) {
      other.push_back(-result.logits.front());
    }
    score.results.push_back(std::move(result));
  }
  score.examples = static_cast<std::int64_t>(right.size());
  score.correct = std::ranges::count(right, 1.0);
  Figure accuracy = mean_figure(Metric::accuracy, std::move(right));
  score.value = accuracy.value;
  score.terms = std::move(accuracy.terms);
  if (task.form == TaskForm::choices) {
    score.others.push_back(mean_figure(Metric::normalized_accuracy, std::move(other)));
  } else if (task.form == TaskForm::last_word) {
    score.others.push_back(mean_figure(Metric::perplexity, std::move(other)));
  }
  return score;
}

}  // namespace evenkeel
