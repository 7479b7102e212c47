#include "calib/scaling/scaling_points.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

#include <fmt/format.h>

namespace evenkeel {
namespace {

bool all_have_bytes(const ScalingResult& result) {
  return result.metric == Metric::perplexity &&
         std::ranges::all_of(result.models, [](const ScaledModel& model) {
           return bits_per_byte(model, model.scores).has_value();
         });
}

double loss_of(const ScalingResult& result, bool by_byte, const ScaledModel& model,
               const std::vector<TextScore>& scores) {
  if (by_byte) return bits_per_byte(model, scores).value_or(0.0);
  const double value = scores.front().value;
  return result.metric == Metric::perplexity ? value : 1.0 - value;
}

std::string place_of(const TensorScheme& weights) {
  switch (weights.granularity) {
    case Granularity::per_tensor:
      return "whole tensors";
    case Granularity::per_block:
      return fmt::format("blocks of {}", weights.block_size);
    case Granularity::per_group:
      return fmt::format("groups of {}", weights.group_size);
    default:
      return "rows";
  }
}

}  // namespace

std::optional<double> bits_per_byte(const ScaledModel& model,
                                    const std::vector<TextScore>& scores) {
  if (model.token_bytes.empty() || !model.token_bytes.front()) return std::nullopt;
  return std::log2(scores.front().value) / *model.token_bytes.front();
}

double entropy_of(const CodeUses& uses) {
  const double all = std::accumulate(uses.begin(), uses.end(), 0.0);
  double bits = 0.0;
  for (const std::uint64_t use : uses) {
    const double share = static_cast<double>(use) / all;
    if (use > 0) bits -= share * std::log2(share);
  }
  return bits;
}

std::string data_type_of(const TensorScheme& weights) {
  std::string text(name_of(weights.codes));
  if (weights.codes == Codes::uniform) text = weights.symmetric ? "integer" : "asymmetric integer";
  if (weights.paper_exponents) text += " (paper)";
  if (weights.exponent_bits > 0) text += fmt::format(" e{}", weights.exponent_bits);
  if (weights.appendix_bias) text += ", appendix bias";
  if (weights.rounding == Rounding::gptq) text += ", GPTQ";
  if (weights.centered) text += ", centered";
  if (weights.proxy_percent > 0.0) text += fmt::format(", {} % proxies", weights.proxy_percent);
  return text;
}

std::string text_of(const TensorScheme& weights) {
  return fmt::format("{} bits, {}, {}", weights.bits, data_type_of(weights), place_of(weights));
}

std::optional<int> shared_values(const TensorScheme& weights) {
  if (weights.granularity == Granularity::per_block) return weights.block_size;
  if (weights.granularity == Granularity::per_group) return weights.group_size;
  return std::nullopt;
}

std::string_view loss_name(const ScalingResult& result) {
  if (all_have_bytes(result)) return "bits per byte";
  return result.metric == Metric::perplexity ? "perplexity" : "error rate";
}

std::vector<std::string> families_of(const ScalingResult& result) {
  std::vector<std::string> families;
  for (const ScaledModel& model : result.models) {
    if (std::ranges::find(families, model.family) == families.end()) {
      families.push_back(model.family);
    }
  }
  return families;
}

std::vector<ScalingPoint> of_family(const ScalingResult& result,
                                    const std::vector<ScalingPoint>& points,
                                    std::string_view family) {
  std::vector<ScalingPoint> own;
  std::ranges::copy_if(points, std::back_inserter(own), [&](const ScalingPoint& point) {
    return result.models[point.model].family == family;
  });
  return own;
}

std::vector<ScalingPoint> points_of(const ScalingResult& result) {
  const bool by_byte = all_have_bytes(result);
  std::vector<ScalingPoint> points;
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    const ScaledRow& row = result.rows[i];
    points.push_back({row.model, i, row.weights.bits, row.bits.total(),
                      loss_of(result, by_byte, result.models[row.model], row.scores)});
  }
  for (std::size_t i = 0; i < result.models.size(); ++i) {
    const ScaledModel& model = result.models[i];
    points.push_back({i, std::nullopt, static_cast<int>(std::lround(model.bits.per_weight())),
                      model.bits.total(), loss_of(result, by_byte, model, model.scores)});
  }
  return points;
}

std::map<int, std::vector<ScalingPoint>> best_by_size(const std::vector<ScalingPoint>& points) {
  std::map<int, std::map<std::size_t, ScalingPoint>> best;  // by bits, then model
  for (const ScalingPoint& point : points) {
    const auto [known, is_new] = best[point.bits].try_emplace(point.model, point);
    if (!is_new && point.loss < known->second.loss) known->second = point;
  }
  std::map<int, std::vector<ScalingPoint>> curves;
  for (const auto& [bits, by_model] : best) {
    std::vector<ScalingPoint>& curve = curves[bits];
    for (const auto& [model, point] : by_model) curve.push_back(point);
    std::ranges::sort(curve, {}, &ScalingPoint::total_bits);
  }
  return curves;
}

std::optional<CommonSize> at_common_size(const std::vector<ScalingPoint>& points) {
  const auto size_of = [](const ScalingPoint& point) {
    return static_cast<double>(point.total_bits);
  };
  const auto curves = best_by_size(points);
  double low = 0.0;
  double high = std::numeric_limits<double>::infinity();
  for (const auto& [bits, curve] : curves) {
    low = std::max(low, size_of(curve.front()));
    high = std::min(high, size_of(curve.back()));
  }
  if (curves.empty() || low >= high) return std::nullopt;
  CommonSize common{.total_bits = std::sqrt(low * high), .losses = {}};
  for (const auto& [bits, curve] : curves) {
    const auto above = std::ranges::find_if(
        curve, [&](const ScalingPoint& point) { return size_of(point) >= common.total_bits; });
    const ScalingPoint& below = *std::prev(above);
    const double part =
        std::log(common.total_bits / size_of(below)) / std::log(size_of(*above) / size_of(below));
    common.losses[bits] = below.loss + part * (above->loss - below.loss);
  }
  return common;
}

std::vector<ScalingPoint> pareto_front(std::vector<ScalingPoint> points) {
  std::ranges::stable_sort(points, [](const ScalingPoint& a, const ScalingPoint& b) {
    return a.total_bits != b.total_bits ? a.total_bits < b.total_bits : a.loss < b.loss;
  });
  std::vector<ScalingPoint> front;
  for (const ScalingPoint& point : points) {
    if (front.empty() || point.loss < front.back().loss) front.push_back(point);
  }
  return front;
}

std::optional<ScalingPoint> best_within(const std::vector<ScalingPoint>& points,
                                        std::uint64_t bytes) {
  std::optional<ScalingPoint> best;
  for (const ScalingPoint& point : pareto_front(points)) {
    if (point.total_bits / 8 <= bytes) best = point;
  }
  return best;
}

}  // namespace evenkeel
