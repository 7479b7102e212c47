#include "calib/analysis/block_charts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr double wide = 10.0;  // largest over smallest from which an axis is logarithmic

// Curves over blocks.
CaptionedChart curve_chart(const std::string& title, std::string y_name, std::vector<Curve> curves,
                           std::string caption = {}) {
  double least = std::numeric_limits<double>::infinity();
  double largest = 0.0;
  for (const Curve& curve : curves) {
    for (const auto& [block, value] : curve.points) {
      if (!std::isfinite(value)) continue;
      least = std::min(least, value);
      largest = std::max(largest, value);
    }
  }
  return {.chart = {.name = chart_name(title),
                    .title = title,
                    .x_name = "block",
                    .y_name = std::move(y_name),
                    .log_y = least > 0.0 && largest > wide * least,
                    .plot = CurvePlot{std::move(curves)}},
          .caption = std::move(caption)};
}

using BlockFigure = std::function<double(const AnalyzedBlock&)>;

Curve curve_of(std::string name, const AnalyzedSet& set, const BlockFigure& figure) {
  Curve curve{.name = std::move(name)};
  for (std::size_t i = 0; i < set.blocks.size(); ++i) {
    curve.points.emplace_back(static_cast<double>(i), figure(set.blocks[i]));
  }
  return curve;
}

// By set of one model, or by model.
std::vector<Curve> curves_of(const AnalysisResult& result, const BlockFigure& figure) {
  std::vector<Curve> curves;
  if (result.models.size() == 1) {
    for (const AnalyzedSet& set : result.models.front().sets) {
      curves.push_back(curve_of(one_line(set.label), set, figure));
    }
  } else {
    for (const AnalyzedModel& model : result.models) {
      curves.push_back(curve_of(one_line(model.label), model.sets.front(), figure));
    }
  }
  curves.resize(std::min(curves.size(), most_report_curves));
  return curves;
}

BlockFigure kurtosis_at(Node node) {
  return [i = index_of(node)](const AnalyzedBlock& block) {
    return block.nodes[i].kurtosis.value_or(std::numeric_limits<double>::quiet_NaN());
  };
}

const LinearFigures* linear_of(const WeightFigures& block, const std::string& module) {
  const auto found = std::ranges::find(block.linears, module, &LinearFigures::module);
  return found == block.linears.end() ? nullptr : &*found;
}

// Modules of the first block; of very many those of the highest figure in any block.
std::vector<std::string> shown_linears(const AnalyzedModel& model, double LinearFigures::*figure) {
  std::vector<std::pair<double, std::size_t>> order;  // negative figure, place
  const auto& linears = model.blocks.front().linears;
  for (std::size_t i = 0; i < linears.size(); ++i) {
    double highest = 0.0;
    for (const WeightFigures& block : model.blocks) {
      const LinearFigures* linear = linear_of(block, linears[i].module);
      if (linear != nullptr) highest = std::max(highest, linear->*figure);
    }
    order.emplace_back(-highest, i);
  }
  std::ranges::sort(order);
  order.resize(std::min(order.size(), most_report_curves));
  std::ranges::sort(order, {}, &std::pair<double, std::size_t>::second);
  std::vector<std::string> modules;
  modules.reserve(order.size());
  for (const auto& [highest, i] : order) modules.push_back(linears[i].module);
  return modules;
}

double tail_of(const LinearFigures& linear) {
  return linear.deviation > 0.0 ? linear.absmax / linear.deviation : 0.0;
}

CaptionedChart weight_chart(const std::string& title, HistogramPlot plot) {
  return {.chart = {.name = chart_name(title),
                    .title = title,
                    .x_name = "weight, in standard deviations",
                    .y_name = "density",
                    .log_y = true,
                    .plot = std::move(plot)},
          .caption = "Each reaches to its own largest weight."};
}

}  // namespace

