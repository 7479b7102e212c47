#include "transforms/site_errors.h"

#include <utility>

#include "transforms/candidate_quantizer.h"
#include "transforms/site_scorer.h"

namespace evenkeel {
namespace {

double squared_difference(const Matrix& a, const Matrix& b) {
  return (a.cast<double>() - b.cast<double>()).squaredNorm();
}

void add_input_errors(const ScoredSite& site, const Candidate& candidate,
                      const ChannelExtrema& extrema, SiteErrors& errors) {
  errors.low = (extrema.low.array() / candidate.scale.array()).minCoeff();
  errors.high = (extrema.high.array() / candidate.scale.array()).maxCoeff();
  double tokens = 0.0;
  for (std::size_t sample = 0; sample < site.inputs.size(); ++sample) {
    const Matrix input = site.inputs[sample].array().rowwise() / candidate.scale.array();
    Matrix quantized = input;
    candidate.input.apply(quantized);
    for (Index row = 0; row < input.rows(); ++row) {
      if (is_padding(site.masks, sample, row)) continue;
      tokens += 1.0;
      errors.input += squared_difference(quantized.row(row), input.row(row));
    }
  }
  errors.input /= tokens;
}

double weight_error(const ScoredSite& site, const Vector& scale, const TensorScheme& weights) {
  const Matrix weight = site.weight.array().rowwise() * scale.array();
  Matrix quantized = weight;
  fake_quantize_tensors(site.tensor_rows, weights, quantized);
  return squared_difference(quantized, weight);
}

}  // namespace

SiteErrors site_errors(ScoredSite site, const ChannelTransform& transform, const Scheme& scheme) {
  SiteScorer scorer(std::move(site), scheme.weights);
  scorer.shift_by(transform.shift);
  const ScoredSite& shifted = scorer.site();
  const ChannelExtrema extrema = channel_extrema(shifted.inputs, shifted.masks);
  const Candidate candidate{transform.scale,
                            scaled_quantizer(scheme.activations, extrema, transform.scale)};
  SiteErrors errors;
  add_input_errors(shifted, candidate, extrema, errors);
  errors.weight = weight_error(shifted, transform.scale, scheme.weights);
  errors.output = *scorer.loss(candidate);
  return errors;
}

}  // namespace evenkeel
