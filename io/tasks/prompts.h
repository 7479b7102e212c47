// The prompts of tasks, as lm-evaluation-harness 0.4 makes them (lm_eval/tasks/*); what a file's
// reader and that of another type of file for the same task share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/tasks/task_question.h"

namespace evenkeel {

/// ARC and PIQA: "Question: ...\nAnswer:".
std::string question_prompt(std::string_view question);

/// HellaSwag's `preprocess`: without white space around, " [title]" as ". ", other brackets and
/// what is in them left out, double blanks single.
std::string hellaswag_text(std::string_view text);

/// COPA: the premise without its last character (a full stop), and because or therefore.
/// REQUIRES: `question` is "cause" or "effect"; no choice is empty.
TaskQuestion copa_question(std::string_view premise, std::string_view question,
                           const std::vector<std::string>& choices, std::size_t answer);

/// LAMBADA: what stands before the last blank, and the word after it.
/// REQUIRES: the text does not end with a blank.
TaskQuestion lambada_question(std::string_view text);

}  // namespace evenkeel
