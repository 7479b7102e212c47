// Perplexity of a text: exp of the mean negative log-likelihood of tokens 2 .. L of each window.
#pragma once

#include <vector>

#include "calib/hidden_stream.h"
#include "calib/text_score.h"
#include "model/language_model.h"

namespace evenkeel {

/// Applies the final norm and the head, in chunks of the vocabulary and of the windows, to states
/// that have passed every block: those of the windows of all texts, in order.
/// REQUIRES: a language model. Throws: InputError when a perplexity is not a number.
std::vector<TextScore> perplexity_of(const LanguageModel& model,
                                     const std::vector<EvaluationText>& texts,
                                     const HiddenStream& states);

}  // namespace evenkeel
