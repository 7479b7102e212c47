// Several calibrations on the same samples, block by block together: each block is loaded once, and
// what they have in common is found once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "calib/calibration.h"

namespace evenkeel {

struct SideBySideResult {
  CalibrationOutcome outcome;
  std::string failure;  // empty, or why there is no outcome: what its InputError said
  Stopwatch stopwatch;  // seconds in which the others were at work as well
};

/// Gives for each of `options` what calibrate_model gives, to the bit. Those that propagate full
/// precision share one stream of samples and its statistics; in the first block all do. Of the
/// hidden states `memory_limit` bytes are held in memory, the others in a file in `spill_folder`.
/// Progress is told by block. One whose activations overflow fails alone.
/// Throws: InputError when a block cannot be loaded; MachineError as calibrate_model, of several
/// that of the first of `options`.
std::vector<SideBySideResult> calibrate_side_by_side(const LanguageModel& model,
                                                     const std::vector<Encoding>& samples,
                                                     const std::vector<BlockOptions>& options,
                                                     const std::vector<EvaluationText>& texts,
                                                     Progress& progress, std::uint64_t memory_limit,
                                                     const std::filesystem::path& spill_folder);

/// How many calibrations have room side by side: hidden states within `memory_limit`, and each
/// block's working copies. At least one.
std::size_t calibrations_at_once(const LanguageModel& model, const std::vector<Encoding>& samples,
                                 const std::vector<EvaluationText>& texts,
                                 std::uint64_t memory_limit);

}  // namespace evenkeel
