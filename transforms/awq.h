// AWQ, activation-aware weight quantization (Lin et al. 2023): a scale that spares the weights of
// channels with large activations.
#pragma once

#include <vector>

#include "io/matrix.h"
#include "quantizers/scheme.h"
#include "transforms/site_scorer.h"
#include "transforms/site_transform.h"

namespace evenkeel {

/// Mean magnitude of each channel over the tokens of all samples, padding left out; in double.
/// REQUIRES: as channel_extrema.
Vector mean_magnitude(const std::vector<Matrix>& samples, const std::vector<TokenMask>& masks = {});

/// s_j = max(mean|X_j|^alpha, 1e-4), then divided by sqrt(max s * min s). Source: Eq. 5, and the
/// published program for the clamp and the division.
Vector awq_scale(const ConstVectorView& magnitude, double alpha);

/// The alphas that are tried: 0, 0.05, ..., 0.95.
std::vector<double> awq_alphas();

/// The scale of the alpha of least output error with the weights alone quantized, whatever the
/// scheme does to activations; of equal ones the smaller alpha. No shift. The published program's
/// outputs are those of Reach::projection. It takes the mean of squares over tokens, which the few
/// tokens with the largest outputs decide; here each token's error is relative to its output's
/// energy. The clip search of weights comes when they are rounded (quantizers/clip_search.h).
/// Throws: InputError when a loss is not finite.
SiteTransform awq(ScoredSite site, const TensorScheme& weights);

}  // namespace evenkeel
