#include "calib/calibration.h"

#include <utility>

#include <fmt/format.h>

#include "calib/evaluation_stream.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

BlockResult calibrate_number(const LanguageModel& model, Index number, const HiddenStream& stream,
                             const BlockOptions& options, Stopwatch& stopwatch) {
  Block block = load_block(model.checkpoint(), model.architecture(), number);
  release_block(model.checkpoint(), model.architecture(), number);
  try {
    return calibrate_block(model.architecture(), std::move(block), stream, options, stopwatch);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: block {}: {}", model.checkpoint().folder().string(), number,
                                 error.what()));
  } catch (const MachineError& error) {
    throw MachineError(fmt::format("{}: block {}: {}", model.checkpoint().folder().string(), number,
                                   error.what()));
  }
}

void tell(Index number, const BlockResult& result, std::vector<SiteSummary>& sites,
          Progress& progress) {
  for (const SiteResult& site : result.sites) {
    sites.push_back({fmt::format("blocks.{}.{}", number, site.site.name), site.found.threshold,
                     site.found.loss_before, site.found.loss_after, site.found.errors_before,
                     site.found.errors_after});
  }
  for (const std::string& site : result.untouched_sites) {
    progress.note(
        fmt::format("blocks.{}.{}: left alone, since no token of the search samples was "
                    "sent to the expert",
                    number, site));
  }
  for (const std::string& module : result.without_tokens) {
    progress.note(
        fmt::format("{}: rounded to the nearest, since no token was sent to the expert", module));
  }
}

}  // namespace

CalibrationOutcome calibrate_model(const LanguageModel& model, const std::vector<Encoding>& samples,
                                   const BlockOptions& given,
                                   const std::vector<EvaluationText>& texts, BlockSink* sink,
                                   Progress& progress, Stopwatch& stopwatch, HiddenMemory* memory) {
  const Architecture& architecture = model.architecture();
  BlockOptions options = given;
  if (!options.kept_columns) options.kept_columns = proxies_of(model.checkpoint(), architecture);
  const auto blocks = static_cast<int>(architecture.blocks);
  for (const std::string& note : site_notes(architecture, options.transform)) progress.note(note);
  HiddenStream stream(model, samples, memory);
  EvaluationStream evaluation(model, texts, memory);
  CalibrationOutcome outcome;
  const Index finished = sink == nullptr ? 0 : sink->finished();
  for (Index number = 0; number < architecture.blocks; ++number) {
    const bool is_finished = number < finished;
    progress.step(is_finished ? "replay" : "calibrate", static_cast<int>(number),
                  is_finished ? static_cast<int>(finished) : blocks,
                  fmt::format("block {}", number));
    const BlockResult result = is_finished
                                   ? sink->finished_block(number)
                                   : calibrate_number(model, number, stream, options, stopwatch);
    tell(number, result, outcome.sites, progress);
    if (sink != nullptr && !is_finished) sink->take(number, result);
    if (number + 1 < architecture.blocks) {
      stopwatch.time(Phase::quantize,
                     [&] { advance_past(architecture, result, options.scheme, stream); });
    }
    if (!evaluation.empty()) {
      stopwatch.time(Phase::evaluate, [&] {
        evaluation.states().advance(architecture, result.quantized, result.quantizers);
      });
    }
  }
  progress.step("calibrate", blocks, blocks, "finish");
  if (!evaluation.empty()) {
    outcome.scores = stopwatch.time(Phase::evaluate, [&] { return evaluation.finish(); });
  }
  return outcome;
}

}  // namespace evenkeel
