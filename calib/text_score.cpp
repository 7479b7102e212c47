#include "calib/text_score.h"

#include <cmath>

namespace evenkeel {

std::string_view name_of(Metric metric) {
  return metric == Metric::perplexity ? "perplexity" : "accuracy";
}

std::optional<Metric> metric_of(HeadKind head) {
  switch (head) {
    case HeadKind::language:
      return Metric::perplexity;
    case HeadKind::classification:
      return Metric::accuracy;
    case HeadKind::masked_language:
      break;
  }
  return std::nullopt;
}

double standard_error(const TextScore& accuracy) {
  return std::sqrt(accuracy.value * (1.0 - accuracy.value) /
                   static_cast<double>(accuracy.examples));
}

}  // namespace evenkeel
