#include "calib/model_calibration.h"

#include <utility>

#include <fmt/format.h>

#include "io/errors.h"

namespace evenkeel {

ModelCalibration::ModelCalibration(const LanguageModel& model, const BlockOptions& options,
                                   const std::vector<EvaluationText>& texts, Stopwatch& stopwatch,
                                   HiddenMemory* memory)
    : model_(model), options_(options), stopwatch_(stopwatch), evaluation_(model, texts, memory) {
  if (!options_.kept_columns) {
    options_.kept_columns = proxies_of(model.checkpoint(), model.architecture());
  }
}

BlockResult ModelCalibration::calibrate(Block block, const HiddenStream& stream,
                                        SharedObservation* observation) {
  const Index number = block.number;
  const auto named = [&](const std::exception& error) {
    return fmt::format("{}: block {}: {}", model_.checkpoint().folder().string(), number,
                       error.what());
  };
  try {
    return calibrate_block(model_.architecture(), std::move(block), stream, options_, stopwatch_,
                           observation);
  } catch (const InputError& error) {
    throw InputError(named(error));
  } catch (const MachineError& error) {
    throw MachineError(named(error));
  }
}

void ModelCalibration::evaluate(const BlockResult& result) {
  if (evaluation_.empty()) return;
  stopwatch_.time(Phase::evaluate, [&] {
    evaluation_.states().advance(model_.architecture(), result.quantized, result.quantizers);
  });
}

void ModelCalibration::tell(Index number, const BlockResult& result, Progress& progress) {
  for (const SiteResult& site : result.sites) {
    outcome_.sites.push_back({fmt::format("blocks.{}.{}", number, site.site.name),
                              site.found.threshold, site.found.loss_before, site.found.loss_after,
                              site.found.errors_before, site.found.errors_after});
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

CalibrationOutcome ModelCalibration::finish() {
  if (!evaluation_.empty()) {
    outcome_.scores = stopwatch_.time(Phase::evaluate, [&] { return evaluation_.finish(); });
  }
  return std::move(outcome_);
}

}  // namespace evenkeel
