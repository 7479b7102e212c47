// Figures of a sequence classifier: accuracy, the share of texts whose largest logit is that of
// their label, F1 of two classes and Matthews' correlation; of one that gives a value, Pearson's
// and Spearman's correlation (calib/figures_of.h).
#pragma once

#include <vector>

#include "calib/hidden_stream.h"
#include "calib/text_score.h"
#include "model/language_model.h"

namespace evenkeel {

/// Applies the final norm and the head to states that have passed every block: those of all texts,
/// in order. Of equal logits the first counts, as argmax of numpy and torch has it.
/// REQUIRES: a classifier; as many classes (or values) as windows in each text.
/// Throws: InputError when a logit is not a number.
std::vector<TextScore> accuracy_of(const LanguageModel& model,
                                   const std::vector<EvaluationText>& texts,
                                   const HiddenStream& states);

}  // namespace evenkeel
