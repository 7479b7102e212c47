// How well a language model answers the questions of a task.
#pragma once

#include <span>

#include "calib/text_score.h"
#include "calib/window_scores.h"

namespace evenkeel {

/// Of questions with several answers: accuracy, the share of those whose likeliest answer is the
/// right one, and of choices normalized accuracy, for which each log-likelihood is divided by the
/// choice's number of characters (lm-evaluation-harness: acc, acc_norm); of equal answers the
/// first counts. Of last words: accuracy, the share of those whose tokens are all the greedy ones,
/// and perplexity, exp of the mean negative log-likelihood of a word.
/// REQUIRES: text.task; as many windows as it has targets.
/// Throws: InputError when a log-likelihood is not a number.
TextScore task_score(const EvaluationText& text, std::span<const WindowScore> windows);

}  // namespace evenkeel
