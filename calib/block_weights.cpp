#include "calib/block_weights.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "calib/node_ranges.h"
#include "calib/scheme_places.h"
#include "io/errors.h"
#include "model/experts.h"
#include "model/forward.h"
#include "quantizers/clip_search.h"
#include "quantizers/gptq.h"

namespace evenkeel {
namespace {

// All but the rows of query and key: their errors multiply in the attention's scores, of which the
// product of one of them says little.
void clip(const StoredLinear& stored, const ClipSearch& search, const TensorScheme& scheme,
          Matrix& weight) {
  const auto in_scores = [](const StoredPart& part) {
    return part.place.role == LinearRole::query || part.place.role == LinearRole::key;
  };
  if (std::ranges::all_of(stored.parts, in_scores)) return;
  Matrix limits = search.limits(weight);
  for (const StoredPart& part : stored.parts) {
    if (!in_scores(part)) continue;
    for (const Index row : part.rows) {
      limits.row(row).setConstant(std::numeric_limits<float>::infinity());
    }
  }
  clip_weight(weight, limits, scheme);
}

}  // namespace

BlockWeights::BlockWeights(const Architecture& architecture, Index number,
                           const HiddenStream& stream, const Scheme& scheme, std::size_t batch,
                           bool keep, bool clip, KeptColumns kept)
    : architecture_(architecture),
      number_(number),
      stream_(stream),
      scheme_(scheme),
      batch_(batch),
      keep_(keep),
      clip_(clip),
      kept_(std::move(kept)),
      stored_(stored_linears(architecture, number)),
      done_(stored_.size()) {
  if (keep_) codes_.resize(stored_.size());
}

void BlockWeights::quantize(const Block& folded, Block& quantized, std::optional<Node> end) {
  const std::size_t stop = end ? index_of(*end) : node_count;
  for (const Node node : all_nodes) {
    if (index_of(node) >= stop) break;
    const std::vector<Readers> groups = pending(node);
    if (groups.empty()) continue;
    NodeQuantizers known;
    if (reads_inputs()) known = quantizers_through(node, quantized);
    for (const Readers& readers : groups) {
      quantize_readers(node, readers, known, folded, quantized);
    }
  }
}

void BlockWeights::changed(LinearPlace place) {
  for (std::size_t i = 0; i < stored_.size(); ++i) {
    if (stored_[i].holds_any({&place, 1})) done_[i] = false;
  }
}

bool BlockWeights::quantizes(const StoredLinear& stored) const {
  return is_quantized(scheme_, number_, stored);
}

bool BlockWeights::quantizes_any(const std::vector<LinearPlace>& places) const {
  return std::ranges::any_of(stored_, [&](const StoredLinear& stored) {
    return quantizes(stored) && stored.holds_any(places);
  });
}

std::optional<Index> BlockWeights::expert_of(const StoredLinear& stored) const {
  if (!architecture_.by_expert(stored.role())) return std::nullopt;
  return stored.parts.front().place.expert;
}

std::vector<BlockWeights::Readers> BlockWeights::pending(Node node) const {
  std::map<std::optional<Index>, Readers> by_expert;
  for (std::size_t i = 0; i < stored_.size(); ++i) {
    if (done_[i] || !quantizes(stored_[i]) || input_of(stored_[i].role()) != node) continue;
    by_expert[expert_of(stored_[i])].push_back(i);
  }
  std::vector<Readers> groups;
  for (auto& [expert, readers] : by_expert) groups.push_back(std::move(readers));
  return groups;
}

// Of the nodes up to `node` itself, as the linears that read it find them.
NodeQuantizers BlockWeights::quantizers_through(Node node, const Block& quantized) const {
  if (scheme_.propagate == Propagate::full_precision) return {};
  const std::size_t next = index_of(node) + 1;
  const auto end = next < node_count ? std::optional(all_nodes[next]) : std::nullopt;
  return observe_ranges(architecture_, quantized, stream_, stream_.size(), batch_, scheme_, end);
}

void BlockWeights::quantize_readers(Node node, const Readers& readers, const NodeQuantizers& known,
                                    const Block& folded, Block& quantized) {
  std::vector<QuantizedWeight> codes = rounded(node, readers, known, folded, quantized);
  for (std::size_t i = 0; i < readers.size(); ++i) {
    const StoredLinear& stored = stored_[readers[i]];
    // The old weight goes before the new one comes.
    for (const StoredPart& part : stored.parts) quantized.linear(part.place).weight.resize(0, 0);
    split_weight(stored, codes[i], quantized);
    if (keep_) codes_[readers[i]] = std::move(codes[i]);
    done_[readers[i]] = true;
  }
}

std::vector<QuantizedWeight> BlockWeights::rounded(Node node, const Readers& readers,
                                                   const NodeQuantizers& known, const Block& folded,
                                                   const Block& quantized) {
  std::vector<QuantizedWeight> codes(readers.size());
  const auto round_each = [&](const auto& round) {
    tbb::parallel_for(std::size_t{0}, readers.size(), [&](std::size_t i) {
      const StoredLinear& stored = stored_[readers[i]];
      Matrix room;
      codes[i] = round(stored, joined_weight(stored, folded, room));
    });
    return std::move(codes);
  };
  const auto to_nearest = [&](const StoredLinear& stored, const Matrix& w) {
    return quantize_linear(w, scheme_, number_, stored, kept_);
  };
  if (!reads_inputs()) return round_each(to_nearest);

  const StoredLinear& first = stored_[readers.front()];
  std::optional<InputHessian> hessian;
  if (scheme_.weights.rounding == Rounding::gptq) hessian.emplace(first.columns);
  std::optional<ClipSearch> search;
  if (clip_) search.emplace(first.columns, scheme_.weights);
  const Index tokens =
      visit_inputs(node, expert_of(first), known, folded, quantized, [&](const Matrix& values) {
        if (hessian) hessian->observe(values);
        if (search) search->observe(values);
      });
  if (tokens == 0) {
    for (const std::size_t reader : readers) without_tokens_.push_back(stored_[reader].module);
    return round_each(to_nearest);
  }
  try {
    std::optional<GptqFactor> factor;
    if (hessian) factor.emplace(hessian->finish(), scheme_.weights.gptq);
    const auto round = [&](const Matrix& w) {
      return factor ? gptq(w, *factor, scheme_.weights) : quantize_weight(w, scheme_.weights);
    };
    return round_each([&](const StoredLinear& stored, const Matrix& w) {
      if (!search) return round(w);
      Matrix clipped = w;
      clip(stored, *search, scheme_.weights, clipped);
      return round(clipped);
    });
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", name_of(node), error.what()));
  }
}

// Gives `take` what the linears that read `node` read, in the order of the stream; an expert's
// linears those tokens that were sent to it. Returns how many tokens that were.
Index BlockWeights::visit_inputs(Node node, std::optional<Index> expert,
                                 const NodeQuantizers& known, const Block& folded,
                                 const Block& quantized,
                                 const std::function<void(const Matrix&)>& take) const {
  const Block& block = scheme_.propagate == Propagate::quantized ? quantized : folded;
  Index tokens = 0;
  stream_.capture_in_order(
      architecture_, block, known, node, expert.value_or(0), [&](Matrix values) {
        // The router reads the node before its quantizer, which sees all of the sequence's tokens.
        std::vector<Routing> routing;
        if (expert && node == Node::mlp_input) routing = routing_of(architecture_, block, values);
        if (const auto& quantizer = known[index_of(node)]; quantizer && values.rows() > 0) {
          quantizer->apply(values);
        }
        if (!routing.empty()) {
          const auto& sent = routing[static_cast<std::size_t>(*expert)].tokens;
          values = Matrix(values(sent, Eigen::all));
        }
        if (values.rows() == 0) return;
        tokens += values.rows();
        take(values);
      });
  return tokens;
}

}  // namespace evenkeel
