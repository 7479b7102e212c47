#include "io/tasks/task_file.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/errors.h"
#include "io/one_line.h"
#include "io/tasks/task_kinds.h"

namespace evenkeel {
namespace {

const TaskKind& kind_of(const TaskFile& task) {
  std::vector<std::string_view> extensions;
  for (const TaskKind& kind : known_task_kinds) {
    if (kind.name != task.kind) continue;
    if (kind.extension == task.file.extension().string()) return kind;
    extensions.push_back(kind.extension);
  }
  if (extensions.empty()) {
    throw InputError(fmt::format("{}: unknown task {}; known are {}", task.file.string(),
                                 in_quotes(task.kind), fmt::join(task_kinds(), ", ")));
  }
  throw InputError(fmt::format("{}: {} is read from {}; give the file as its authors distribute it",
                               task.file.string(), task.kind, fmt::join(extensions, " or ")));
}

// What gives such a file a question.
std::string_view remedy_for_none(std::string_view extension) {
  if (extension == ".xml") return "give each an <item> within the document's one element";
  if (extension == ".csv") return "give each a row below the header";
  return "give one a line";
}

}  // namespace

std::string TaskFile::label() const {
  return fmt::format("{}: {}", kind, file.filename().string());
}

std::vector<std::string> task_kinds() {
  std::vector<std::string> names;
  for (const TaskKind& kind : known_task_kinds) {
    if (names.empty() || names.back() != kind.name) names.emplace_back(kind.name);
  }
  return names;
}

bool has_label_file(std::string_view kind) {
  return std::ranges::any_of(known_task_kinds, [kind](const TaskKind& known) {
    return known.name == kind && known.label_file;
  });
}

std::filesystem::path label_file_of(const TaskFile& task) {
  if (!has_label_file(task.kind) || !task.labels.empty()) return task.labels;
  std::filesystem::path beside = task.file;
  return beside.replace_filename(task.file.stem().string() + "-labels.lst");
}

TaskQuestions read_task(const TaskFile& task, std::optional<std::int64_t> limit) {
  const TaskKind& kind = kind_of(task);
  TaskQuestions all = kind.read(task);
  if (all.questions.empty()) {
    throw InputError(fmt::format("{}: holds no question; {}", task.file.string(),
                                 remedy_for_none(kind.extension)));
  }
  const auto most = limit ? static_cast<std::size_t>(*limit) : SIZE_MAX;
  if (all.questions.size() > most) all.questions.resize(most);
  return all;
}

std::vector<std::string> task_contexts(const TaskFile& task) {
  std::vector<std::string> contexts;
  for (TaskQuestion& question : read_task(task).questions) {
    contexts.push_back(std::move(question.requests.at(question.answer).context));
  }
  return contexts;
}

std::string task_text(const TaskFile& task) {
  return fmt::format("{}", fmt::join(task_contexts(task), "\n\n"));
}

std::string task_text(std::string_view kind, const std::filesystem::path& file) {
  return task_text(TaskFile{.kind = std::string(kind), .file = file});
}

}  // namespace evenkeel
