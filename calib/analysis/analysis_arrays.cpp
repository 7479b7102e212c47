#include "calib/analysis/analysis_arrays.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "calib/analysis/analysis_record.h"
#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr std::size_t most_map_columns = 512;  // of those that a chart draws

[[noreturn]] void refuse(const std::string& file, const std::string& path,
                         const std::string& what) {
  throw InputError(
      fmt::format("{}: '{}': {}; analyze again", file, one_line(path), one_line(what, 300)));
}

// The rows of blocks below each other, at most `most_map_columns` wide.
HeatMap map_of(const std::vector<std::vector<double>>& rows, std::size_t column_width) {
  HeatMap map{.rows = rows.size(), .values = {}, .column_width = column_width};
  for (const auto& row : rows) map.columns = std::max(map.columns, row.size());
  for (const auto& row : rows) {
    map.values.insert(map.values.end(), row.begin(), row.end());
    map.values.insert(map.values.end(), map.columns - row.size(),
                      std::numeric_limits<double>::quiet_NaN());
  }
  return pooled(map, most_map_columns);
}

}  // namespace

AnalysisArrays::AnalysisArrays(const std::filesystem::path& file, const AnalysisResult& result)
    : path_(file.string()), file_(file), pooling_(result.options.pooling) {
  const auto require = [&](const std::string& path, const std::string& label) {
    const std::string found = file_.text_attribute(path, "label").value_or("");
    if (found == label.substr(0, label.find('\0'))) return;  // HDF5 ends a text there
    refuse(path_, path,
           fmt::format("its label is {}, and {} in analysis.json", in_quotes(found),
                       in_quotes(label)));
  };
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    const AnalyzedModel& model = result.models[m];
    require(analysis_path::model(m), model.label);
    for (std::size_t s = 0; s < model.sets.size(); ++s) {
      require(analysis_path::set(m, s), model.sets[s].label);
    }
    blocks_.push_back(model.blocks.size());
    const auto blocks = file_.number_attribute(analysis_path::model(m), "blocks");
    if (!blocks || *blocks != static_cast<double>(model.blocks.size())) {
      refuse(path_, analysis_path::model(m),
             fmt::format("expected {} blocks, as in analysis.json", model.blocks.size()));
    }
  }
}

std::vector<double> AnalysisArrays::values(const std::string& path, std::size_t expected) const {
  std::vector<double> all = file_.dataset(path);
  if (all.size() != expected) {
    refuse(path_, path,
           fmt::format("expected {} values, as those beside it; got {}", expected, all.size()));
  }
  return all;
}

double AnalysisArrays::positive(const std::string& path, const char* name) const {
  const auto value = file_.number_attribute(path, name);
  if (!value || !std::isfinite(*value) || *value <= 0.0) {
    refuse(path_, path, fmt::format("expected a positive '{}'", name));
  }
  return *value;
}

BandPlot::Panel AnalysisArrays::ranges(std::size_t model, std::size_t set, std::size_t block,
                                       Node node) const {
  const std::string path = analysis_path::node(model, set, static_cast<Index>(block), node);
  BandPlot::Panel panel{.title = {}, .low = file_.dataset(path + "/min"), .high = {}};
  if (panel.low.empty()) refuse(path_, path + "/min", "it is empty");
  panel.high = values(path + "/max", panel.low.size());
  return panel;
}

HeatMap AnalysisArrays::magnitudes(std::size_t model, std::size_t set, Node node) const {
  std::vector<std::vector<double>> rows;
  for (std::size_t block = 0; block < blocks_[model]; ++block) {
    const BandPlot::Panel panel = ranges(model, set, block, node);
    std::vector<double>& row = rows.emplace_back();
    for (std::size_t i = 0; i < panel.low.size(); ++i) {
      row.push_back(std::max(std::abs(panel.low[i]), std::abs(panel.high[i])));
    }
  }
  return map_of(rows, 1);
}

HeatMap AnalysisArrays::pooled_means(std::size_t model, std::size_t set, Node node) const {
  std::vector<std::vector<double>> rows;
  for (std::size_t block = 0; block < blocks_[model]; ++block) {
    const std::string path = analysis_path::node(model, set, static_cast<Index>(block), node);
    const std::vector<double> low = file_.dataset(path + "/pooled_min");
    if (low.empty()) refuse(path_, path + "/pooled_min", "it is empty");
    const std::vector<double> high = values(path + "/pooled_max", low.size());
    std::vector<double>& row = rows.emplace_back();
    for (std::size_t i = 0; i < low.size(); ++i) {
      row.push_back(std::max(std::abs(low[i]), std::abs(high[i])));
    }
  }
  return map_of(rows, static_cast<std::size_t>(pooling_));
}

std::vector<MeanEntry> AnalysisArrays::entries(const std::string& path) const {
  const std::vector<double> means = file_.dataset(path + "_value");
  const std::vector<std::int64_t> blocks = file_.integers(path + "_block");
  const std::vector<std::int64_t> channels = file_.integers(path + "_channel");
  if (means.empty() || blocks.size() != means.size() || channels.size() != means.size()) {
    refuse(path_, path + "_value", "expected as many values as blocks and channels");
  }
  std::vector<MeanEntry> all;
  for (std::size_t i = 0; i < means.size(); ++i) {
    all.push_back({.block = static_cast<std::int32_t>(blocks[i]),
                   .channel = static_cast<std::int32_t>(channels[i]),
                   .value = static_cast<float>(means[i])});
  }
  return all;
}

MeanEnds AnalysisArrays::means(std::size_t model, std::size_t set, Node node) const {
  const std::string path = analysis_path::means(model, set, node);
  return {.top = entries(path + "/top"), .bottom = entries(path + "/bottom")};
}

HistogramPlot::Outline AnalysisArrays::density(const std::string& path, double outside,
                                               double unit) const {
  const double range = positive(path, "histogram_range") / unit;
  HistogramPlot::Outline outline{
      .name = {}, .edges = {}, .counts = file_.dataset(path + "/histogram")};
  if (outline.counts.empty()) refuse(path_, path + "/histogram", "it is empty");
  const auto bins = static_cast<double>(outline.counts.size());
  double all = outside;
  for (const double count : outline.counts) all += count;
  for (double& count : outline.counts) count *= bins / (2.0 * range * all);
  for (std::size_t i = 0; i <= outline.counts.size(); ++i) {
    outline.edges.push_back(range * (2.0 * static_cast<double>(i) / bins - 1.0));
  }
  return outline;
}

HistogramPlot::Outline AnalysisArrays::activations(std::size_t model, std::size_t set,
                                                   std::size_t block, Node node) const {
  const std::string path = analysis_path::node(model, set, static_cast<Index>(block), node);
  const double outside = file_.number_attribute(path, "below").value_or(0.0) +
                         file_.number_attribute(path, "above").value_or(0.0);
  return density(path, outside, 1.0);
}

HistogramPlot::Outline AnalysisArrays::weights(std::size_t model, std::size_t block,
                                               const LinearFigures& linear) const {
  return density(analysis_path::linear(model, static_cast<Index>(block), linear.module), 0.0,
                 linear.deviation > 0.0 ? linear.deviation : 1.0);
}

}  // namespace evenkeel
