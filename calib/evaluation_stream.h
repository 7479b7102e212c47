// The texts of an evaluation on their way through a model.
#pragma once

#include <vector>

#include "calib/hidden_stream.h"
#include "calib/progress.h"
#include "calib/text_score.h"
#include "model/language_model.h"

namespace evenkeel {

/// The windows of several texts as one stream, so that each block is loaded once for all.
class EvaluationStream {
 public:
  /// Of the states, `memory` holds what it has room for; all when null.
  EvaluationStream(const LanguageModel& model, const std::vector<EvaluationText>& texts,
                   HiddenMemory* memory = nullptr);

  bool empty() const { return stream_.size() == 0; }
  HiddenStream& states() { return stream_; }

  /// Perplexities and task scores of a language model, accuracies of a classifier.
  /// REQUIRES: the states have passed every block; call once; no text where the head has no metric.
  /// Throws: InputError when a figure is not a number.
  std::vector<TextScore> finish();

 private:
  const LanguageModel& model_;
  const std::vector<EvaluationText>& texts_;
  HiddenStream stream_;
};

/// Figures of the model as it is stored: blocks loaded one at a time.
std::vector<TextScore> full_precision_scores(const LanguageModel& model,
                                             const std::vector<EvaluationText>& texts,
                                             Progress& progress, HiddenMemory* memory = nullptr);

}  // namespace evenkeel
