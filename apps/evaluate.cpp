// calibrate evaluate: perplexity, task scores or accuracy of a checkpoint as it is stored.
#include "calib/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/command.h"
#include "apps/figures.h"
#include "apps/log_option.h"
#include "apps/progress_bar.h"
#include "apps/table.h"
#include "calib/byte_size.h"
#include "calib/progress_log.h"
#include "calib/score_json.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* footer = R"(Examples:
  calibrate evaluate out/my-model/quantized --text evaluation.txt
  calibrate evaluate path/to/checkpoint --text a.txt b.jsonl --windows 32 --sequence-length 512
  calibrate evaluate path/to/checkpoint --text a.txt --scheme w4a4 --activations per_token
  calibrate evaluate path/to/classifier --text dev.tsv --examples 1000
  calibrate evaluate path/to/checkpoint --task piqa=valid.jsonl winogrande=dev.jsonl
  calibrate evaluate path/to/checkpoint --task arc_easy=ARC-Easy-Test.jsonl --examples 500 \
    --log-examples answers.jsonl
Of a language model, perplexity: exp of the mean negative log-likelihood of tokens 2 .. L of
each window. Of tasks, accuracy by log-likelihood, the same over an answer's characters, and of last
words perplexity; prompts are those of lm-evaluation-harness 0.4, and the README's section "Tasks"
tells what files are read. Results call a task by its NAME, or by its file's name too where a NAME
is given twice. Of a classifier, accuracy, F1 and Matthews' correlation over labelled texts, or
Pearson's and Spearman's where it gives a value: a .tsv with the columns sentence (or sentence1 and
sentence2) and label, or a .jsonl with "text" (and "text_pair") and "label", a number or a name of
config.json; each text with special tokens, cut off after L. Figures have their standard errors.
Static activation ranges need a calibration (calibrate run); --activations per_token finds them
anew for each token.
For --json, --quiet and --threads see calibrate --help.)";

struct EvaluateArguments {
  std::string checkpoint;
  std::vector<std::string> texts;
  std::vector<std::string> tasks;    // NAME=FILE
  std::string log_examples;          // empty: none
  std::int64_t windows = 0;          // 0: all
  std::int64_t examples = 0;         // 0: all
  std::int64_t sequence_length = 0;  // 0: as suits the model
  std::string scheme;
  std::string activations;
  std::string memory_limit;
  std::string log;  // empty: none
};

Scheme chosen_scheme(const EvaluateArguments& arguments) {
  auto scheme = scheme_named(arguments.scheme);
  if (!scheme) {
    throw UsageError(fmt::format("--scheme: {} is not known; choose one of {}",
                                 in_quotes(arguments.scheme), fmt::join(scheme_names(), ", ")));
  }
  if (!arguments.activations.empty()) {
    if (!is_quantized(scheme->activations)) {
      throw UsageError(fmt::format(
          "--activations: {} leaves activations as they are; leave this out", arguments.scheme));
    }
    scheme->activations.granularity = Granularity::per_token;
    scheme->activations.range = RangeEstimator::minmax;
  }
  return *scheme;
}

std::uint64_t chosen_limit(const std::string& text) {
  const auto bytes = parse_byte_size(text);
  if (bytes && *bytes > 0) return *bytes;
  throw UsageError(
      fmt::format("--memory-limit: expected {}; got {}", byte_size_spelling(), in_quotes(text)));
}

EvaluatedTask chosen_task(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string kind = text.substr(0, equals);
  const auto kinds = task_kinds();
  if (equals == std::string::npos || equals + 1 == text.size() ||
      std::ranges::find(kinds, kind) == kinds.end()) {
    throw UsageError(fmt::format("--task: expected NAME=FILE, NAME one of {}; got {}",
                                 fmt::join(kinds, ", "), in_quotes(text)));
  }
  TaskFile task{.kind = kind, .file = text.substr(equals + 1)};
  std::string label = default_label(task);
  return {std::move(task), std::move(label)};
}

std::string label_with_path(const TaskFile& task) {
  return fmt::format("{}: {}", task.kind, task.file.string());
}

// Tasks of one name are told apart by their files' names, and those of one name by their paths.
std::vector<EvaluatedTask> chosen_tasks(const std::vector<std::string>& texts) {
  std::vector<EvaluatedTask> tasks;
  for (auto text = texts.begin(); text != texts.end(); ++text) {
    if (std::find(texts.begin(), text, *text) != text) {
      throw UsageError(fmt::format("--task: {} is given twice; leave one out", in_quotes(*text)));
    }
    tasks.push_back(chosen_task(*text));
  }
  for (std::string (*longer)(const TaskFile&) :
       {+[](const TaskFile& task) { return task.label(); }, label_with_path}) {
    std::map<std::string, int> count;
    for (const EvaluatedTask& task : tasks) ++count[task.label];
    for (EvaluatedTask& task : tasks) {
      if (count[task.label] > 1) task.label = longer(task.task);
    }
  }
  return tasks;
}

