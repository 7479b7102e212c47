#include "calib/figures_of.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include <Eigen/Core>

namespace evenkeel {
namespace {

using Counts = Eigen::MatrixXd;  // [label, prediction]
using Values = Eigen::ArrayXd;

double f1_of(const Counts& counts) {
  const double both = counts.row(1).sum() + counts.col(1).sum();
  return both == 0.0 ? 0.0 : 2.0 * counts(1, 1) / both;
}

double matthews_of(const Counts& counts) {
  const double all = counts.sum();
  const Eigen::VectorXd labelled = counts.rowwise().sum();
  const Eigen::VectorXd predicted = counts.colwise().sum();
  const double shared = all * counts.trace() - labelled.dot(predicted);
  const double spread =
      (all * all - labelled.squaredNorm()) * (all * all - predicted.squaredNorm());
  return spread <= 0.0 ? 0.0 : shared / std::sqrt(spread);
}

// What one example leaves out is one of a cell, so that there is a pseudo-value a cell.
Figure count_figure(Metric metric, double (*figure)(const Counts&), Counts counts,
                    std::span<const Index> labels, std::span<const Index> predictions) {
  Figure result{.metric = metric, .value = figure(counts)};
  const auto n = static_cast<double>(labels.size());
  Counts terms = Counts::Constant(counts.rows(), counts.cols(), result.value);
  for (Index label = 0; label < counts.rows() && n > 1.0; ++label) {
    for (Index predicted = 0; predicted < counts.cols(); ++predicted) {
      if (counts(label, predicted) == 0.0) continue;
      counts(label, predicted) -= 1.0;
      terms(label, predicted) = n * result.value - (n - 1.0) * figure(counts);
      counts(label, predicted) += 1.0;
    }
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    result.terms.push_back(terms(labels[i], predictions[i]));
  }
  return result;
}

double correlation(const Values& x, const Values& y) {
  const Values dx = x - x.mean();
  const Values dy = y - y.mean();
  const double spread = std::sqrt(dx.square().sum()) * std::sqrt(dy.square().sum());
  return spread > 0.0 ? std::clamp((dx * dy).sum() / spread, -1.0, 1.0) : 0.0;
}

Values without(const Values& values, Index left_out) {
  Values rest(values.size() - 1);
  rest << values.head(left_out), values.tail(values.size() - 1 - left_out);
  return rest;
}

// Ranks among the rest: those above the one left out move down by one, its equals by a half.
Values ranks_without(const Values& ranks, Index left_out) {
  const double own = ranks(left_out);
  const Values lower = (ranks > own).cast<double>() + 0.5 * (ranks == own).cast<double>();
  return without(ranks - lower, left_out);
}

Values ranks_of(const Values& values) {
  std::vector<Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::sort(order, {}, [&](Index i) { return values(i); });
  Values ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values(order[end]) == values(order[begin])) ++end;
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    for (; begin < end; ++begin) ranks(order[begin]) = rank;
  }
  return ranks;
}

Figure correlation_figure(Metric metric, const Values& x, const Values& y,
                          Values (*left_out)(const Values&, Index)) {
  Figure figure{.metric = metric, .value = correlation(x, y)};
  const auto n = static_cast<double>(x.size());
  for (Index i = 0; i < x.size(); ++i) {
    figure.terms.push_back(
        x.size() == 1 ? figure.value
                      : n * figure.value - (n - 1.0) * correlation(left_out(x, i), left_out(y, i)));
  }
  return figure;
}

}  // namespace

Figure mean_figure(Metric metric, std::vector<double> terms) {
  // Summed as they are and divided once, so that a share is the nearest number to it.
  const double mean =
      std::accumulate(terms.begin(), terms.end(), 0.0) / static_cast<double>(terms.size());
  return {metric, metric == Metric::perplexity ? std::exp(mean) : mean, std::move(terms)};
}

std::vector<Figure> class_figures(std::span<const Index> labels, std::span<const Index> predictions,
                                  Index classes) {
  Counts counts = Counts::Zero(classes, classes);
  std::vector<double> right;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    counts(labels[i], predictions[i]) += 1.0;
    right.push_back(labels[i] == predictions[i] ? 1.0 : 0.0);
  }
  std::vector<Figure> figures{mean_figure(Metric::accuracy, std::move(right))};
  if (classes == 2) figures.push_back(count_figure(Metric::f1, f1_of, counts, labels, predictions));
  figures.push_back(count_figure(Metric::matthews, matthews_of, counts, labels, predictions));
  return figures;
}

std::vector<Figure> value_figures(std::span<const double> values,
                                  std::span<const double> predictions) {
  const auto count = static_cast<Index>(values.size());
  const Values x = Eigen::Map<const Values>(values.data(), count);
  const Values y = Eigen::Map<const Values>(predictions.data(), count);
  return {correlation_figure(Metric::pearson, x, y, without),
          correlation_figure(Metric::spearman, ranks_of(x), ranks_of(y), ranks_without)};
}

}  // namespace evenkeel
