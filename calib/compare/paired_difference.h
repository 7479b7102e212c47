// Figures over several seeds, and whether two of them differ by more than noise.
#pragma once

#include <span>
#include <vector>

#include "calib/text_score.h"

namespace evenkeel {

/// One figure of several calibrations: the mean of their terms and of their values; of perplexities
/// the geometric mean, which is exp of the mean of its terms.
/// REQUIRES: at least one; all of one metric and as many terms.
Figure mean_over_seeds(std::span<const Figure> seeds);

/// Over seeds: the standard deviation of their values (n - 1) over the root of their number. Not a
/// number for fewer than two.
double seed_error(std::span<const Figure> seeds);

/// A figure less another one of the same text, example by example: d_i = a_i - b_i of their terms,
/// each the mean over its seeds; of perplexities, differences of mean negative log-likelihoods, so
/// that exp(difference) is their ratio.
///
/// The error has two parts, whose squares add: that of the mean of d over windows or examples, and
/// that over seeds (of differences seed by seed where both have as many seeds, else of each). The
/// test is Student's t with Welch and Satterthwaite's degrees of freedom, two-sided.
struct PairedDifference {
  double difference = 0.0;
  double standard_error = 0.0;  // not a number with fewer than two terms, as are the next two
  double degrees = 0.0;
  double p_value = 1.0;
  /// By Holm (1979) over all rows that are tested on the same text: below 0.05, at most one such
  /// table of twenty has any difference that is none.
  double adjusted_p_value = 1.0;
};

/// REQUIRES: as mean_over_seeds, of both.
PairedDifference paired_difference(std::span<const Figure> figures,
                                   std::span<const Figure> baselines);

/// Sets `adjusted_p_value` of all; those whose p is not a number are left out.
void adjust(std::span<PairedDifference* const> tests);

}  // namespace evenkeel
