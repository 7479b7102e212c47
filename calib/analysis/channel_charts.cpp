#include "calib/analysis/channel_charts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "calib/report/figure_text.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr std::array mapped{Node::attention_input, Node::mlp_input, Node::mlp_hidden};
constexpr std::array mapped_means{Node::attention_input, Node::mlp_input};
constexpr std::size_t most_ranges = 3;
constexpr std::size_t most_entries = 3;  // of each end of the means

Chart map_chart(const std::string& title, HeatMap map, std::string value_name) {
  map.value_name = std::move(value_name);
  map.log_colour = true;
  return {.name = chart_name(title),
          .title = title,
          .x_name = "channel",
          .y_name = "block",
          .plot = std::move(map)};
}

std::string pools_text(const HeatMap& map) {
  return map.column_width == 1 ? ""
                               : fmt::format(" The largest of {} channels each.", map.column_width);
}

double median(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

struct WideNode {
  Node node = Node::attention_input;
  std::size_t block = 0;
  double width = 0.0;
};

// Each node in the block where it is widest, the widest first.
std::vector<WideNode> widest_nodes(const AnalyzedSet& set) {
  std::vector<WideNode> widest;
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    WideNode& added = widest.emplace_back(WideNode{.node = node});
    for (std::size_t block = 0; block < set.blocks.size(); ++block) {
      const AnalyzedNode& figures = set.blocks[block].nodes[index_of(node)];
      const double width = figures.high - figures.low;
      if (width > added.width) added = {.node = node, .block = block, .width = width};
    }
  }
  std::ranges::stable_sort(widest, std::greater<>(), &WideNode::width);
  widest.resize(std::min(widest.size(), most_ranges));
  return widest;
}

CaptionedChart histogram_chart(const std::string& title, HistogramPlot plot, std::string caption) {
  return {.chart = {.name = chart_name(title),
                    .title = title,
                    .x_name = "value",
                    .y_name = "density",
                    .log_y = true,
                    .plot = std::move(plot)},
          .caption = std::move(caption)};
}

std::string entries_text(const std::vector<MeanEntry>& entries) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most_entries, entries.size()); ++i) {
    text += fmt::format("{}{}/{} ({})", i > 0 ? ", " : "", entries[i].block, entries[i].channel,
                        digits_text(static_cast<double>(entries[i].value)));
  }
  if (entries.size() > most_entries) {
    text += fmt::format(", {} more", entries.size() - most_entries);
  }
  return text;
}

}  // namespace

std::vector<CaptionedChart> outlier_maps(const AnalysisResult& result, const AnalysisArrays& arrays,
                                         std::size_t model) {
  std::vector<CaptionedChart> charts;
  for (const Node node : mapped) {
    for (const std::size_t set : shown_sets(result, model)) {
      HeatMap map = arrays.magnitudes(model, set, node);
      // So that channels near zero do not take the colours from the ones that stand out.
      if (const double middle = median(map.values); middle > 0.0) map.floor = middle;
      const std::string caption =
          "The largest magnitude of each channel over all tokens, from the median of the map on: "
          "dark "
          "columns are channels that stand out in every block." +
          pools_text(map);
      const std::string title =
          titled(result, model,
                 of_set(result.models[model], set, fmt::format("magnitudes of {}", name_of(node))));
      charts.push_back({map_chart(title, std::move(map), "largest magnitude"), caption});
    }
  }
  return charts;
}

std::vector<CaptionedChart> channel_ranges(const AnalysisResult& result,
                                           const AnalysisArrays& arrays, std::size_t model) {
  const AnalyzedModel& own = result.models[model];
  std::vector<CaptionedChart> charts;
  for (const WideNode& wide : widest_nodes(own.sets.front())) {
    BandPlot plot;
    for (const std::size_t set : shown_sets(result, model)) {
      BandPlot::Panel panel = arrays.ranges(model, set, wide.block, wide.node);
      panel.title = one_line(own.sets[set].label, 40);
      plot.panels.push_back(std::move(panel));
    }
    const std::string title =
        titled(result, model,
               fmt::format("ranges of channels, {} of block {}", name_of(wide.node), wide.block));
    charts.push_back({{.name = chart_name(title),
                       .title = title,
                       .x_name = "channel",
                       .y_name = "value",
                       .plot = std::move(plot)},
                      "Each channel from its smallest to its largest value, in the block where the "
                      "node is widest. The axes differ."});
  }
  return charts;
}

std::vector<CaptionedChart> distributions(const AnalysisResult& result,
                                          const AnalysisArrays& arrays, std::size_t model) {
  const AnalyzedModel& own = result.models[model];
  std::vector<CaptionedChart> charts;
  for (const Node node : all_nodes) {
    if (!has_histogram(node)) continue;
    HistogramPlot by_block;
    for (const std::size_t block : shown_blocks(own.blocks.size())) {
      by_block.outlines.push_back(arrays.activations(model, 0, block, node));
      by_block.outlines.back().name = fmt::format("block {}", block);
    }
    charts.push_back(histogram_chart(
        titled(result, model, of_set(own, 0, fmt::format("distribution of {}", name_of(node)))),
        std::move(by_block), "What lies outside of the bins of a block is not drawn."));
    if (own.sets.size() == 1 || result.models.size() > 1) continue;
    const std::size_t middle = own.blocks.size() / 2;
    HistogramPlot by_set;
    for (std::size_t set = 0; set < std::min(own.sets.size(), most_report_curves); ++set) {
      by_set.outlines.push_back(arrays.activations(model, set, middle, node));
      by_set.outlines.back().name = one_line(own.sets[set].label);
    }
    charts.push_back(histogram_chart(
        titled(result, model,
               fmt::format("distribution of {} in block {}, by set", name_of(node), middle)),
        std::move(by_set), ""));
  }
  return charts;
}

std::vector<CaptionedChart> mean_maps(const AnalysisResult& result, const AnalysisArrays& arrays,
                                      std::size_t model) {
  std::vector<CaptionedChart> charts;
  for (const Node node : mapped_means) {
    const std::string title =
        titled(result, model,
               of_set(result.models[model], 0, fmt::format("pooled means of {}", name_of(node))));
    HeatMap map = arrays.pooled_means(model, 0, node);
    const std::string caption = fmt::format(
        "Activations averaged over all tokens: of {} channels each the mean that is "
        "furthest from zero.",
        map.column_width);
    charts.push_back({map_chart(title, std::move(map), "magnitude of the mean"), caption});
  }
  return charts;
}

TextTable mean_table(const AnalysisResult& result, const AnalysisArrays& arrays,
                     std::size_t model) {
  const AnalyzedModel& own = result.models[model];
  TextTable table{.columns = {{"set", false},
                              {"node", false},
                              {"in each end"},
                              {"largest"},
                              {"top 1 % from"},
                              {"top: block/channel", false},
                              {"bottom 1 % to"},
                              {"smallest"},
                              {"bottom: block/channel", false}},
                  .rows = {}};
  for (const std::size_t set : shown_sets(result, model)) {
    for (const Node node : all_nodes) {
      if (!is_analyzed(node)) continue;
      const AnalyzedMeans& figures = own.sets[set].means[index_of(node)];
      const MeanEnds ends = arrays.means(model, set, node);
      table.rows.push_back({one_line(own.sets[set].label), std::string(name_of(node)),
                            fmt::format("{}", figures.count), digits_text(figures.largest),
                            digits_text(figures.top_from), entries_text(ends.top),
                            digits_text(figures.bottom_to), digits_text(figures.smallest),
                            entries_text(ends.bottom)});
    }
  }
  return table;
}

}  // namespace evenkeel
