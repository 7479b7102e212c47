// Evaluation tasks of language models, in the files that their authors distribute.
//
// kind                            file, and what of it is read
// arc_easy, arc_challenge         .jsonl  question.stem, question.choices[].{label, text},
//                                         answerKey
// piqa                            .jsonl  goal, sol1, sol2; labels in a .lst, 0 or 1 a line
// hellaswag                       .jsonl  activity_label, ctx_a, ctx_b, endings, label
// winogrande                      .jsonl  sentence with one _, option1, option2, answer ("1", "2")
// lambada, lambada_openai         .jsonl  text; .txt: a passage a line
// copa                            .jsonl  premise, question, choice1, choice2, label (SuperGLUE);
//                                 .xml    item[asks-for, most-plausible-alternative], p, a1, a2
// storycloze, storycloze_2016, storycloze_2018
//                                 .csv    InputSentence1 .. 4, RandomFifthSentenceQuiz1, 2,
//                                         AnswerRightEnding (of 2016 and 2018 alike)
// plain                           .jsonl  context, choices, answer | contexts, continuation, answer
//                                         | context, target; answers count from 0; one form a file
//
// Prompts are those of lm-evaluation-harness 0.4 (lm_eval/tasks/*): a context and, after one blank,
// what is scored. Of its own it adds a blank to COPA's choices, so that there are two.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/tasks/task_question.h"

namespace evenkeel {

/// What a person gives for a task.
struct TaskFile {
  std::string kind;
  std::filesystem::path file;
  /// Of piqa; empty: FILE-labels.lst beside FILE.jsonl.
  std::filesystem::path labels{};

  /// "hellaswag: hellaswag_val.jsonl": for tables and messages.
  std::string label() const;
};

/// Names of the kinds, in the order above.
std::vector<std::string> task_kinds();
/// Whether the kind has its labels in a file of their own. REQUIRES: a known kind.
bool has_label_file(std::string_view kind);
/// That file, as given or by its name beside the task's; empty where there is none.
std::filesystem::path label_file_of(const TaskFile& task);

/// The first `limit` questions, which are at least one. Questions beyond are checked all the same.
/// Throws: InputError "FILE:LINE: what; what to do" when the kind is unknown, the file is absent,
/// of another type, empty, not UTF-8, or a question is malformed or its answer is none of its
/// choices.
TaskQuestions read_task(const TaskFile& task, std::optional<std::int64_t> limit = std::nullopt);

/// The contexts of a task's questions (each with its right answer where contexts differ), joined by
/// blank lines: text of the task to calibrate on. Throws: as read_task.
std::string task_text(const TaskFile& task);
std::string task_text(std::string_view kind, const std::filesystem::path& file);
/// The same one by one.
std::vector<std::string> task_contexts(const TaskFile& task);

}  // namespace evenkeel
