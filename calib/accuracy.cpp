#include "calib/accuracy.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "calib/figures_of.h"
#include "calib/ordered_parallel.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

std::vector<double> logits_of(const LanguageModel& model, Matrix states) {
  model.finish(states);
  const Matrix logits = model.logits(states);
  return {logits.data(), logits.data() + logits.cols()};
}

void check_finite(const std::vector<double>& logits, const EvaluationText& text,
                  std::size_t number) {
  if (std::ranges::all_of(logits, [](double logit) { return std::isfinite(logit); })) return;
  throw InputError(fmt::format(
      "{}: text {} gives logits that are not finite; the model's activations overflow on it",
      text.label, number));
}

std::vector<Figure> figures(const EvaluationText& text, const std::vector<ExampleResult>& results) {
  std::vector<double> values;
  std::vector<Index> classes;
  for (const ExampleResult& result : results) {
    values.push_back(result.prediction);
    classes.push_back(static_cast<Index>(result.prediction));
  }
  if (!text.values.empty()) return value_figures(text.values, values);
  return class_figures(text.classes, classes, static_cast<Index>(results.front().logits.size()));
}

TextScore score_of(const EvaluationText& text, std::span<std::vector<double>> logits) {
  TextScore score{.label = text.label};
  for (std::size_t i = 0; i < logits.size(); ++i) {
    check_finite(logits[i], text, i + 1);
    ExampleResult result;
    result.logits = std::move(logits[i]);
    if (text.values.empty()) {
      result.answer = static_cast<double>(text.classes[i]);
      result.prediction =
          static_cast<double>(std::ranges::max_element(result.logits) - result.logits.begin());
      if (result.prediction == result.answer) ++score.correct;
    } else {
      result.answer = text.values[i];
      result.prediction = result.logits.front();
    }
    score.results.push_back(std::move(result));
  }
  score.examples = static_cast<std::int64_t>(logits.size());
  score.others = figures(text, score.results);
  Figure& main = score.others.front();
  score.metric = main.metric;
  score.value = main.value;
  score.terms = std::move(main.terms);
  score.others.erase(score.others.begin());
  return score;
}

}  // namespace

std::vector<TextScore> accuracy_of(const LanguageModel& model,
                                   const std::vector<EvaluationText>& texts,
                                   const HiddenStream& states) {
  std::vector<std::vector<double>> logits(states.size());
  begin_in_order(states.size(), [&](std::size_t i) { logits[i] = logits_of(model, states.at(i)); });
  model.release_head();
  std::vector<TextScore> scores;
  auto rest = std::span(logits);
  for (const EvaluationText& text : texts) {
    scores.push_back(score_of(text, rest.first(text.windows.size())));
    rest = rest.subspan(text.windows.size());
  }
  return scores;
}

}  // namespace evenkeel
