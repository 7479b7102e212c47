// Sites made of random matrices, for what scores and searches them.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "support/random_matrix.h"
#include "transforms/site_scorer.h"

namespace evenkeel::support {

/// Query, key and value of as many channels as the input has, scaled by width^-0.5, each a tensor
/// of its own. `weight` [3 * channels, channels], `bias` [3 * channels].
inline ScoredSite attention_site(std::vector<Matrix> inputs, Matrix weight, Vector bias,
                                 AttentionOptions options, std::vector<TokenMask> masks = {}) {
  const Index channels = weight.cols();
  const Index width = channels / options.heads;
  ScoredSite site;
  site.inputs = std::move(inputs);
  site.masks = masks;
  site.weight = std::move(weight);
  site.bias = std::move(bias);
  site.tensor_rows = {channels, channels, channels};
  site.outputs = {attention_output({channels, channels, std::move(options),
                                    [width](MatrixView query, MatrixView /*key*/) {
                                      query *= 1.0F / std::sqrt(static_cast<float>(width));
                                    }},
                                   std::move(masks))};
  return site;
}

}  // namespace evenkeel::support
