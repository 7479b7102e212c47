// What a site's readers and objectives are in a block, for the scorer.
#include <algorithm>

#include "model/forward.h"
#include "model/stored_linears.h"
#include "transforms/site_scorer.h"

namespace evenkeel {
namespace {

class Builder {
 public:
  Builder(const Architecture& architecture, const Block& block, const Site& site)
      : architecture_(architecture), block_(block), site_(site) {}

  ScoredSite build(std::vector<Matrix> inputs, std::vector<TokenMask> masks, Reach reach) {
    scored_.inputs = std::move(inputs);
    scored_.masks = std::move(masks);
    stack_readers();
    for (const Objective objective : site_.objectives) {
      scored_.outputs.push_back(reach == Reach::projection ? projected(objective)
                                                           : output(objective));
    }
    scored_.ties = ties_of(architecture_, site_);
    return std::move(scored_);
  }

 private:
  // Each output takes consecutive rows, so that readers come in the outputs' order; those that
  // one stored tensor holds are quantized together.
  void stack_readers() {
    std::vector<LinearPlace> places = site_.readers;
    std::erase_if(places, [&](LinearPlace place) {
      if (is_quantized(place.role)) return false;
      scored_.unscored_weight = block_.linear(place).weight;
      return true;
    });
    Index rows = 0;
    for (const LinearPlace place : places) rows += architecture_.rows(place.role);
    scored_.weight.resize(rows, block_.linear(places.front()).weight.cols());
    scored_.bias = Vector::Zero(rows);
    rows = 0;
    bool joins = false;  // the tensor before
    for (const LinearPlace place : places) {
      const Linear& reader = block_.linear(place);
      const Index count = reader.weight.rows();
      scored_.weight.middleRows(rows, count) = reader.weight;
      if (reader.bias.size() != 0) scored_.bias.segment(rows, count) = reader.bias;
      rows += count;
      if (joins) {
        scored_.tensor_rows.back() += count;
      } else {
        scored_.tensor_rows.push_back(count);
      }
      joins = !architecture_.fused_attention.empty() &&
              (place.role == LinearRole::query || place.role == LinearRole::key);
    }
  }

  std::shared_ptr<const SiteOutput> output(Objective objective) const {
    switch (objective) {
      case Objective::attention:
        return attention_output({architecture_.query_channels(), architecture_.key_value_channels(),
                                 attention_options(architecture_, block_.number),
                                 [&architecture = architecture_, norms = head_norms()](
                                     // NOLINTNEXTLINE(performance-unnecessary-value-param): views
                                     MatrixView query, MatrixView key) {
                                   prepare_attention(architecture, norms, query, key);
                                 }},
                                scored_.masks);
      case Objective::linear:
        return linear_output(site_.objectives.size() == 1
                                 ? scored_.weight.rows()
                                 : architecture_.rows(site_.readers.back().role));
      case Objective::gated:
        return gated_output(architecture_.ffn_channels, architecture_.activation);
      case Objective::mixture:
        return mixture_output(architecture_.ffn_channels, architecture_.activation, routing(),
                              architecture_.experts_per_token);
    }
    return nullptr;
  }

  std::shared_ptr<const SiteOutput> projected(Objective objective) const {
    if (objective == Objective::attention) {
      return projected_output(output(objective), block_.linear(LinearRole::output).weight);
    }
    if (objective == Objective::gated) {
      return projected_output(output(objective), block_.linear(LinearRole::down).weight);
    }
    return output(objective);
  }

  // The block as far as attention's products need it, kept because the scorer outlives the block.
  Block head_norms() const {
    Block norms;
    norms.number = block_.number;
    norms.norm(NormRole::query) = block_.norm(NormRole::query);
    norms.norm(NormRole::key) = block_.norm(NormRole::key);
    return norms;
  }

  std::vector<std::vector<Routing>> routing() const {
    std::vector<std::vector<Routing>> all;
    all.reserve(scored_.inputs.size());
    for (const Matrix& x : scored_.inputs) all.push_back(routing_of(architecture_, block_, x));
    return all;
  }

  const Architecture& architecture_;
  const Block& block_;
  const Site& site_;
  ScoredSite scored_;
};

}  // namespace

ChannelTies ties_of(const Architecture& architecture, const Site& site) {
  if (site.kind != SiteKind::output) return {};
  return {architecture.head_channels, architecture.heads / architecture.key_value_heads};
}

ScoredSite linear_site(std::vector<Matrix> inputs, const Linear& reader) {
  const Index rows = reader.weight.rows();
  ScoredSite site;
  site.inputs = std::move(inputs);
  site.weight = reader.weight;
  site.bias = reader.bias.size() != 0 ? reader.bias : Vector(Vector::Zero(rows));
  site.tensor_rows = {rows};
  site.outputs = {linear_output(rows)};
  return site;
}

ScoredSite scored_site(const Architecture& architecture, const Block& block, const Site& site,
                       std::vector<Matrix> inputs, std::vector<TokenMask> masks, Reach reach) {
  return Builder(architecture, block, site).build(std::move(inputs), std::move(masks), reach);
}

}  // namespace evenkeel
