#include "calib/compare/paired_difference.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include <boost/math/distributions/students_t.hpp>

namespace evenkeel {
namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Of the mean.
double squared_error(std::span<const double> values) {
  const double mean = mean_of(values);
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto count = static_cast<double>(values.size());
  return squares / (count - 1.0) / count;
}

// What a figure is the mean of, by seed.
std::vector<double> means_by_seed(std::span<const Figure> seeds) {
  std::vector<double> means;
  for (const Figure& seed : seeds) means.push_back(mean_of(seed.terms));
  return means;
}

std::vector<double> less(std::vector<double> values, std::span<const double> others) {
  assert(values.size() == others.size());
  std::ranges::transform(values, others, values.begin(), std::minus<>());
  return values;
}

// Parts of a variance, each with its degrees of freedom (Welch 1947).
class Variance {
 public:
  void add(std::span<const double> values) {
    if (values.size() < 2) return;
    const double part = squared_error(values);
    sum_ += part;
    weighted_ += part * part / static_cast<double>(values.size() - 1);
  }
  double sum() const { return sum_; }
  double degrees() const { return sum_ * sum_ / weighted_; }

 private:
  double sum_ = 0.0;
  double weighted_ = 0.0;
};

}  // namespace

Figure mean_over_seeds(std::span<const Figure> seeds) {
  assert(!seeds.empty());
  Figure mean = seeds.front();
  const bool logarithms = mean.metric == Metric::perplexity;
  std::vector<double> values;
  for (const Figure& seed : seeds) {
    assert(seed.metric == mean.metric && seed.terms.size() == mean.terms.size());
    values.push_back(logarithms ? std::log(seed.value) : seed.value);
  }
  if (seeds.size() == 1) return mean;
  mean.value = logarithms ? std::exp(mean_of(values)) : mean_of(values);
  for (std::size_t i = 0; i < mean.terms.size(); ++i) {
    double sum = 0.0;
    for (const Figure& seed : seeds) sum += seed.terms[i];
    mean.terms[i] = sum / static_cast<double>(seeds.size());
  }
  return mean;
}

double seed_error(std::span<const Figure> seeds) {
  if (seeds.size() < 2) return not_known;
  std::vector<double> values;
  for (const Figure& seed : seeds) values.push_back(seed.value);
  return std::sqrt(squared_error(values));
}

PairedDifference paired_difference(std::span<const Figure> figures,
                                   std::span<const Figure> baselines) {
  const std::vector<double> differences =
      less(mean_over_seeds(figures).terms, mean_over_seeds(baselines).terms);
  if (differences.size() < 2) {
    const double difference = differences.empty() ? not_known : differences.front();
    return {difference, not_known, not_known, not_known, not_known};
  }
  Variance variance;
  variance.add(differences);
  if (figures.size() == baselines.size()) {
    variance.add(less(means_by_seed(figures), means_by_seed(baselines)));
  } else {
    variance.add(means_by_seed(figures));
    variance.add(means_by_seed(baselines));
  }
  PairedDifference result;
  result.difference = mean_of(differences);
  result.standard_error = std::sqrt(variance.sum());
  result.degrees = variance.degrees();
  if (!std::isfinite(result.difference) || !std::isfinite(result.standard_error)) {
    result.p_value = not_known;
  } else if (result.standard_error == 0.0) {
    result.degrees = static_cast<double>(differences.size() - 1);
    result.p_value = result.difference == 0.0 ? 1.0 : 0.0;
  } else {
    const boost::math::students_t distribution(result.degrees);
    const double t = std::abs(result.difference) / result.standard_error;
    result.p_value = 2.0 * boost::math::cdf(boost::math::complement(distribution, t));
  }
  result.adjusted_p_value = result.p_value;
  return result;
}

void adjust(std::span<PairedDifference* const> tests) {
  std::vector<PairedDifference*> known;
  std::ranges::copy_if(tests, std::back_inserter(known),
                       [](const auto* test) { return !std::isnan(test->p_value); });
  std::ranges::stable_sort(known, {}, &PairedDifference::p_value);
  double largest = 0.0;
  auto left = static_cast<double>(known.size());
  for (PairedDifference* const test : known) {
    largest = std::max(largest, std::min(1.0, left * test->p_value));
    test->adjusted_p_value = largest;
    left -= 1.0;
  }
}

}  // namespace evenkeel