EvaluateOptions options_of(const EvaluateArguments& arguments) {
  EvaluateOptions options;
  options.texts.assign(arguments.texts.begin(), arguments.texts.end());
  options.tasks = chosen_tasks(arguments.tasks);
  options.log_examples = !arguments.log_examples.empty();
  if (arguments.sequence_length > 0) options.sequence_length = arguments.sequence_length;
  if (arguments.windows > 0) options.windows = arguments.windows;
  if (arguments.examples > 0) options.examples = arguments.examples;
  if (!arguments.scheme.empty()) options.scheme = chosen_scheme(arguments);
  if (!arguments.memory_limit.empty()) options.memory_limit = chosen_limit(arguments.memory_limit);
  return options;
}

// Whether text is cut to that length, rather than tasks at the model's positions.
bool has_length(const EvaluateArguments& arguments) {
  return !arguments.texts.empty() || arguments.sequence_length > 0;
}

Json text_json(const TextScore& text) {
  if (text.metric == Metric::perplexity) return text.value;
  Json json{{"examples", text.examples}};
  if (text.metric == Metric::accuracy) json["correct"] = text.correct;
  json[name_of(text.metric)] = text.value;
  json["standard_error"] = standard_error(text.figure());
  for (const Figure& other : text.others) {
    json[name_of(other.metric)] = {{"value", other.value},
                                   {"standard_error", standard_error(other)}};
  }
  return json;
}

Json to_json(const EvaluateArguments& arguments, const EvaluateResult& result) {
  Json json{{"checkpoint", arguments.checkpoint}, {"kind", result.kind}};
  if (has_length(arguments)) json["sequence_length"] = result.sequence_length;
  for (const TextScore& score : result.scores) {
    if (score.task.empty()) {
      json[name_of(score.metric)][score.label] = text_json(score);
    } else {
      json["tasks"][score.label] = task_json(score);
    }
  }
  return json;
}

// One column, and one of its standard errors, for each figure that some score has.
std::string score_table(const std::vector<TextScore>& scores, const char* what, bool emphasis) {
  std::vector<Metric> metrics;
  for (const TextScore& score : scores) {
    for (const Figure& figure : all_figures(score)) {
      if (std::ranges::find(metrics, figure.metric) == metrics.end()) {
        metrics.push_back(figure.metric);
      }
    }
  }
  const bool counted =
      std::ranges::any_of(scores, [](const TextScore& score) { return score.examples > 0; });
  std::vector<Table::Column> columns{{what, Table::Align::left}};
  if (counted) columns.push_back({"examples"});
  const bool shares = counted && std::ranges::find(metrics, Metric::accuracy) != metrics.end();
  if (shares) columns.push_back({"correct"});
  for (const Metric metric : metrics) {
    columns.push_back({in_words(metric)});
    columns.push_back({"standard error"});
  }
  Table table(std::move(columns));
  for (const TextScore& score : scores) {
    std::vector<std::string> cells{one_line(score.label)};
    if (counted) cells.push_back(fmt::format("{}", score.examples));
    if (shares) cells.push_back(fmt::format("{}", score.correct));
    const auto figures = all_figures(score);
    for (const Metric metric : metrics) {
      const auto figure = std::ranges::find(figures, metric, &Figure::metric);
      const bool has = figure != figures.end();
      const double error = has ? standard_error(*figure) : 0.0;
      cells.push_back(has ? score_text(figure->value, metric) : "");
      cells.push_back(!has ? "" : std::isnan(error) ? "-" : score_text(error, metric));
    }
    table.add(std::move(cells));
  }
  return table.empty() ? "" : "\n" + table.text(emphasis);
}

std::string to_text(const EvaluateArguments& arguments, const EvaluateResult& result,
                    bool emphasis) {
  std::vector<TextScore> texts;
  std::vector<TextScore> tasks;
  for (const TextScore& score : result.scores) {
    (score.task.empty() ? texts : tasks).push_back(score);
  }
  return field_list({{"checkpoint", one_line(arguments.checkpoint)}, {"kind", result.kind}}) +
         score_table(texts, "text", emphasis) + score_table(tasks, "task", emphasis);
}

