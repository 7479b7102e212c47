#include "calib/side_by_side.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "calib/model_calibration.h"
#include "calib/ordered_parallel.h"
#include "calib/shared_observation.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

// One calibration: its share of the memory, its own samples unless they are shared, its texts.
class Lane {
 public:
  Lane(const LanguageModel& model, const std::vector<Encoding>& samples,
       const BlockOptions& options, const std::vector<EvaluationText>& texts, HiddenStream* shared,
       std::uint64_t memory_limit, const std::filesystem::path& spill_folder)
      : memory_(memory_limit, spill_folder),
        own_(shared == nullptr
                 ? std::optional<HiddenStream>(std::in_place, model, samples, &memory_)
                 : std::nullopt),
        stream_(shared == nullptr ? *own_ : *shared),
        calibration_(model, options, texts, stopwatch_, &memory_) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  const HiddenStream& stream() const { return stream_; }

  void calibrate(const Block& block, SharedObservation* observation) {
    attempt([&] { result_.emplace(calibration_.calibrate(block, stream_, observation)); });
  }
  void advance(const LanguageModel& model, Index number) {
    attempt([&] {
      if (own_ && number + 1 < model.architecture().blocks) {
        stopwatch_.time(Phase::quantize, [&] {
          advance_past(model, number, *result_, calibration_.options().scheme, *own_);
        });
      }
      calibration_.evaluate(*result_);
    });
  }
  void tell(Index number, Progress& progress) {
    if (failure_.empty()) calibration_.tell(number, *result_, progress);
    result_.reset();
  }
  SideBySideResult finish() {
    CalibrationOutcome outcome;
    attempt([&] { outcome = calibration_.finish(); });
    return {std::move(outcome), failure_, stopwatch_};
  }

 private:
  template <typename Work>
  void attempt(const Work& work) {
    if (!failure_.empty()) return;
    try {
      work();
    } catch (const InputError& error) {
      failure_ = error.what();
    }
  }

  std::string failure_;
  HiddenMemory memory_;
  Stopwatch stopwatch_;
  std::optional<HiddenStream> own_;
  const HiddenStream& stream_;
  ModelCalibration calibration_;
  std::optional<BlockResult> result_;  // of the block at hand
};

std::size_t search_windows(const std::vector<BlockOptions>& options, std::size_t samples) {
  std::size_t most = 0;
  for (const BlockOptions& each : options) {
    most = std::max(most, static_cast<std::size_t>(each.transform.search_samples));
  }
  return std::min(most, samples);
}

std::uint64_t tokens_of(const std::vector<Encoding>& windows) {
  std::uint64_t tokens = 0;
  for (const Encoding& window : windows) tokens += window.ids.size();
  return tokens;
}

}  // namespace

std::vector<SideBySideResult> calibrate_side_by_side(const LanguageModel& model,
                                                     const std::vector<Encoding>& samples,
                                                     const std::vector<BlockOptions>& options,
                                                     const std::vector<EvaluationText>& texts,
                                                     Progress& progress, std::uint64_t memory_limit,
                                                     const std::filesystem::path& spill_folder) {
  const Architecture& architecture = model.architecture();
  const auto in_full_precision = [](const BlockOptions& each) {
    return each.scheme.propagate == Propagate::full_precision;
  };
  const bool share = std::ranges::count_if(options, in_full_precision) > 1;
  const std::uint64_t part = memory_limit / (options.size() + (share ? 1 : 0));
  HiddenMemory shared_memory(part, spill_folder);
  std::optional<HiddenStream> shared;
  if (share) shared.emplace(model, samples, &shared_memory);
  std::vector<std::unique_ptr<Lane>> lanes;
  for (const BlockOptions& each : options) {
    for (const std::string& note : site_notes(architecture, each.transform)) progress.note(note);
    lanes.push_back(std::make_unique<Lane>(model, samples, each, texts,
                                           shared && in_full_precision(each) ? &*shared : nullptr,
                                           part, spill_folder));
  }
  const auto blocks = static_cast<int>(architecture.blocks);
  for (Index number = 0; number < architecture.blocks; ++number) {
    progress.step("calibrate", static_cast<int>(number), blocks, fmt::format("block {}", number));
    const Block block = model.load_block(number);
    const HiddenStream& observed = shared ? *shared : lanes.front()->stream();
    SharedObservation observation(architecture, block, observed,
                                  search_windows(options, samples.size()));
    side_by_side(lanes.size(), [&](std::size_t i) {
      const bool same_input = number == 0 || (shared && &lanes[i]->stream() == &observed);
      lanes[i]->calibrate(block, same_input ? &observation : nullptr);
    });
    side_by_side(lanes.size(), [&](std::size_t i) { lanes[i]->advance(model, number); });
    for (const auto& lane : lanes) lane->tell(number, progress);
    if (shared && number + 1 < architecture.blocks) shared->advance(architecture, block, {});
  }
  progress.step("calibrate", blocks, blocks, "finish");
  std::vector<SideBySideResult> results;
  for (const auto& lane : lanes) results.push_back(lane->finish());
  return results;
}

std::size_t calibrations_at_once(const LanguageModel& model, const std::vector<Encoding>& samples,
                                 const std::vector<EvaluationText>& texts,
                                 std::uint64_t memory_limit) {
  std::uint64_t tokens = tokens_of(samples);
  for (const EvaluationText& text : texts) tokens += tokens_of(text.windows);
  const Architecture& architecture = model.architecture();
  const auto block = static_cast<std::uint64_t>(model.checkpoint().parameters()) /
                     static_cast<std::uint64_t>(architecture.blocks);
  const std::uint64_t bytes =
      sizeof(float) * (tokens * static_cast<std::uint64_t>(architecture.channels) + 2 * block);
  return static_cast<std::size_t>(
      std::max<std::uint64_t>(1, memory_limit / std::max<std::uint64_t>(bytes, 1)));
}

}  // namespace evenkeel
