#include "calib/runner.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "calib/calibration.h"
#include "calib/checkpoint_outputs.h"
#include "calib/evaluation_stream.h"
#include "calib/job_inputs.h"
#include "calib/layout_notes.h"
#include "calib/output_folder.h"
#include "calib/record.h"
#include "calib/run_id.h"
#include "calib/summary.h"
#include "io/errors.h"
#include "io/file.h"
#include "transforms/site.h"

namespace evenkeel {
namespace {

// Everything that a run leaves, in the making.
class Outputs final : public BlockSink {
 public:
  Outputs(const Job& job, const BlockOptions& options, const LanguageModel& model,
          Progress& progress)
      : folder_(job.output),
        id_(job.text),
        record_(folder_.stage("calibration.h5"), job.text, options),
        residual_norms_(residual_norms(model.architecture(), options.transform)),
        folded_(model, folder_.stage_folder("model"), residual_norms_),
        quantized_(model, folder_.stage_folder("quantized"), job.scheme, residual_norms_) {
    if (!residual_norms_.empty()) {
      progress.note(
          "the residual of this post-LayerNorm model undoes each fold by tensors of its own "
          "(*.residual_scale, *.residual_shift), which only calibrate reads; for other readers set "
          "transform.plain_layout: true, which leaves those sites alone");
    }
    for (const std::string& note : layout_notes(model.architecture(), job.scheme)) {
      progress.note(note);
    }
  }

  void take(Index number, const BlockResult& result) override {
    id_.block(result);
    record_.block(number, result);
    folded_.block(number, result.folded);
    quantized_.block(number, result);
  }

  void commit(const nlohmann::ordered_json& summary) {
    record_.commit(id_.text());
    folded_.finish();
    quantized_.finish(id_.text());
    write_text(folder_.stage("summary.json"), summary.dump(2) + "\n");
    folder_.commit();
  }

 private:
  OutputFolder folder_;
  RunId id_;
  RecordWriter record_;
  std::vector<std::string> residual_norms_;
  FoldedCheckpoint folded_;
  QuantizedCheckpoint quantized_;
};

// Throws: UsageError when quantized/ could not hold what the scheme makes of the weights.
void check_packing(const Job& job, const Architecture& architecture) {
  if (const auto fault = packing_fault(architecture, job.scheme)) {
    throw UsageError(fmt::format("{}: scheme.weights: {}", job.file.string(), *fault));
  }
}

}  // namespace

nlohmann::ordered_json run_job(const Job& job, Progress& progress) {
  Stopwatch stopwatch;
  const JobInputs inputs(job);
  inputs.check_choices(job);
  check_packing(job, inputs.model().architecture());
  const std::vector<Encoding> samples = inputs.samples(job);
  const BlockOptions options = block_options(job, true);
  Outputs outputs(job, options, inputs.model(), progress);
  HiddenMemory memory(job.memory_limit, job.output);
  const auto full_precision = stopwatch.time(Phase::evaluate, [&] {
    return full_precision_scores(inputs.model(), inputs.texts(), progress, &memory);
  });
  const CalibrationOutcome outcome = calibrate_model(
      inputs.model(), samples, options, inputs.texts(), &outputs, progress, stopwatch, &memory);
  auto summary = summarize(job, inputs.model(), full_precision, outcome, stopwatch);
  outputs.commit(summary);
  return summary;
}

}  // namespace evenkeel
