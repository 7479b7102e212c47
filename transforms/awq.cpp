#include "transforms/awq.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "transforms/candidate_search.h"

namespace evenkeel {

Vector mean_magnitude(const std::vector<Matrix>& samples, const std::vector<TokenMask>& masks) {
  Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(samples.front().cols());
  double tokens = 0.0;
  for (std::size_t sample = 0; sample < samples.size(); ++sample) {
    for (Index row = 0; row < samples[sample].rows(); ++row) {
      if (is_padding(masks, sample, row)) continue;
      sum += samples[sample].row(row).cast<double>().cwiseAbs();
      tokens += 1.0;
    }
  }
  return (sum / tokens).cast<float>();
}

Vector awq_scale(const ConstVectorView& magnitude, double alpha) {
  constexpr double smallest = 1e-4;
  Eigen::RowVectorXd scale(magnitude.size());
  for (Index j = 0; j < magnitude.size(); ++j) {
    scale(j) = std::max(std::pow(static_cast<double>(magnitude(j)), alpha), smallest);
  }
  return (scale / std::sqrt(scale.maxCoeff() * scale.minCoeff())).cast<float>();
}

std::vector<double> awq_alphas() {
  std::vector<double> alphas;
  alphas.reserve(20);
  for (int i = 0; i < 20; ++i) alphas.push_back(i / 20.0);
  return alphas;
}

SiteTransform awq(ScoredSite site, const TensorScheme& weights) {
  site.relative_tokens = true;
  const SiteScorer scorer(std::move(site), weights);
  const ScoredSite& scored = scorer.site();
  const Vector magnitude = scored.ties.pooled(mean_magnitude(scored.inputs, scored.masks));
  const ActivationQuantizer as_it_is({.bits = unquantized_bits});
  SiteTransform result;
  result.transform = ChannelTransform::identity(scored.weight.cols());
  result.loss_before = *scorer.loss({result.transform.scale, as_it_is});
  result.thresholds = awq_alphas();
  const GridResult found =
      search_candidates(scorer, result.thresholds.size(), Search::exhaustive, [&](std::size_t i) {
        return Candidate{awq_scale(magnitude, result.thresholds[i]), as_it_is};
      });
  result.losses = found.losses;
  result.threshold = result.thresholds[found.best];
  result.loss_after = found.losses[found.best];
  result.transform.scale = awq_scale(magnitude, result.threshold);
  return result;
}

}  // namespace evenkeel
