#include "calib/text_score.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace evenkeel {

std::string_view name_of(Metric metric) {
  switch (metric) {
    case Metric::perplexity:
      return "perplexity";
    case Metric::accuracy:
      return "accuracy";
    case Metric::normalized_accuracy:
      return "normalized_accuracy";
    case Metric::f1:
      return "f1";
    case Metric::matthews:
      return "matthews";
    case Metric::pearson:
      return "pearson";
    case Metric::spearman:
      return "spearman";
  }
  return "";
}

std::optional<Metric> metric_of(const HeadModules& head) {
  switch (head.kind) {
    case HeadKind::language:
      return Metric::perplexity;
    case HeadKind::classification:
      return head.labels == 1 ? Metric::pearson : Metric::accuracy;
    case HeadKind::masked_language:
      break;
  }
  return std::nullopt;
}

double standard_error(const Figure& figure) {
  const auto count = static_cast<double>(figure.terms.size());
  if (figure.terms.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  // Divided once, so that terms that are all alike have no error.
  const double mean = std::accumulate(figure.terms.begin(), figure.terms.end(), 0.0) / count;
  double squares = 0.0;
  for (const double term : figure.terms) squares += (term - mean) * (term - mean);
  const double error = std::sqrt(squares / (count - 1.0) / count);
  return figure.metric == Metric::perplexity ? figure.value * error : error;
}

std::vector<Figure> all_figures(const TextScore& score) {
  std::vector<Figure> figures{score.figure()};
  figures.insert(figures.end(), score.others.begin(), score.others.end());
  return figures;
}

}  // namespace evenkeel
