// Perplexity of a text: exp of the mean negative log-likelihood of tokens 2 .. L of each window.
#pragma once

#include <span>

#include "calib/text_score.h"
#include "calib/window_scores.h"

namespace evenkeel {

/// Of a text, given what the head says of its windows.
/// Throws: InputError when the perplexity is not a number.
TextScore perplexity_of(const EvaluationText& text, std::span<const WindowScore> windows);

}  // namespace evenkeel
