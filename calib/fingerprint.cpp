#include "calib/fingerprint.h"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "calib/job_keys.h"
#include "calib/summary.h"
#include "calib/yaml_tree.h"
#include "io/content_hash.h"
#include "io/errors.h"
#include "io/one_line.h"
#include "io/strict_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Values = Fingerprint::Values;

// Of the parts that a job leaves (calib/block_part.h).
constexpr int format = 1;

constexpr std::array left_out{"file",
                              "model",
                              "output",
                              "memory_limit",
                              "analyze",
                              "calibration.corpus",
                              "evaluate.perplexity",
                              "evaluate.tasks",
                              "evaluate.accuracy"};

bool is_left_out(const std::string& key) {
  return std::ranges::find(left_out, key) != left_out.end();
}

void add(const std::string& path, const Json& value, Values& values) {
  if (is_left_out(path)) return;
  if (!value.is_object()) {
    values[path] = value.is_string() ? value.get<std::string>() : value.dump();
    return;
  }
  for (const auto& [key, entry] : value.items()) add(key_path(path, key), entry, values);
}

void add(const std::string& path, const YamlValue& value, Values& values) {
  if (is_left_out(path)) return;
  if (value.kind != YamlValue::Kind::map) {
    values[path] = value.kind == YamlValue::Kind::text ? value.text : emit_yaml(value);
    return;
  }
  for (const YamlEntry& entry : value.entries) {
    add(key_path(path, entry.key), entry.value, values);
  }
}

// The file of the program that runs; another one may round otherwise.
std::string program_hash() {
  constexpr const char* program = "/proc/self/exe";
  std::error_code error;
  return std::filesystem::exists(program, error) ? file_hash(program) : "";
}

void add_texts(const std::string& what, const std::vector<std::filesystem::path>& files,
               Values& values) {
  for (const auto& file : files) {
    values[what + ": " + file.filename().string()] = file_hash(file);
  }
}

// Whose place may change, but not what they are read as.
void add_task(const std::string& what, const TaskFile& task, Values& values) {
  values[fmt::format("{}: {}", what, task.label())] = file_hash(task.file);
  const std::filesystem::path labels = label_file_of(task);
  if (!labels.empty()) {
    values[fmt::format("{}: labels of {}", what, task.label())] = file_hash(labels);
  }
}

void add_tasks(const EvaluationOptions& evaluate, Values& values) {
  // By number, since their order is that of the figures.
  int number = 0;
  for (const EvaluatedTask& task : evaluate.tasks) {
    add_task(fmt::format("evaluate.tasks {}: {}", number++, task.label), task.task, values);
  }
}

std::string hash_of_files(const std::vector<std::filesystem::path>& files) {
  ContentHash all;
  for (const auto& file : files) all.add(file.filename().string() + file_hash(file));
  return all.text();
}

// The first key whose values differ; an absent value is nothing.
struct Difference {
  std::string key;
  std::optional<std::string> earlier, now;
};

std::optional<std::string> value_at(const Values& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Difference> first_difference(const Values& earlier, const Values& now) {
  Values both = earlier;
  both.insert(now.begin(), now.end());
  for (const auto& [key, value] : both) {
    Difference found{key, value_at(earlier, key), value_at(now, key)};
    if (found.earlier != found.now) return found;
  }
  return std::nullopt;
}

std::string shown(const std::optional<std::string>& value) {
  return value ? one_line(*value) : "not given";
}

std::string told(const Difference& found) {
  return fmt::format("{} was {} and is {}", one_line(found.key), shown(found.earlier),
                     shown(found.now));
}

constexpr std::string_view advice = "or start over with --restart";

}  // namespace

