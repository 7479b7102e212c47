#include "calib/calibration.h"

#include <fmt/format.h>

#include "calib/model_calibration.h"

namespace evenkeel {

CalibrationOutcome calibrate_model(const LanguageModel& model, const std::vector<Encoding>& samples,
                                   const BlockOptions& options,
                                   const std::vector<EvaluationText>& texts, BlockSink* sink,
                                   Progress& progress, Stopwatch& stopwatch, HiddenMemory* memory) {
  const Architecture& architecture = model.architecture();
  const auto blocks = static_cast<int>(architecture.blocks);
  for (const std::string& note : site_notes(architecture, options.transform)) progress.note(note);
  HiddenStream stream(model, samples, memory);
  ModelCalibration calibration(model, options, texts, stopwatch, memory);
  const Index finished = sink == nullptr ? 0 : sink->finished();
  for (Index number = 0; number < architecture.blocks; ++number) {
    const bool is_finished = number < finished;
    progress.step(is_finished ? "replay" : "calibrate", static_cast<int>(number),
                  is_finished ? static_cast<int>(finished) : blocks,
                  fmt::format("block {}", number));
    const BlockResult result = is_finished
                                   ? sink->finished_block(number)
                                   : calibration.calibrate(model.load_block(number), stream);
    calibration.tell(number, result, progress);
    if (sink != nullptr && !is_finished) sink->take(number, result);
    if (number + 1 < architecture.blocks) {
      stopwatch.time(Phase::quantize,
                     [&] { advance_past(model, number, result, options.scheme, stream); });
    }
    calibration.evaluate(result);
  }
  progress.step("calibrate", blocks, blocks, "finish");
  return calibration.finish();
}

}  // namespace evenkeel
