// What a language model is asked in an evaluation task: the likelihood of texts after others.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace evenkeel {

/// What differs between the answers of a question, and so what is scored.
enum class TaskForm {
  choices,    // continuations of one context: the likeliest, and the likeliest by its length
  contexts,   // contexts of one continuation, which is scored (Winogrande): the likeliest
  last_word,  // one continuation (LAMBADA): whether it is the greedy one, and its perplexity
};

struct TaskRequest {
  std::string context;  // may be empty
  std::string continuation;
};

struct TaskQuestion {
  std::vector<TaskRequest> requests{};  // one an answer
  std::vector<std::size_t> lengths{};   // of choices: characters (code points) of each, without
                                        // the blank that joins it to its context
  std::size_t answer = 0;               // the right one
  std::size_t line = 0;                 // in its file, from 1
};

struct TaskQuestions {
  TaskForm form = TaskForm::choices;
  std::vector<TaskQuestion> questions{};
};

// What stands between a context and what continues it, in every task.
inline constexpr std::string_view task_delimiter = " ";

TaskQuestion choice_question(std::string_view context, const std::vector<std::string>& choices,
                             std::size_t answer);
TaskQuestion context_question(const std::vector<std::string>& contexts,
                              std::string_view continuation, std::size_t answer);
TaskQuestion word_question(std::string_view context, std::string_view word);

}  // namespace evenkeel
