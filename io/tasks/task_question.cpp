#include "io/tasks/task_question.h"

#include "io/tasks/python_text.h"

namespace evenkeel {
namespace {

TaskRequest request_of(std::string_view context, std::string_view continuation) {
  return {std::string(context), std::string(task_delimiter) + std::string(continuation)};
}

}  // namespace

TaskQuestion choice_question(std::string_view context, const std::vector<std::string>& choices,
                             std::size_t answer) {
  TaskQuestion question{.answer = answer};
  for (const std::string& choice : choices) {
    question.requests.push_back(request_of(context, choice));
    question.lengths.push_back(character_count(choice));
  }
  return question;
}

TaskQuestion context_question(const std::vector<std::string>& contexts,
                              std::string_view continuation, std::size_t answer) {
  TaskQuestion question{.answer = answer};
  for (const std::string& context : contexts) {
    question.requests.push_back(request_of(context, continuation));
  }
  return question;
}

TaskQuestion word_question(std::string_view context, std::string_view word) {
  return {.requests = {request_of(context, word)}};
}

}  // namespace evenkeel
