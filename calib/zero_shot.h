// Figures of a model whose weights are quantized without calibration, as they are loaded.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "calib/hidden_memory.h"
#include "calib/progress.h"
#include "calib/quantized_model.h"
#include "calib/text_score.h"
#include "model/language_model.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// How often each code of the weights is used, over all linears; empty of uniform codes.
using CodeUses = std::vector<std::uint64_t>;

/// A block with the scheme's weights, rounded to the nearest, and dynamic quantizers of its nodes.
/// Adds to `uses`, if not null. The memory that the stored block took is released.
/// REQUIRES: is_dynamic(scheme). Throws: InputError as load_block and quantize_weight.
RunnableBlock zero_shot_block(const LanguageModel& model, Index number, const Scheme& scheme,
                              CodeUses* uses = nullptr);

using BlockLoader = std::function<RunnableBlock(Index number)>;

/// Figures of the model whose blocks `load` gives, one in memory at a time. Of the states, `memory`
/// holds what it has room for; all when null. Throws: InputError when a figure is not a number;
/// MachineError as HiddenStream.
std::vector<TextScore> scores_by_block(const LanguageModel& model,
                                       const std::vector<EvaluationText>& texts,
                                       const BlockLoader& load, Progress& progress,
                                       HiddenMemory* memory);

}  // namespace evenkeel
