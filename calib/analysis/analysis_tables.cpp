#include "calib/analysis/analysis_tables.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "calib/report/figure_text.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

std::string or_blank(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "";
}

// The largest first; all of them, or so many.
std::string channels_text(std::vector<OutlierChannel> outliers, std::size_t most) {
  std::ranges::stable_sort(outliers, std::ranges::greater(), &OutlierChannel::absmax);
  std::string text;
  for (std::size_t i = 0; i < std::min(most, outliers.size()); ++i) {
    text +=
        fmt::format("{}{} ({:.1f})", i > 0 ? ", " : "", outliers[i].channel, outliers[i].absmax);
  }
  if (outliers.size() > most) text += fmt::format(", {} more", outliers.size() - most);
  return text;
}

// Over the blocks that have one.
template <typename Figure>
std::optional<double> mean_of(const AnalyzedSet& set, const Figure& figure) {
  double sum = 0.0;
  int count = 0;
  for (const AnalyzedBlock& block : set.blocks) {
    const std::optional<double> value = figure(block);
    if (!value) continue;
    sum += *value;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

// Every set against every other, which pairs would show in a long list.
TextTable matrix_of(const AnalyzedModel& model, double Similarity::*figure, double of_itself) {
  TextTable table{.columns = {{"set", false}}, .rows = {}};
  for (const AnalyzedSet& set : model.sets) table.columns.push_back({one_line(set.label)});
  const std::vector<double> values = set_matrix(
      model, [figure](const Similarity& each) { return each.*figure; }, of_itself);
  for (std::size_t a = 0; a < model.sets.size(); ++a) {
    std::vector<std::string>& cells = table.rows.emplace_back();
    cells.push_back(one_line(model.sets[a].label));
    for (std::size_t b = 0; b < model.sets.size(); ++b) {
      cells.push_back(fmt::format("{:.3f}", values[a * model.sets.size() + b]));
    }
  }
  return table;
}

// The norms that any model has.
std::vector<NormRole> norms_of(const AnalysisResult& result) {
  std::vector<NormRole> found;
  for (const NormRole role : all_norms) {
    const bool has = std::ranges::any_of(result.models, [role](const AnalyzedModel& model) {
      return std::ranges::any_of(model.blocks, [role](const WeightFigures& block) {
        return std::ranges::find(block.norms, role, &NormFigures::role) != block.norms.end();
      });
    });
    if (has) found.push_back(role);
  }
  return found;
}

std::string gain_text(const WeightFigures& block, NormRole role) {
  const auto norm = std::ranges::find(block.norms, role, &NormFigures::role);
  return norm == block.norms.end() ? "" : digits_text(norm->gain_deviation);
}

constexpr std::size_t most_listed_sets = 2;  // whose pairs people read as a list

}  // namespace

std::vector<Page::Column> AnalysisTables::columns(std::vector<Page::Column> after) const {
  if (models_) after.insert(after.begin(), {"model", false});
  return after;
}

std::vector<std::string> AnalysisTables::cells(const AnalyzedModel& model,
                                               std::vector<std::string> after) const {
  if (models_) after.insert(after.begin(), one_line(model.label));
  return after;
}

TextTable AnalysisTables::nodes() const {
  TextTable table{
      .columns = columns({{"set", false},
                          {"node", false},
                          {"min"},
                          {"max"},
                          {"kurtosis"},
                          {fmt::format("% |x| > {}", result_.options.outlier_threshold)},
                          {"producers"},
                          {"outlier dimensions"},
                          {"channels", false}}),
      .rows = {}};
  for (const AnalyzedModel& model : result_.models) {
    for (const AnalyzedSet& set : model.sets) {
      for (const Node node : all_nodes) {
        if (is_analyzed(node)) table.rows.push_back(node_cells(model, set, node));
      }
    }
  }
  return table;
}

std::vector<std::string> AnalysisTables::node_cells(const AnalyzedModel& model,
                                                    const AnalyzedSet& set, Node node) const {
  const std::size_t i = index_of(node);
  double low = set.blocks.front().nodes[i].low;
  double high = set.blocks.front().nodes[i].high;
  for (const AnalyzedBlock& block : set.blocks) {
    low = std::min(low, block.nodes[i].low);
    high = std::max(high, block.nodes[i].high);
  }
  const auto kurtosis = mean_of(set, [i](const auto& block) { return block.nodes[i].kurtosis; });
  const auto beyond =
      mean_of(set, [i](const auto& block) { return std::optional(block.nodes[i].beyond); });
  return cells(
      model, {one_line(set.label), std::string(name_of(node)), digits_text(low), digits_text(high),
              kurtosis ? digits_text(*kurtosis) : "", fmt::format("{:.4f}", 100.0 * *beyond),
              or_blank(mean_of(set, [i](const auto& block) { return block.nodes[i].producers; })),
              fmt::format("{}", set.outliers[i].size()),
              channels_text(set.outliers[i], whole_ ? set.outliers[i].size() : shown_channels)});
}

TextTable AnalysisTables::blocks(std::size_t most_sets) const {
  const std::vector<NormRole> roles = norms_of(result_);
  std::vector<Page::Column> heads{
      {"set", false}, {"block"}, {"RMSE per token"}, {"RMSE per tensor"}, {"token std"}};
  for (const NormRole role : roles) heads.push_back({fmt::format("gain std: {}", name_of(role))});
  TextTable table{.columns = columns(std::move(heads)), .rows = {}};
  for (const AnalyzedModel& model : result_.models) {
    for (std::size_t s = 0; s < std::min(most_sets, model.sets.size()); ++s) {
      const AnalyzedSet& set = model.sets[s];
      for (std::size_t i = 0; i < set.blocks.size(); ++i) {
        const AnalyzedBlock& block = set.blocks[i];
        std::vector<std::string> row{
            one_line(set.label), fmt::format("{}", i), digits_text(block.rmse_per_token),
            digits_text(block.rmse_per_tensor), digits_text(block.token_deviation)};
        for (const NormRole role : roles) row.push_back(gain_text(model.blocks[i], role));
        table.rows.push_back(cells(model, std::move(row)));
      }
    }
  }
  return table;
}

TextTable AnalysisTables::weights() const {
  TextTable table{.columns = columns({{"linear", false},
                                      {"largest spectral norm"},
                                      {"in block"},
                                      {"mean"},
                                      {"largest weight"}}),
                  .rows = {}};
  for (const AnalyzedModel& model : result_.models) {
    for (const LinearFigures& linear : model.blocks.front().linears) {
      table.rows.push_back(weight_cells(model, linear.module));
    }
  }
  return table;
}

// Of the blocks that have it.
std::vector<std::string> AnalysisTables::weight_cells(const AnalyzedModel& model,
                                                      const std::string& module) const {
  double largest = 0.0;
  double absmax = 0.0;
  double sum = 0.0;
  int count = 0;
  std::size_t place = 0;
  for (std::size_t i = 0; i < model.blocks.size(); ++i) {
    const auto& linears = model.blocks[i].linears;
    const auto linear = std::ranges::find(linears, module, &LinearFigures::module);
    if (linear == linears.end()) continue;
    if (linear->spectral_norm > largest) place = i;
    largest = std::max(largest, linear->spectral_norm);
    absmax = std::max(absmax, linear->absmax);
    sum += linear->spectral_norm;
    ++count;
  }
  return cells(model, {one_line(module), digits_text(largest), fmt::format("{}", place),
                       digits_text(sum / count), digits_text(absmax)});
}

TextTable AnalysisTables::pairs(std::size_t most_sets) const {
  TextTable table{.columns = columns({{"set", false},
                                      {"and", false},
                                      {"outlier dimensions"},
                                      {"top 1 %"},
                                      {"maxima"},
                                      {"minima"},
                                      {"distance"}}),
                  .rows = {}};
  for (const AnalyzedModel& model : result_.models) {
    if (model.sets.size() > most_sets) continue;
    for (const AnalyzedPair& pair : model.pairs) {
      const Similarity& similarity = pair.similarity.overall;
      table.rows.push_back(cells(
          model,
          {one_line(model.sets[pair.first].label), one_line(model.sets[pair.second].label),
           or_blank(similarity.outliers), or_blank(similarity.top), or_blank(similarity.maxima),
           or_blank(similarity.minima), or_blank(similarity.distance)}));
    }
  }
  return table;
}

std::vector<double> set_matrix(const AnalyzedModel& model,
                               const std::function<double(const Similarity&)>& figure,
                               double of_itself) {
  const std::size_t sets = model.sets.size();
  std::vector<double> values(sets * sets, of_itself);
  for (const AnalyzedPair& pair : model.pairs) {
    const double value = figure(pair.similarity.overall);
    values[pair.first * sets + pair.second] = value;
    values[pair.second * sets + pair.first] = value;
  }
  return values;
}

std::vector<TitledTable> analysis_tables(const AnalysisResult& result, bool whole) {
  const AnalysisTables tables(result, whole);
  std::vector<TitledTable> all{{"nodes, over all blocks", tables.nodes()},
                               {"attention.input in each block", tables.blocks()},
                               {"weights, over all blocks", tables.weights()}};
  for (const AnalyzedModel& model : result.models) {
    if (whole || model.sets.size() <= most_listed_sets) continue;
    const std::string name = result.models.size() > 1 ? one_line(model.label) + ": " : "";
    all.push_back({name + "similarity of sets, over all nodes: Jaccard index of the top 1 %",
                   matrix_of(model, &Similarity::top, 1.0)});
    all.push_back({name + "distance of ranges", matrix_of(model, &Similarity::distance, 0.0)});
  }
  if (TextTable pairs = tables.pairs(whole ? AnalysisTables::all : most_listed_sets);
      !pairs.rows.empty()) {
    all.push_back({"similarity of sets, over all nodes", std::move(pairs)});
  }
  return all;
}

}  // namespace evenkeel