std::vector<CaptionedChart> activation_curves(const AnalysisResult& result) {
  const AnalyzedModel& first = result.models.front();
  std::vector<Curve> by_node;
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    by_node.push_back(curve_of(std::string(name_of(node)), first.sets.front(), kurtosis_at(node)));
  }
  std::vector<CaptionedChart> charts;
  charts.push_back(curve_chart(titled(result, 0, of_set(first, 0, "kurtosis by node")),
                               "kurtosis, mean of channels", std::move(by_node),
                               "3 for a normal distribution."));
  for (const Node node : {Node::attention_input, Node::mlp_hidden}) {
    charts.push_back(curve_chart(fmt::format("kurtosis of {}", name_of(node)),
                                 "kurtosis, mean of channels",
                                 curves_of(result, kurtosis_at(node))));
  }
  const std::string at(name_of(quantized_node));
  charts.push_back(curve_chart(
      fmt::format("RMSE per token, {}", at), "RMSE",
      curves_of(result, [](const AnalyzedBlock& block) { return block.rmse_per_token; }),
      fmt::format("Of symmetric codes of {} bits, one range for each token.",
                  result.options.bits)));
  charts.push_back(curve_chart(
      fmt::format("RMSE per tensor, {}", at), "RMSE",
      curves_of(result, [](const AnalyzedBlock& block) { return block.rmse_per_tensor; }),
      fmt::format("Of symmetric codes of {} bits, one range for all tokens.",
                  result.options.bits)));
  charts.push_back(curve_chart(
      fmt::format("standard deviation of a token, {}", at), "standard deviation",
      curves_of(result, [](const AnalyzedBlock& block) { return block.token_deviation; }),
      "Over its channels, mean of all tokens."));
  return charts;
}

std::vector<CaptionedChart> weight_curves(const AnalysisResult& result, std::size_t model) {
  const AnalyzedModel& own = result.models[model];
  std::vector<Curve> norms;
  for (const std::string& module : shown_linears(own, &LinearFigures::spectral_norm)) {
    Curve& curve = norms.emplace_back(Curve{.name = one_line(module)});
    for (std::size_t i = 0; i < own.blocks.size(); ++i) {
      const LinearFigures* linear = linear_of(own.blocks[i], module);
      if (linear != nullptr) {
        curve.points.emplace_back(static_cast<double>(i), linear->spectral_norm);
      }
    }
  }
  std::vector<Curve> gains;
  for (const NormRole role : all_norms) {
    Curve curve{.name = std::string(name_of(role))};
    for (std::size_t i = 0; i < own.blocks.size(); ++i) {
      const auto norm = std::ranges::find(own.blocks[i].norms, role, &NormFigures::role);
      if (norm == own.blocks[i].norms.end()) continue;
      curve.points.emplace_back(static_cast<double>(i), norm->gain_deviation);
    }
    if (!curve.points.empty()) gains.push_back(std::move(curve));
  }
  return {curve_chart(titled(result, model, "spectral norms"), "largest singular value",
                      std::move(norms)),
          curve_chart(titled(result, model, "gains of norms"), "standard deviation of the gain",
                      std::move(gains))};
}

std::vector<CaptionedChart> weight_histograms(const AnalysisResult& result,
                                              const AnalysisArrays& arrays, std::size_t model) {
  const AnalyzedModel& own = result.models[model];
  const std::size_t middle = own.blocks.size() / 2;
  HistogramPlot by_linear;
  for (const std::string& module : shown_linears(own, &LinearFigures::absmax)) {
    const LinearFigures* linear = linear_of(own.blocks[middle], module);
    if (linear == nullptr) continue;
    by_linear.outlines.push_back(arrays.weights(model, middle, *linear));
    by_linear.outlines.back().name = one_line(module);
  }
  const LinearFigures* longest = nullptr;
  std::size_t place = 0;
  for (std::size_t i = 0; i < own.blocks.size(); ++i) {
    for (const LinearFigures& linear : own.blocks[i].linears) {
      if (longest != nullptr && tail_of(linear) <= tail_of(*longest)) continue;
      longest = &linear;
      place = i;
    }
  }
  if (longest == nullptr) return {};
  std::vector<std::size_t> blocks = shown_blocks(own.blocks.size());
  blocks.push_back(place);
  std::ranges::sort(blocks);
  const auto same = std::ranges::unique(blocks);
  blocks.erase(same.begin(), same.end());
  HistogramPlot by_block;
  for (const std::size_t block : blocks) {
    const LinearFigures* linear = linear_of(own.blocks[block], longest->module);
    if (linear == nullptr) continue;
    by_block.outlines.push_back(arrays.weights(model, block, *linear));
    by_block.outlines.back().name = fmt::format("block {}", block);
  }
  const std::string name = one_line(longest->module);
  return {weight_chart(titled(result, model, fmt::format("weights of block {}", middle)),
                       std::move(by_linear)),
          weight_chart(titled(result, model,
                              fmt::format("weights of {}, longest tails in block {}", name, place)),
                       std::move(by_block))};
}

}  // namespace evenkeel
