// calibrate evaluate: perplexity or accuracy of a checkpoint as it is stored.
#include "calib/evaluate.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
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
#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr const char* footer = R"(Examples:
  calibrate evaluate out/my-model/quantized --text evaluation.txt
  calibrate evaluate path/to/checkpoint --text a.txt b.jsonl --windows 32 --sequence-length 512
  calibrate evaluate path/to/checkpoint --text a.txt --scheme w4a4 --activations per_token
  calibrate evaluate path/to/classifier --text dev.tsv --examples 1000
Of a language model, perplexity: exp of the mean negative log-likelihood of tokens 2 .. L of
each window. Of a classifier, accuracy over labelled texts with its standard error: a .tsv with the
columns sentence (or sentence1 and sentence2) and label, or a .jsonl with "text" (and "text_pair")
and "label", a number or a name of config.json; each text with special tokens, cut off after L.
Static activation ranges need a calibration (calibrate run); --activations per_token finds them
anew for each token.
For --json, --quiet and --threads see calibrate --help.)";

struct EvaluateArguments {
  std::string checkpoint;
  std::vector<std::string> texts;
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

EvaluateOptions options_of(const EvaluateArguments& arguments) {
  EvaluateOptions options;
  options.texts.assign(arguments.texts.begin(), arguments.texts.end());
  if (arguments.sequence_length > 0) options.sequence_length = arguments.sequence_length;
  if (arguments.windows > 0) options.windows = arguments.windows;
  if (arguments.examples > 0) options.examples = arguments.examples;
  if (!arguments.scheme.empty()) options.scheme = chosen_scheme(arguments);
  if (!arguments.memory_limit.empty()) options.memory_limit = chosen_limit(arguments.memory_limit);
  return options;
}

nlohmann::ordered_json to_json(const EvaluateArguments& arguments, const EvaluateResult& result) {
  auto scores = nlohmann::ordered_json::object();
  for (const TextScore& text : result.scores) {
    if (result.metric == Metric::perplexity) {
      scores[text.label] = text.value;
    } else {
      scores[text.label] = {{"examples", text.examples},
                            {"correct", text.correct},
                            {"accuracy", text.value},
                            {"standard_error", standard_error(text.figure())}};
    }
  }
  return {{"checkpoint", arguments.checkpoint},
          {"kind", result.kind},
          {"sequence_length", result.sequence_length},
          {name_of(result.metric), scores}};
}

Table score_table(const EvaluateResult& result) {
  if (result.metric == Metric::perplexity) {
    Table table({{"text", Table::Align::left}, {"perplexity"}});
    for (const TextScore& text : result.scores) {
      table.add({one_line(text.label), perplexity_text(text.value)});
    }
    return table;
  }
  Table table(
      {{"text", Table::Align::left}, {"examples"}, {"correct"}, {"accuracy"}, {"standard error"}});
  for (const TextScore& text : result.scores) {
    table.add({one_line(text.label), fmt::format("{}", text.examples),
               fmt::format("{}", text.correct), percent_text(text.value),
               percent_text(standard_error(text.figure()))});
  }
  return table;
}

std::string to_text(const EvaluateArguments& arguments, const EvaluateResult& result,
                    bool emphasis) {
  return field_list({{"checkpoint", one_line(arguments.checkpoint)}, {"kind", result.kind}}) +
         "\n" + score_table(result).text(emphasis);
}

Outcome evaluate(const EvaluateArguments& arguments, const ProgramOptions& options) {
  const EvaluateOptions evaluation = options_of(arguments);
  ProgressBar bar(stderr, options.quiet);
  ProgressLog progress(bar, arguments.log);
  const EvaluateResult result = evaluate_checkpoint(arguments.checkpoint, evaluation, progress);
  return {options.json ? document(to_json(arguments, result))
                       : to_text(arguments, result, options.emphasis),
          ""};
}

}  // namespace

void add_evaluate(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("evaluate",
                                             "Perplexity, or a classifier's accuracy, of a "
                                             "checkpoint: full precision or quantized by a job");
  command->footer(footer);
  const auto arguments = std::make_shared<EvaluateArguments>();
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  command->add_option("CHECKPOINT", arguments->checkpoint, "A checkpoint folder or a GGUF file")
      ->required();
  command
      ->add_option("--text", arguments->texts,
                   "Text (.txt, .jsonl) or token ids (.h5, .safetensors); labelled texts (.tsv, "
                   ".jsonl) for a classifier")
      ->type_name("FILE")
      ->required();
  command->add_option("--windows", arguments->windows, "At most this many windows of each file")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, most));
  command
      ->add_option("--examples", arguments->examples,
                   "Of a classifier: at most this many texts of each file, the first ones")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, most));
  command
      ->add_option("--sequence-length", arguments->sequence_length,
                   "Tokens of a window [512], or of a classifier's text at most [128]")
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
  add_log_option(*command, arguments->log);
  command->callback([arguments, &action] {
    action = [arguments](const ProgramOptions& options) { return evaluate(*arguments, options); };
  });
}

}  // namespace evenkeel
