#include "calib/task_texts.h"

#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "io/errors.h"
#include "io/tasks/python_text.h"

namespace evenkeel {
namespace {

// What stands for an empty context.
std::optional<TokenId> prefix_token(const LanguageModel& model) {
  const auto& config = model.checkpoint().config().document();
  for (const char* key : {"bos_token_id", "eos_token_id"}) {
    auto found = config.find(key);
    if (found == config.end()) continue;
    const auto& id = found->is_array() && !found->empty() ? found->front() : *found;
    if (!id.is_number_unsigned()) continue;
    const auto token = id.get<std::uint64_t>();
    if (token < static_cast<std::uint64_t>(model.architecture().vocabulary)) {
      return static_cast<TokenId>(token);
    }
  }
  return std::nullopt;
}

struct Request {
  Encoding window;
  Tokens targets;
};

class RequestEncoder {
 public:
  RequestEncoder(const LanguageModel& model, const Tokenizer& tokenizer, const TaskFile& task,
                 std::optional<std::int64_t> length)
      : tokenizer_(tokenizer), task_(task), prefix_(prefix_token(model)) {
    const Index positions = model.architecture().positions;  // 0: no limit
    if (length) most_ = static_cast<std::size_t>(*length);
    if (positions > 0) most_ = std::min(most_, static_cast<std::size_t>(positions));
  }

  Request encode(const TaskRequest& request, std::size_t line) const {
    const std::string_view context = right_stripped(request.context);
    const std::string whole_text = request.context + request.continuation;
    Tokens whole = tokenizer_.encode(whole_text);
    std::size_t begin = context.empty() ? 0 : tokenizer_.encode(context).size();
    if (begin == 0) {
      if (!prefix_) {
        refuse(line,
               "the context is empty, and config.json has no bos_token_id or eos_token_id to stand "
               "for it; add one");
      }
      whole.insert(whole.begin(), *prefix_);
      begin = 1;
    }
    if (begin >= whole.size()) {
      refuse(line, "the tokenizer makes no token of the continuation; leave the question out");
    }
    const std::size_t count = whole.size() - begin;
    if (count > most_) {
      refuse(line, fmt::format("the continuation has {} tokens, more than the {} of a sequence; "
                               "leave the question out",
                               count, most_));
    }
    Request result{.window = {}, .targets = Tokens(whole.end() - at(count), whole.end())};
    const std::size_t read = std::min(whole.size() - 1, most_);
    result.window.ids.assign(whole.end() - at(read + 1), whole.end() - 1);
    return result;
  }

 private:
  static std::ptrdiff_t at(std::size_t offset) { return static_cast<std::ptrdiff_t>(offset); }

  [[noreturn]] void refuse(std::size_t line, std::string_view message) const {
    throw InputError(fmt::format("{}:{}: {}", task_.file.string(), line, message));
  }

  const Tokenizer& tokenizer_;
  const TaskFile& task_;
  std::optional<TokenId> prefix_;
  std::size_t most_ = SIZE_MAX;  // ids of a window
};

}  // namespace

EvaluationText encode_task(const LanguageModel& model, const Tokenizer& tokenizer,
                           const TaskFile& task, const std::string& label,
                           std::optional<std::int64_t> length,
                           std::optional<std::int64_t> examples) {
  const TaskQuestions questions = read_task(task, examples);
  const RequestEncoder encoder(model, tokenizer, task, length);
  std::vector<std::vector<Request>> encoded(questions.questions.size());
  tbb::parallel_for(std::size_t{0}, encoded.size(), [&](std::size_t i) {
    const TaskQuestion& question = questions.questions[i];
    for (const TaskRequest& request : question.requests) {
      encoded[i].push_back(encoder.encode(request, question.line));
    }
  });
  EvaluationText text{.label = label, .windows = {}};
  TaskExamples& of_task = text.task.emplace();
  of_task.kind = task.kind;
  of_task.form = questions.form;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const TaskQuestion& question = questions.questions[i];
    of_task.examples.push_back({.line = question.line,
                                .answer = question.answer,
                                .answers = question.requests.size(),
                                .lengths = question.lengths});
    for (Request& request : encoded[i]) {
      text.windows.push_back(std::move(request.window));
      of_task.targets.push_back(std::move(request.targets));
    }
  }
  return text;
}

}  // namespace evenkeel
