// SmoothQuant (Xiao et al. 2022): a scale from activation and weight maxima.
#pragma once

#include <vector>

#include "io/matrix.h"
#include "quantizers/scheme.h"
#include "transforms/site_scorer.h"
#include "transforms/site_transform.h"

namespace evenkeel {

/// s_j = max|X_j|^alpha / max|W_j|^(1 - alpha), clamped below at 1e-5 (as is max|W_j|), over
/// every row of `weight` [outputs, channels]: all consumers of the site stacked.
/// `absmax` [channels] is the largest magnitude of the site's input. Source: Eq. 4.
Vector smoothquant_scale(const ConstVectorView& absmax, const ConstMatrixView& weight,
                         double alpha);
/// The same of max|W_j| [channels].
Vector smoothquant_scale_of_maxima(const ConstVectorView& absmax,
                                   const ConstVectorView& weight_absmax, double alpha);

/// The alphas that a search tries: 0, 0.05, ..., 1.
std::vector<double> alpha_grid();

/// The scale for a given alpha, or, without one, for the alpha of least output error on
/// `site.inputs` (of equal ones the smaller). No shift.
/// Throws: InputError when a loss is not finite.
SiteTransform smoothquant(ScoredSite site, const ConstVectorView& absmax, const Scheme& scheme,
                          std::optional<double> alpha);

}  // namespace evenkeel
