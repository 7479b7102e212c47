// What is to be told of a finished block: what calibration.h5, the summary and a job that is
// continued need to know beside its tensors.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "calib/block_calibrator.h"
#include "io/matrix.h"
#include "model/node.h"
#include "model/quantizing_tap.h"
#include "quantizers/affine.h"
#include "transforms/site_transform.h"

namespace evenkeel {

/// By channel, or by head at attention.probabilities.
struct NodeRecord {
  Vector low, high, absmax, mean, variance;
  std::vector<Range> ranges;  // of a static quantizer: one, or one per channel or head
};

struct SiteRecord {
  std::string name;  // within its block
  SiteTransform found;
};

struct BlockRecord {
  std::vector<SiteRecord> sites;  // in the order in which they were folded
  std::array<NodeRecord, node_count> nodes;
  std::optional<double> clip;
  std::vector<std::string> untouched_sites;
  std::vector<std::string> without_tokens;
  std::string choices;  // choices_of (calib/run_id.h)
};

/// REQUIRES: statistics and codes were kept.
BlockRecord record_of(const BlockResult& result);

/// The entries of a node's statistics and, per channel or head, of its ranges.
Index channels_of(Node node, const Architecture& architecture);

/// The quantizer of a node of `channels` channels under its scheme; nothing when `ranges` cannot be
/// its: not as many as it has, or not finite.
std::optional<ActivationQuantizer> quantizer_of(const TensorScheme& scheme,
                                                std::vector<Range> ranges, Index channels);

/// Those of every node of a block; nothing when the record does not fit architecture and scheme.
std::optional<NodeQuantizers> quantizers_of(const BlockRecord& record, Index number,
                                            const Architecture& architecture, const Scheme& scheme);

}  // namespace evenkeel
