#include "calib/runner.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "calib/calibration.h"
#include "calib/evaluation_stream.h"
#include "calib/job_inputs.h"
#include "calib/layout_notes.h"
#include "calib/output_folder.h"
#include "calib/outputs.h"
#include "calib/staged_job.h"
#include "calib/summary.h"
#include "io/errors.h"
#include "io/json_reader.h"
#include "transforms/site.h"

namespace evenkeel {
namespace {

void tell_layout(const Job& job, const Architecture& architecture, Progress& progress) {
  if (!residual_norms(architecture, job.transform).empty()) {
    progress.note(
        "the residual of this post-LayerNorm model undoes each fold by tensors of its own "
        "(*.residual_scale, *.residual_shift), which only calibrate reads; for other readers set "
        "transform.plain_layout: true, which leaves those sites alone");
  }
  for (const std::string& note : layout_notes(architecture, job.scheme)) progress.note(note);
}

// Throws: UsageError when quantized/ could not hold what the scheme makes of the weights.
void check_packing(const Job& job, const Architecture& architecture) {
  if (const auto fault = packing_fault(architecture, job.scheme)) {
    throw UsageError(fmt::format("{}: scheme.weights: {}", job.file.string(), *fault));
  }
}

void tell_finished(const Outputs& outputs, const OutputFolder& folder, Progress& progress) {
  if (outputs.found_damage()) {
    progress.remark(fmt::format("block {} in {} is damaged; it and those behind it are made anew",
                                outputs.finished(), folder.staging().string()));
  }
  if (outputs.finished() > 0) {
    progress.remark(fmt::format("continues after block {}, the last one that is finished in {}",
                                outputs.finished() - 1, folder.staging().string()));
  }
}

std::vector<TextScore> scores_of_input(const JobInputs& inputs, const OutputFolder& folder,
                                       Progress& progress, HiddenMemory& memory) {
  if (inputs.texts().empty()) return {};
  if (auto kept = kept_scores(folder, inputs.texts())) return std::move(*kept);
  std::vector<TextScore> scores =
      full_precision_scores(inputs.model(), inputs.texts(), progress, &memory);
  keep_scores(folder, scores);
  return scores;
}

nlohmann::ordered_json make_outputs(const Job& job, const JobInputs& inputs,
                                    const std::vector<Encoding>& samples, OutputFolder& folder,
                                    Progress& progress, Stopwatch& stopwatch) {
  const BlockOptions options = block_options(job, true);
  Outputs outputs(job, options, inputs.model(), folder, stopwatch);
  HiddenMemory memory(job.memory_limit, job.output);
  try {
    tell_finished(outputs, folder, progress);
    tell_layout(job, inputs.model().architecture(), progress);
    const auto full_precision = stopwatch.time(
        Phase::evaluate, [&] { return scores_of_input(inputs, folder, progress, memory); });
    const CalibrationOutcome outcome = calibrate_model(
        inputs.model(), samples, options, inputs.texts(), &outputs, progress, stopwatch, &memory);
    auto summary = summarize(job, inputs.model(), full_precision, outcome, stopwatch);
    outputs.commit(summary, progress);
    return summary;
  } catch (const InputError&) {
    // The same job on the same data would come to the same error.
    folder.keep(false);
    throw;
  } catch (const MachineError& error) {
    if (outputs.finished() == 0) throw;
    throw MachineError(
        fmt::format("{} ({} of {} blocks are finished, and kept for when the job is run again)",
                    error.what(), outputs.finished(), inputs.model().architecture().blocks));
  }
}

}  // namespace

nlohmann::ordered_json run_job(const Job& job, Progress& progress, const RunOptions& options) {
  Stopwatch stopwatch;
  const JobInputs inputs(job);
  inputs.check_choices(job);
  check_packing(job, inputs.model().architecture());
  const std::vector<Encoding> samples = inputs.samples(job);
  OutputFolder folder(job.output, Leftovers::keep);
  const Fingerprint fingerprint = fingerprint_of(job, inputs.model().checkpoint());
  if (continue_job(folder, fingerprint, options.restart, block_parts(folder).has(0)) ==
      Earlier::all) {
    progress.remark("the killed job was complete; its outputs are in place now");
    return JsonReader(job.output / "summary.json").document();
  }
  return make_outputs(job, inputs, samples, folder, progress, stopwatch);
}

}  // namespace evenkeel
