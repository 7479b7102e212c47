// What a language model's head says of the windows of an evaluation.
#pragma once

#include <vector>

#include "calib/hidden_stream.h"
#include "calib/text_score.h"
#include "model/language_model.h"

namespace evenkeel {

/// Of the tokens that a window is scored by: tokens 2 .. L of a text's window, of a task's those
/// of the continuation.
struct WindowScore {
  double loss = 0.0;  // sum of negative log-likelihoods
  double tokens = 0.0;
  bool greedy = false;  // of a task: whether each token has the largest logit, of equal ones the
                        // first
};

/// Applies the final norm and the head, in chunks of the vocabulary and of the windows, to states
/// that have passed every block: those of the windows of all texts, in order. Rows of a task's
/// short windows meet the head together, always the same ones whatever the number of threads.
/// REQUIRES: a language model.
std::vector<WindowScore> window_scores(const LanguageModel& model,
                                       const std::vector<EvaluationText>& texts,
                                       const HiddenStream& states);

}  // namespace evenkeel
