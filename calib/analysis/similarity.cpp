#include "calib/analysis/similarity.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "calib/analysis/correlation.h"

namespace evenkeel {
namespace {

struct Overlap {
  double shared = 0.0;
  double either = 0.0;

  void add(bool in_a, bool in_b) {
    shared += in_a && in_b ? 1.0 : 0.0;
    either += in_a || in_b ? 1.0 : 0.0;
  }
  std::optional<double> jaccard() const {
    return either > 0.0 ? std::optional(shared / either) : std::nullopt;
  }
};

std::vector<bool> largest_hundredth(const Vector& low, const Vector& high) {
  const Vector absmax = high.cwiseMax(-low);
  std::vector<Index> order(static_cast<std::size_t>(absmax.size()));
  std::iota(order.begin(), order.end(), Index{0});
  const std::size_t count = (order.size() + 99) / 100;
  const auto larger = [&](Index a, Index b) {
    return absmax(a) != absmax(b) ? absmax(a) > absmax(b) : a < b;
  };
  std::ranges::nth_element(order, order.begin() + static_cast<std::ptrdiff_t>(count) - 1, larger);
  order.resize(count);
  std::vector<bool> largest(static_cast<std::size_t>(absmax.size()));
  for (const Index channel : order) largest[static_cast<std::size_t>(channel)] = true;
  return largest;
}

// What similarities are made of: for one node after another.
class Comparer {
 public:
  void add(const NodeSummary& a, const NodeSummary& b, const AnalysisOptions& options) {
    add_outliers(a.counts.outliers(options), b.counts.outliers(options));
    for (std::size_t block = 0; block < a.low.size(); ++block) {
      const auto top_a = largest_hundredth(a.low[block], a.high[block]);
      const auto top_b = largest_hundredth(b.low[block], b.high[block]);
      for (std::size_t j = 0; j < top_a.size(); ++j) top_.add(top_a[j], top_b[j]);
      append(a.low[block], minima_a_);
      append(b.low[block], minima_b_);
      append(a.high[block], maxima_a_);
      append(b.high[block], maxima_b_);
    }
  }

  Similarity finish() const {
    return {.outliers = outliers_.jaccard(),
            .top = top_.jaccard().value_or(1.0),
            .maxima = pearson(maxima_a_, maxima_b_),
            .minima = pearson(minima_a_, minima_b_),
            .distance = distance()};
  }

 private:
  static void append(const Vector& values, std::vector<double>& all) {
    all.insert(all.end(), values.begin(), values.end());
  }

  void add_outliers(const std::vector<OutlierChannel>& a, const std::vector<OutlierChannel>& b) {
    for (const OutlierChannel& each : a) {
      outliers_.add(true, std::ranges::count(b, each.channel, &OutlierChannel::channel) > 0);
    }
    for (const OutlierChannel& each : b) {
      if (std::ranges::count(a, each.channel, &OutlierChannel::channel) == 0) {
        outliers_.add(false, true);
      }
    }
  }

  double distance() const {
    double sum = 0.0;
    for (std::size_t i = 0; i < maxima_a_.size(); ++i) {
      const double range_a = maxima_a_[i] - minima_a_[i];
      const double range_b = maxima_b_[i] - minima_b_[i];
      const double mean = 0.5 * (range_a + range_b);
      if (mean > 0.0) sum += std::abs(range_a - range_b) / mean;
    }
    return maxima_a_.empty() ? 0.0 : sum / static_cast<double>(maxima_a_.size());
  }

  Overlap outliers_, top_;
  std::vector<double> minima_a_, minima_b_, maxima_a_, maxima_b_;
};

}  // namespace

SetSimilarity similarity_of(const SetSummary& a, const SetSummary& b,
                            const AnalysisOptions& options) {
  SetSimilarity result;
  Comparer overall;
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    const NodeSummary& of_a = a.nodes[index_of(node)];
    const NodeSummary& of_b = b.nodes[index_of(node)];
    Comparer comparer;
    comparer.add(of_a, of_b, options);
    overall.add(of_a, of_b, options);
    result.nodes[index_of(node)] = comparer.finish();
  }
  result.overall = overall.finish();
  return result;
}

}  // namespace evenkeel
