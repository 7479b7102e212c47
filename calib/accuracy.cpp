#include "calib/accuracy.h"

#include <fmt/format.h>

#include "calib/ordered_parallel.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr Index not_a_number = -1;

Index predicted_class(const LanguageModel& model, Matrix states) {
  model.finish(states);
  const Matrix logits = model.logits(states);
  if (!logits.allFinite()) return not_a_number;
  Index best = 0;
  for (Index label = 1; label < logits.cols(); ++label) {
    if (logits(0, label) > logits(0, best)) best = label;
  }
  return best;
}

}  // namespace

std::vector<TextScore> accuracy_of(const LanguageModel& model,
                                   const std::vector<EvaluationText>& texts,
                                   const HiddenStream& states) {
  std::vector<Index> predictions(states.size());
  begin_in_order(states.size(),
                 [&](std::size_t i) { predictions[i] = predicted_class(model, states.at(i)); });
  model.release_head();
  std::vector<TextScore> scores;
  std::size_t next = 0;
  for (const EvaluationText& text : texts) {
    TextScore score{.label = text.label,
                    .examples = static_cast<std::int64_t>(text.classes.size()),
                    .metric = Metric::accuracy};
    for (std::size_t i = 0; i < text.classes.size(); ++i, ++next) {
      if (predictions[next] == not_a_number) {
        throw InputError(fmt::format(
            "{}: text {} gives logits that are not finite; the model's activations overflow on it",
            text.label, i + 1));
      }
      const bool correct = predictions[next] == text.classes[i];
      score.terms.push_back(correct ? 1.0 : 0.0);
      if (correct) ++score.correct;
    }
    score.value = static_cast<double>(score.correct) / static_cast<double>(score.examples);
    scores.push_back(std::move(score));
  }
  return scores;
}

}  // namespace evenkeel
