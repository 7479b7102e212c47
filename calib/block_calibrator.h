// One block: observe, transform each site, fold, quantize.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calib/hidden_stream.h"
#include "calib/kept_columns.h"
#include "calib/stopwatch.h"
#include "model/block.h"
#include "model/language_model.h"
#include "quantizers/scheme.h"
#include "quantizers/weight_quantizer.h"
#include "transforms/options.h"
#include "transforms/site.h"
#include "transforms/site_transform.h"

namespace evenkeel {

class SharedObservation;

/// How a block is calibrated; the same for every block of a job.
struct BlockOptions {
  TransformOptions transform;
  Scheme scheme;
  std::size_t batch = 8;
  /// Keep per-channel statistics of every node and the codes of the weights, for writing. Without
  /// it only what the method needs is observed.
  bool keep = true;
  /// Measure the quantization errors of each site before and after its transform; the search's
  /// inputs are then twice in memory.
  bool site_errors = false;
  /// Columns of weights that stay in 16 bits, where the scheme has them (proxy_percent).
  KeptColumns kept_columns{};
};

struct SiteResult {
  Site site;
  SiteTransform found;
};

struct BlockResult {
  Block folded;     // full precision, shift and scale folded in
  Block quantized;  // the same with weights quantized and dequantized
  /// By `stored_linears`, empty for those that are not quantized; nothing unless kept.
  std::vector<QuantizedWeight> codes;
  NodeQuantizers quantizers;
  std::optional<double> clip;                // of token-wise clipping, where it was searched
  std::vector<SiteResult> sites;             // empty for Method::none
  std::vector<std::string> untouched_sites;  // of experts to which no sample's token was sent
  std::vector<std::string> without_tokens;   // experts' linears that GPTQ rounded to the nearest
  NodeStatistics statistics;                 // before the transform; empty unless kept
  /// What attention gives for each window, as the ranges were found; empty when it is not known.
  std::shared_ptr<HiddenStore> contexts = std::make_shared<HiddenStore>();
};

/// Calibrates `block` on what `stream` holds: the inputs of this block for every window.
/// The stream is not advanced. `observation`, of this block and stream, is shared with other
/// calibrations; null: there is none. REQUIRES: it covers the windows that are searched on.
/// Throws: InputError naming the site or node when an activation is not finite;
/// MachineError naming the site when a fold does not keep the block's output within rounding.
BlockResult calibrate_block(const Architecture& architecture, Block block,
                            const HiddenStream& stream, const BlockOptions& options,
                            Stopwatch& stopwatch, SharedObservation* observation = nullptr);

/// Moves the stream past a block as `scheme.propagate` says: as it was quantized, or as the model
/// stores it.
void advance_past(const LanguageModel& model, Index number, const BlockResult& result,
                  const Scheme& scheme, HiddenStream& stream);

}  // namespace evenkeel