Fingerprint fingerprint_of(const Job& job, const Checkpoint& checkpoint) {
  Fingerprint fingerprint{.program = fmt::format("{} {}", format, program_hash()),
                          .settings = {},
                          .text = {},
                          .files = {}};
  add("", to_json(job), fingerprint.settings);
  // What the scheme's clip is searched with, whether or not the summary tells it.
  fingerprint.settings["transform.search_samples"] =
      fmt::format("{}", job.transform.search_samples);
  add("", parse_yaml(job.text, {.name = job.file.string()}), fingerprint.text);
  add_texts("model", checkpoint.store().files(), fingerprint.files);
  const CorpusOptions& corpus = job.calibration.corpus;
  if (corpus.random == CorpusOptions::Random::none) {
    if (corpus.task.empty()) {
      add_texts("calibration.corpus", {corpus.file}, fingerprint.files);
    } else {
      add_task("calibration.corpus", corpus.task_file(), fingerprint.files);
    }
  }
  add_texts(fmt::format("evaluate.{}", name_of(job.evaluate.metric())), job.evaluate.files(),
            fingerprint.files);
  add_tasks(job.evaluate, fingerprint.files);
  return fingerprint;
}

Fingerprint fingerprint_of(const Comparison& comparison,
                           const std::vector<const Checkpoint*>& checkpoints) {
  Fingerprint all;
  all.program = fmt::format("{} {}", format, program_hash());
  // By row, since a row that has another model or text is another one, whatever these are called.
  std::map<const Checkpoint*, std::string> models;
  std::map<std::filesystem::path, std::string> corpora;
  for (std::size_t i = 0; i < comparison.rows.size(); ++i) {
    const Job& job = comparison.rows[i].job;
    Values own;
    add("", parse_yaml(job.text, {.name = job.file.string()}), own);
    for (auto& [key, value] : own) all.text[fmt::format("row {}: {}", i, key)] = value;
    std::string& model = models[checkpoints[i]];
    if (model.empty()) model = hash_of_files(checkpoints[i]->store().files());
    all.files[fmt::format("model of row {}", i)] = model;
    const CorpusOptions& source = job.calibration.corpus;
    if (source.file.empty() || !needs_calibration(job)) continue;
    const std::string what = fmt::format("calibration.corpus of row {}", i);
    if (!source.task.empty()) {
      add_task(what, source.task_file(), all.files);
      continue;
    }
    std::string& corpus = corpora[source.file];
    if (corpus.empty()) corpus = file_hash(source.file);
    // Which says how it is read.
    all.files[what + ": " + source.file.extension().string()] = corpus;
  }
  const auto& texts = comparison.job.evaluate.files();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    all.files[fmt::format("evaluate.{} {}: {}", name_of(comparison.job.evaluate.metric()), i,
                          texts[i].filename().string())] = file_hash(texts[i]);
  }
  add_tasks(comparison.job.evaluate, all.files);
  return all;
}

std::string to_text(const Fingerprint& fingerprint) {
  return Json{{"program", fingerprint.program},
              {"settings", fingerprint.settings},
              {"text", fingerprint.text},
              {"files", fingerprint.files}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::optional<Fingerprint> fingerprint_from(const std::filesystem::path& path,
                                            std::string_view text) {
  try {
    const Json json = parse_json(path, text);
    Fingerprint fingerprint;
    json.at("program").get_to(fingerprint.program);
    json.at("settings").get_to(fingerprint.settings);
    json.at("text").get_to(fingerprint.text);
    json.at("files").get_to(fingerprint.files);
    return fingerprint;
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void require_same(const Fingerprint& earlier, const Fingerprint& now, std::string_view place) {
  const auto begun = fmt::format("{}: holds the finished parts of a job that did not end", place);
  if (earlier.program != now.program) {
    throw UsageError(
        fmt::format("{}, begun by another build of this program; use that one {}", begun, advice));
  }
  auto setting = first_difference(earlier.settings, now.settings);
  if (!setting) setting = first_difference(earlier.text, now.text);
  if (setting) {
    throw UsageError(fmt::format("{}, in which {}; undo that {}", begun, told(*setting), advice));
  }
  if (const auto file = first_difference(earlier.files, now.files)) {
    throw InputError(fmt::format("{}, and {} {}; undo that {}", begun, one_line(file->key),
                                 file->earlier && file->now ? "has changed since"
                                 : file->now                ? "is new since"
                                                            : "is gone since",
                                 advice));
  }
}

}  // namespace evenkeel
