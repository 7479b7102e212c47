#include "transforms/site_errors.h"

#include "quantizers/weight_quantizer.h"
#include "transforms/candidate_quantizer.h"
#include "transforms/site_scorer.h"

namespace evenkeel {
namespace {

double squared_difference(const Matrix& a, const Matrix& b) {
  return (a - b).cast<double>().squaredNorm();
}

void add_input_errors(const ScoredSite& site, const ChannelTransform& transform,
                      const TensorScheme& activations, SiteErrors& errors) {
  std::vector<Matrix> inputs = site.inputs;
  for (Matrix& input : inputs) input.rowwise() -= transform.shift;
  const ChannelExtrema extrema = channel_extrema(inputs, site.masks);
  errors.low = (extrema.low.array() / transform.scale.array()).minCoeff();
  errors.high = (extrema.high.array() / transform.scale.array()).maxCoeff();
  const ActivationQuantizer quantizer = scaled_quantizer(activations, extrema, transform.scale);
  double tokens = 0.0;
  for (std::size_t sample = 0; sample < inputs.size(); ++sample) {
    Matrix& input = inputs[sample];
    input.array().rowwise() /= transform.scale.array();
    Matrix quantized = input;
    quantizer.apply(quantized);
    for (Index row = 0; row < input.rows(); ++row) {
      if (is_padding(site.masks, sample, row)) continue;
      tokens += 1.0;
      errors.input += squared_difference(quantized.row(row), input.row(row));
    }
  }
  errors.input /= tokens;
}

}  // namespace

SiteErrors site_errors(const ScoredSite& site, const ChannelTransform& transform,
                       const Scheme& scheme) {
  SiteErrors errors;
  add_input_errors(site, transform, scheme.activations, errors);
  Index first = 0;
  for (const Index rows : site.tensor_rows) {
    Matrix weight = site.weight.middleRows(first, rows);
    weight.array().rowwise() *= transform.scale.array();
    Matrix quantized = weight;
    fake_quantize_weight(quantized, scheme.weights);
    errors.weight += squared_difference(quantized, weight);
    first += rows;
  }
  return errors;
}

}  // namespace evenkeel
