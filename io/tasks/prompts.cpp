#include "io/tasks/prompts.h"

#include <fmt/format.h>

#include "io/tasks/python_text.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

// re.sub(r"\[.*?\]", "", text); the dot is any character but a line end.
std::string without_brackets(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = text[i] == '[' ? text.find_first_of("]\n", i) : std::string_view::npos;
    if (end != std::string_view::npos && text[end] == ']') {
      i = end + 1;
    } else {
      result += text[i++];
    }
  }
  return result;
}

std::string_view without_last_character(std::string_view text) {
  return text.empty() ? text : text.substr(0, utf8_before(text, text.size()));
}

}  // namespace

std::string question_prompt(std::string_view question) {
  return fmt::format("Question: {}\nAnswer:", question);
}

std::string hellaswag_text(std::string_view text) {
  return replaced(without_brackets(replaced(stripped(text), " [title]", ". ")), "  ", " ");
}

TaskQuestion copa_question(std::string_view premise, std::string_view question,
                           const std::vector<std::string>& choices, std::size_t answer) {
  std::vector<std::string> continuations;
  for (const std::string& choice : choices) {
    continuations.push_back(" " + with_first_lowered(choice));
  }
  return choice_question(fmt::format("{} {}", without_last_character(stripped(premise)),
                                     question == "cause" ? "because" : "therefore"),
                         continuations, answer);
}

TaskQuestion lambada_question(std::string_view text) {
  const std::size_t blank = text.rfind(' ');
  if (blank == std::string_view::npos) return word_question("", text);
  return word_question(text.substr(0, blank), text.substr(blank + 1));
}

}  // namespace evenkeel
