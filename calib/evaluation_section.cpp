#include "calib/evaluation_section.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/job_paths.h"
#include "io/one_line.h"

namespace evenkeel {

namespace fs = std::filesystem;

namespace {

std::vector<EvaluatedTask> read_tasks(const SectionReader& evaluate, const fs::path& folder) {
  std::vector<EvaluatedTask> tasks;
  std::vector<std::string> labels;
  for (const SectionReader& section : evaluate.sections("tasks")) {
    TaskFile task = read_task_file(section, folder);
    const auto given = section.text("label");
    labels.push_back(given.value_or(default_label(task)));
    if (std::ranges::count(labels, labels.back()) > 1) {
      section.wrong("label", fmt::format("two tasks are called {} in the results; give one a label",
                                         in_quotes(labels.back())));
    }
    tasks.push_back({std::move(task), labels.back()});
  }
  return tasks;
}

}  // namespace

TaskFile read_task_file(const SectionReader& section, const fs::path& folder) {
  TaskFile task;
  take(task.kind, section.one_of("task", task_kinds()));
  read_path(section, "file", folder, task.file);
  read_path(section, "labels", folder, task.labels);
  if (!section.has("task")) {
    section.missing("task", fmt::format("missing; give one of {}", fmt::join(task_kinds(), ", ")));
  }
  if (!section.has("file")) section.missing("file", "missing; give the task's file");
  if (!task.kind.empty() && !has_label_file(task.kind)) {
    section.idle("labels", fmt::format("{} has its labels in its own file", task.kind));
  }
  return task;
}

EvaluationOptions read_evaluation(const SectionReader& root, const fs::path& folder) {
  EvaluationOptions options;
  if (!root.has("evaluate")) return options;
  const SectionReader section = root.section("evaluate");
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  options.perplexity = read_paths(section, "perplexity", folder);
  options.accuracy = read_paths(section, "accuracy", folder);
  options.tasks = read_tasks(section, folder);
  options.sequence_length = section.integer("sequence_length", 2, longest_sequence);
  options.windows = section.integer("windows", 1, most);
  options.examples = section.integer("examples", 1, most);
  const bool perplexity = section.has("perplexity");
  const bool accuracy = section.has("accuracy");
  const bool tasks = section.has("tasks");
  if (perplexity && accuracy) {
    section.wrong("accuracy",
                  "given beside perplexity; give accuracy for a classifier, else perplexity");
  } else if (accuracy && tasks) {
    section.wrong("tasks",
                  "given beside accuracy; a classifier has accuracy, a language model tasks");
  } else if (perplexity) {
    if (!tasks) {
      section.idle("examples", "only accuracy and tasks read it; perplexity is bounded by windows");
    }
  } else if (accuracy || tasks) {
    section.idle("windows", fmt::format("only perplexity reads it; {} bounded by examples",
                                        tasks ? "tasks are" : "accuracy is"));
  } else {
    section.missing("perplexity",
                    "missing; list the text files to evaluate (labelled ones, for a classifier, "
                    "under accuracy, questions under tasks), or leave out evaluate");
    for (const char* key : {"sequence_length", "windows", "examples"}) {
      section.idle(key, "evaluate.perplexity lists no file");
    }
  }
  return options;
}

}  // namespace evenkeel
