#include "calib/scaling/scaling.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <tbb/task_arena.h>

#include "calib/calibration.h"
#include "calib/compared_inputs.h"
#include "calib/evaluation_stream.h"
#include "calib/fingerprint.h"
#include "calib/finished_rows.h"
#include "calib/layout_notes.h"
#include "calib/ordered_parallel.h"
#include "calib/output_folder.h"
#include "calib/report/report.h"
#include "calib/scaling/scaling_json.h"
#include "calib/scaling/text_bytes.h"
#include "calib/scheme_json.h"
#include "calib/score_json.h"
#include "calib/side_by_side.h"
#include "calib/staged_job.h"
#include "calib/summary.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/one_line.h"
#include "transforms/site.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// What a row is evaluated to; all else of it is known before.
struct Outcome {
  std::vector<TextScore> scores;
  CodeUses uses;
  double seconds = 0.0;
};

Json to_json(const Outcome& outcome) {
  return {
      {"scores", kept_json(outcome.scores)}, {"uses", outcome.uses}, {"seconds", outcome.seconds}};
}

std::optional<Outcome> outcome_from(const std::optional<Json>& json) {
  if (!json) return std::nullopt;
  try {
    return Outcome{.scores = scores_from(json->at("scores")),
                   .uses = json->at("uses").get<CodeUses>(),
                   .seconds = json->at("seconds").get<double>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

// The rows on their way.
class Scaling {
 public:
  Scaling(const Comparison& comparison, const ComparedInputs& inputs, const OutputFolder& folder,
          Progress& progress)
      : comparison_(comparison),
        inputs_(inputs),
        finished_(folder),
        folder_(folder.path()),
        progress_(progress),
        outcomes_(comparison.rows.size()) {
    for (std::size_t row = 0; row < outcomes_.size(); ++row) {
      outcomes_[row] = outcome_from(finished_.find(row));
      if (outcomes_[row]) ++done_;
    }
    if (done_ > 0) {
      progress.remark(fmt::format("continues with {} of {} rows finished in {}", done_,
                                  outcomes_.size(), folder.staging().string()));
    }
  }

  std::vector<Outcome> run() {
    for (std::size_t model = 0; model < inputs_.size(); ++model) run_model(model);
    progress_.step("scaling", static_cast<int>(done_), static_cast<int>(done_), "finish");
    std::vector<Outcome> all;
    for (auto& outcome : outcomes_) all.push_back(std::move(*outcome));
    return all;
  }

 private:
  void run_model(std::size_t model) {
    std::vector<std::size_t> zero_shot;
    std::vector<std::size_t> calibrated;
    for (std::size_t row = 0; row < outcomes_.size(); ++row) {
      if (outcomes_[row] || inputs_.model_of(row) != model) continue;
      (needs_calibration(comparison_.rows[row].job) ? calibrated : zero_shot).push_back(row);
    }
    const std::size_t at_once = side_by_side_rows(inputs_.at(model));
    for (std::size_t first = 0; first < zero_shot.size(); first += at_once) {
      const std::size_t count = std::min(at_once, zero_shot.size() - first);
      tell(zero_shot[first]);
      side_by_side(count, [&](std::size_t i) { run_row(zero_shot[first + i], count); });
    }
    for (const std::size_t row : calibrated) {
      tell(row);
      run_row(row, 1);
    }
  }

  void tell(std::size_t row) {
    progress_.step("scaling", static_cast<int>(done_), static_cast<int>(outcomes_.size()),
                   fmt::format("{}: {}", inputs_.label(inputs_.model_of(row)),
                               label_of(comparison_.rows[row])));
  }

  // As many rows as there are threads, where their hidden states and blocks have room.
  std::size_t side_by_side_rows(const JobInputs& model) const {
    const auto threads = static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
    return std::min(threads, calibrations_at_once(model.model(), {}, model.texts(),
                                                  comparison_.job.memory_limit));
  }

  // `sharing` rows have the memory.
  void run_row(std::size_t row, std::size_t sharing) {
    const Job& job = comparison_.rows[row].job;
    const JobInputs& inputs = inputs_.at(inputs_.model_of(row));
    const auto start = Clock::now();
    HiddenMemory memory(job.memory_limit / sharing, folder_);
    Outcome outcome;
    Progress silent;
    if (needs_calibration(job)) {
      Stopwatch stopwatch;
      outcome.scores =
          calibrate_model(inputs.model(), inputs.samples(job), block_options(job, false),
                          inputs.texts(), nullptr, silent, stopwatch, &memory)
              .scores;
    } else {
      const auto load = [&](Index number) {
        return zero_shot_block(inputs.model(), number, job.scheme, &outcome.uses);
      };
      try {
        outcome.scores = scores_by_block(inputs.model(), inputs.texts(), load, silent, &memory);
      } catch (const InputError& error) {
        throw InputError(fmt::format("{}: row '{}': {}",
                                     inputs.model().checkpoint().folder().string(),
                                     one_line(label_of(comparison_.rows[row])), error.what()));
      }
    }
    outcome.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    finished_.keep(row, to_json(outcome));
    outcomes_[row] = std::move(outcome);
    const std::lock_guard lock(mutex_);
    ++done_;
  }

  const Comparison& comparison_;
  const ComparedInputs& inputs_;
  FinishedRows finished_;
  std::filesystem::path folder_;
  Progress& progress_;
  std::vector<std::optional<Outcome>> outcomes_;
  std::mutex mutex_;
  std::size_t done_ = 0;
};

ScaledModel model_of(const ComparedInputs& inputs, std::size_t number, const Job& job,
                     Progress& progress, HiddenMemory& memory) {
  const JobInputs& own = inputs.at(number);
  const LanguageModel& model = own.model();
  ScaledModel result{.label = inputs.label(number),
                     .family = model.architecture().model_type,
                     .parameters = model.checkpoint().parameters(),
                     .scores = full_precision_scores(model, own.texts(), progress, &memory),
                     .bits = stored_bits(model, job.scheme),
                     .token_bytes = {}};
  const ModelTokenizer tokenizer(model);
  for (std::size_t i = 0; i < own.texts().size(); ++i) {
    result.token_bytes.emplace_back();
    if (i >= job.evaluate.perplexity.size()) continue;  // labelled, or a task
    const auto& file = job.evaluate.perplexity[i];
    const Tokenizer* of_text = tokenizer.for_file(file);
    if (of_text == nullptr) continue;
    std::size_t tokens = 0;
    for (const Encoding& window : own.texts()[i].windows) tokens += window.ids.size();
    const auto bytes = text_bytes(file, tokens, *of_text);
    if (!bytes) continue;
    result.token_bytes.back() = static_cast<double>(*bytes) / static_cast<double>(tokens);
  }
  return result;
}

// Faults of any row cost nothing when they are found before the work.
void check(const Comparison& comparison, const ComparedInputs& inputs) {
  for (std::size_t row = 0; row < comparison.rows.size(); ++row) {
    const Job& job = comparison.rows[row].job;
    const JobInputs& model = inputs.at(inputs.model_of(row));
    model.check_choices(job);
    if (needs_calibration(job)) static_cast<void>(model.samples(job));
    if (const auto fault = packing_fault(model.model().architecture(), job.scheme)) {
      throw UsageError(fmt::format("{}: row '{}': scheme.weights: {}", job.file.string(),
                                   label_of(comparison.rows[row]), *fault));
    }
  }
}

Fingerprint fingerprint(const Comparison& comparison, const ComparedInputs& inputs) {
  std::vector<const Checkpoint*> checkpoints;
  for (std::size_t row = 0; row < comparison.rows.size(); ++row) {
    checkpoints.push_back(&inputs.at(inputs.model_of(row)).model().checkpoint());
  }
  return fingerprint_of(comparison, checkpoints);
}

ScalingResult put_together(const Comparison& comparison, const ComparedInputs& inputs,
                           std::vector<ScaledModel> models, std::vector<Outcome> outcomes) {
  ScalingResult result{
      .metric = comparison.job.evaluate.metric(), .models = std::move(models), .rows = {}};
  for (std::size_t row = 0; row < outcomes.size(); ++row) {
    const Job& job = comparison.rows[row].job;
    ScaledRow& added = result.rows.emplace_back();
    added.model = inputs.model_of(row);
    for (const auto& setting : comparison.rows[row].settings) {
      if (setting.first != "model") added.settings.push_back(setting);
    }
    added.weights = job.scheme.weights;
    added.scores = std::move(outcomes[row].scores);
    const LanguageModel& model = inputs.at(added.model).model();
    added.bits =
        quantized_bits(model, job.scheme, residual_norms(model.architecture(), job.transform));
    added.uses = std::move(outcomes[row].uses);
    added.seconds = outcomes[row].seconds;
  }
  return result;
}

}  // namespace

ScalingResult run_scaling(const Comparison& comparison, Progress& progress, bool restart) {
  const Job& job = comparison.job;
  require_texts(job, "a scaling job needs a text to measure on");
  const ComparedInputs inputs(comparison.rows);
  check(comparison, inputs);
  OutputFolder folder(job.output, Leftovers::keep);
  continue_job(folder, fingerprint(comparison, inputs), restart, FinishedRows(folder).any());
  std::vector<Outcome> outcomes = Scaling(comparison, inputs, folder, progress).run();
  std::vector<ScaledModel> models;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    HiddenMemory memory(job.memory_limit, job.output);
    const auto first = std::ranges::find_if(comparison.rows, [&](const ComparisonRow& row) {
      return inputs.model_of(static_cast<std::size_t>(&row - comparison.rows.data())) == i;
    });
    models.push_back(model_of(inputs, i, first->job, progress, memory));
  }
  ScalingResult result = put_together(comparison, inputs, std::move(models), std::move(outcomes));
  write_text(folder.stage("scaling.json"), to_json(result, job).dump(2) + "\n");
  stage_reports(folder, progress);
  folder.commit();
  return result;
}

}  // namespace evenkeel
