#include "calib/evaluate.h"

#include <fmt/format.h>

#include "calib/evaluation_texts.h"
#include "calib/quantized_model.h"
#include "calib/scheme_places.h"
#include "calib/zero_shot.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

std::string text_of(const Scheme& scheme) {
  if (const auto name = name_of(scheme)) return *name;
  return fmt::format("{} bit weights {}, {} bit activations {}{}{}", scheme.weights.bits,
                     name_of(scheme.weights.granularity), scheme.activations.bits,
                     name_of(scheme.activations.granularity),
                     scheme.nodes.empty() ? "" : ", some nodes otherwise",
                     scheme.keep.empty() ? "" : ", some kept");
}

// What a job with that model would say.
EvaluationOptions options_for(const LanguageModel& model, const EvaluateOptions& options) {
  EvaluationOptions evaluation;
  evaluation.sequence_length = options.sequence_length;
  evaluation.windows = options.windows;
  evaluation.examples = options.examples;
  evaluation.tasks = options.tasks;
  const bool classifies = model.architecture().head.kind == HeadKind::classification;
  if (classifies && options.windows) {
    throw UsageError(
        fmt::format("--windows: {} is a classifier, whose texts are not cut; give "
                    "--examples",
                    model.checkpoint().folder().string()));
  }
  if (options.log_examples && options.tasks.empty() &&
      model.architecture().head.kind == HeadKind::language) {
    throw UsageError(
        "--log-examples: texts have windows, not examples; give --task, or leave it out");
  }
  if (!classifies && options.windows && options.texts.empty()) {
    throw UsageError("--windows: bounds texts, and there is none; tasks are bounded by --examples");
  }
  if (!classifies && options.examples && options.tasks.empty()) {
    throw UsageError(
        fmt::format("--examples: {} is no classifier, and its text is cut into "
                    "windows; give --windows",
                    model.checkpoint().folder().string()));
  }
  (classifies ? evaluation.accuracy : evaluation.perplexity) = options.texts;
  return evaluation;
}

EvaluateResult evaluate(const LanguageModel& model, const EvaluateOptions& options,
                        const BlockLoader& load, Progress& progress) {
  const ModelTokenizer tokenizer(model);
  const EvaluationOptions evaluation = options_for(model, options);
  const auto texts = read_evaluation_texts(model, tokenizer, evaluation,
                                           {"--text", "--task", "--sequence-length"});
  HiddenMemory memory(options.memory_limit, temporary_folder());
  return {evaluation.metric(), evaluation.length(),
          scores_by_block(model, texts, load, progress, &memory), ""};
}

// A scheme may come from a program that never asked.
void check(const Scheme& scheme, const Architecture& architecture) {
  std::vector<std::string> faults = faults_of(scheme);
  if (faults.empty()) faults = place_faults(scheme, architecture);
  if (!faults.empty()) throw UsageError(fmt::format("scheme: {}", faults.front()));
}

}  // namespace

EvaluateResult evaluate_checkpoint(const std::filesystem::path& path,
                                   const EvaluateOptions& options, Progress& progress) {
  const Checkpoint checkpoint(path);
  if (is_quantized(checkpoint)) {
    if (options.scheme) {
      throw UsageError(
          fmt::format("--scheme: {} is quantized already; leave the scheme out", path.string()));
    }
    const QuantizedModel model(checkpoint);
    const auto load = [&](Index number) { return model.load(number); };
    EvaluateResult result = evaluate(model.model(), options, load, progress);
    result.kind = "quantized: " + text_of(model.scheme());
    return result;
  }
  if (options.scheme && !is_dynamic(*options.scheme)) {
    throw UsageError(fmt::format(
        "--scheme: the activations of {} have static ranges, which need a calibration; write a job "
        "and call 'calibrate run', or choose a dynamic scheme",
        text_of(*options.scheme)));
  }
  if (options.scheme && options.scheme->weights.rounding == Rounding::gptq) {
    throw UsageError(
        "--scheme: rounding gptq needs calibration inputs; write a job and call 'calibrate run', "
        "or "
        "choose rounding nearest");
  }
  const LanguageModel model(checkpoint);
  if (options.scheme) check(*options.scheme, model.architecture());
  const auto load = [&](Index number) {
    return options.scheme ? zero_shot_block(model, number, *options.scheme)
                          : RunnableBlock{model.load_block(number), {}};
  };
  EvaluateResult result = evaluate(model, options, load, progress);
  result.kind = options.scheme ? "quantized: " + text_of(*options.scheme) : "full precision";
  return result;
}

}  // namespace evenkeel