Json example_json(const TextScore& score, const ExampleResult& result) {
  Json json{{score.task.empty() ? "text" : "task", score.label}};
  if (result.line > 0) json["line"] = result.line;
  json[score.task.empty() ? "logits" : "log_likelihoods"] = result.logits;
  const auto put = [&](const char* key, double value) {
    if (score.metric == Metric::pearson) {
      json[key] = value;
    } else {
      json[key] = static_cast<std::int64_t>(value);
    }
  };
  put("prediction", result.prediction);
  if (result.normalized_prediction) json["normalized_prediction"] = *result.normalized_prediction;
  put("answer", result.answer);
  return json;
}

// The file of --log-examples, opened before the work, so that a place which cannot be written is
// found then. Nothing stands there until all is written.
std::unique_ptr<ReplacingFile> open_example_log(const std::string& path) {
  if (path.empty()) return nullptr;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw UsageError(fmt::format("--log-examples: {} is a folder; name a file", in_quotes(path)));
  }
  return std::make_unique<ReplacingFile>(path);
}

// One line for each example, in the order of their files.
void log_examples(ReplacingFile& file, const std::vector<TextScore>& scores) {
  for (const TextScore& score : scores) {
    for (const ExampleResult& result : score.results) {
      file.append(example_json(score, result).dump(-1, ' ', false, Json::error_handler_t::replace) +
                  "\n");
    }
  }
  file.commit();
}

Outcome evaluate(const EvaluateArguments& arguments, const ProgramOptions& options) {
  const EvaluateOptions evaluation = options_of(arguments);
  const auto example_log = open_example_log(arguments.log_examples);
  ProgressBar bar(stderr, options.quiet);
  ProgressLog progress(bar, arguments.log);
  const EvaluateResult result = evaluate_checkpoint(arguments.checkpoint, evaluation, progress);
  if (example_log) log_examples(*example_log, result.scores);
  return {options.json ? document(to_json(arguments, result))
                       : to_text(arguments, result, options.emphasis),
          ""};
}

}  // namespace

void add_evaluate(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("evaluate",
                                             "Perplexity and task scores, or a classifier's "
                                             "accuracy, of a checkpoint: full precision or "
                                             "quantized by a job");
  command->footer(footer);
  const auto arguments = std::make_shared<EvaluateArguments>();
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  command->add_option("CHECKPOINT", arguments->checkpoint, "A checkpoint folder or a GGUF file")
      ->required();
  command
      ->add_option("--text", arguments->texts,
                   "Text (.txt, .jsonl) or token ids (.h5, .safetensors); labelled texts (.tsv, "
                   ".jsonl) for a classifier")
      ->type_name("FILE");
  command
      ->add_option("--task", arguments->tasks,
                   fmt::format("Questions to a language model: {}", fmt::join(task_kinds(), ", ")))
      ->type_name("NAME=FILE");
  command->add_option("--windows", arguments->windows, "At most this many windows of each file")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, most));
  command
      ->add_option(
          "--examples", arguments->examples,
          "At most this many questions of each task, or of a classifier's texts, the first "
          "ones")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, most));
  command
      ->add_option("--sequence-length", arguments->sequence_length,
                   "Tokens of a window [512], of a classifier's text at most [128], or of a task's "
                   "question at most [the model's positions]")
      ->type_name("L")
      ->check(CLI::Range(std::int64_t{2}, most));
  CLI::Option* scheme = command
                            ->add_option("--scheme", arguments->scheme,
                                         "Quantize a full-precision checkpoint as it is loaded")
                            ->type_name("NAME");
  command
      ->add_option("--activations", arguments->activations,
                   "Granularity of the scheme's activations: per_token, found anew for each token")
      ->type_name("NAME")
      ->check(CLI::IsMember({std::string(name_of(Granularity::per_token))}))
      ->needs(scheme);
  command
      ->add_option("--memory-limit", arguments->memory_limit,
                   "Memory for hidden states [2GiB]; those beyond it are in a file without a name "
                   "in $TMPDIR, else /var/tmp")
      ->type_name("SIZE");
  command
      ->add_option("--log-examples", arguments->log_examples,
                   "Writes each example's log-likelihoods (or logits), prediction and answer, one "
                   "JSON object a line")
      ->type_name("FILE.jsonl");
  add_log_option(*command, arguments->log);
  command->callback([arguments, &action] {
    if (arguments->texts.empty() && arguments->tasks.empty()) {
      throw CLI::RequiredError("--text or --task");
    }
    action = [arguments](const ProgramOptions& options) { return evaluate(*arguments, options); };
  });
}

}  // namespace evenkeel
