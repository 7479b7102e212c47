#include "apps/analysis_tables.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "apps/figures.h"
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
Table matrix_of(const AnalyzedModel& model, double Similarity::*figure, double of_itself) {
  std::vector<Table::Column> columns{{"set", Table::Align::left}};
  for (const AnalyzedSet& set : model.sets) columns.push_back({one_line(set.label)});
  Table table(std::move(columns));
  const auto between = [&](std::size_t a, std::size_t b) {
    if (a == b) return of_itself;
    const auto pair = std::ranges::find_if(model.pairs, [&](const AnalyzedPair& each) {
      return each.first == std::min(a, b) && each.second == std::max(a, b);
    });
    return pair->similarity.overall.*figure;
  };
  for (std::size_t a = 0; a < model.sets.size(); ++a) {
    std::vector<std::string> cells{one_line(model.sets[a].label)};
    for (std::size_t b = 0; b < model.sets.size(); ++b) {
      cells.push_back(fmt::format("{:.3f}", between(a, b)));
    }
    table.add(std::move(cells));
  }
  return table;
}

class Tables {
 public:
  Tables(const AnalysisResult& result, bool whole)
      : result_(result), whole_(whole), models_(whole || result.models.size() > 1) {}

  std::vector<TitledTable> all() const {
    std::vector<TitledTable> tables;
    tables.push_back({"nodes, over all blocks", nodes()});
    tables.push_back({"attention.input in each block", blocks()});
    tables.push_back({"weights, over all blocks", weights()});
    if (!whole_) add_matrices(tables);
    if (Table all_pairs = pairs(); !all_pairs.empty()) {
      tables.push_back({"similarity of sets, over all nodes", std::move(all_pairs)});
    }
    return tables;
  }

 private:
  static constexpr std::size_t shown_channels = 6;

  std::vector<Table::Column> columns(std::vector<Table::Column> after) const {
    if (models_) after.insert(after.begin(), {"model", Table::Align::left});
    return after;
  }
  std::vector<std::string> cells(const AnalyzedModel& model, std::vector<std::string> after) const {
    if (models_) after.insert(after.begin(), one_line(model.label));
    return after;
  }

  Table nodes() const {
    Table table(columns({{"set", Table::Align::left},
                         {"node", Table::Align::left},
                         {"min"},
                         {"max"},
                         {"kurtosis"},
                         {fmt::format("% |x| > {}", result_.options.outlier_threshold)},
                         {"producers"},
                         {"outlier dimensions"},
                         {"channels", Table::Align::left}}));
    for (const AnalyzedModel& model : result_.models) {
      for (const AnalyzedSet& set : model.sets) {
        for (const Node node : all_nodes) {
          if (is_analyzed(node)) table.add(node_cells(model, set, node));
        }
      }
    }
    return table;
  }

  std::vector<std::string> node_cells(const AnalyzedModel& model, const AnalyzedSet& set,
                                      Node node) const {
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
        model,
        {one_line(set.label), std::string(name_of(node)), digits_text(low), digits_text(high),
         kurtosis ? digits_text(*kurtosis) : "", fmt::format("{:.4f}", 100.0 * *beyond),
         or_blank(mean_of(set, [i](const auto& block) { return block.nodes[i].producers; })),
         fmt::format("{}", set.outliers[i].size()),
         channels_text(set.outliers[i], whole_ ? set.outliers[i].size() : shown_channels)});
  }

  // Those that any model has.
  std::vector<NormRole> norms() const {
    std::vector<NormRole> found;
    for (const NormRole role : all_norms) {
      const bool has = std::ranges::any_of(result_.models, [role](const AnalyzedModel& model) {
        return std::ranges::any_of(model.blocks, [role](const WeightFigures& block) {
          return std::ranges::find(block.norms, role, &NormFigures::role) != block.norms.end();
        });
      });
      if (has) found.push_back(role);
    }
    return found;
  }

  Table blocks() const {
    const std::vector<NormRole> roles = norms();
    std::vector<Table::Column> heads{{"set", Table::Align::left},
                                     {"block"},
                                     {"RMSE per token"},
                                     {"RMSE per tensor"},
                                     {"token std"}};
    for (const NormRole role : roles) heads.push_back({fmt::format("gain std: {}", name_of(role))});
    Table table(columns(std::move(heads)));
    for (const AnalyzedModel& model : result_.models) {
      for (const AnalyzedSet& set : model.sets) {
        for (std::size_t i = 0; i < set.blocks.size(); ++i) {
          const AnalyzedBlock& block = set.blocks[i];
          std::vector<std::string> row{
              one_line(set.label), fmt::format("{}", i), digits_text(block.rmse_per_token),
              digits_text(block.rmse_per_tensor), digits_text(block.token_deviation)};
          for (const NormRole role : roles) row.push_back(gain_text(model.blocks[i], role));
          table.add(cells(model, std::move(row)));
        }
      }
    }
    return table;
  }

  static std::string gain_text(const WeightFigures& block, NormRole role) {
    const auto norm = std::ranges::find(block.norms, role, &NormFigures::role);
    return norm == block.norms.end() ? "" : digits_text(norm->gain_deviation);
  }

  Table weights() const {
    Table table(columns({{"linear", Table::Align::left},
                         {"largest spectral norm"},
                         {"in block"},
                         {"mean"},
                         {"largest weight"}}));
    for (const AnalyzedModel& model : result_.models) {
      for (const LinearFigures& linear : model.blocks.front().linears) {
        table.add(weight_cells(model, linear.module));
      }
    }
    return table;
  }

  // Every block has the same linears.
  std::vector<std::string> weight_cells(const AnalyzedModel& model,
                                        const std::string& module) const {
    double largest = 0.0;
    double absmax = 0.0;
    double sum = 0.0;
    std::size_t place = 0;
    for (std::size_t i = 0; i < model.blocks.size(); ++i) {
      const auto linear =
          std::ranges::find(model.blocks[i].linears, module, &LinearFigures::module);
      if (linear->spectral_norm > largest) place = i;
      largest = std::max(largest, linear->spectral_norm);
      absmax = std::max(absmax, linear->absmax);
      sum += linear->spectral_norm;
    }
    return cells(
        model, {one_line(module), digits_text(largest), fmt::format("{}", place),
                digits_text(sum / static_cast<double>(model.blocks.size())), digits_text(absmax)});
  }

  // Of models with more sets than a list of pairs shows well; pairs() leaves those out then.
  bool has_matrices(const AnalyzedModel& model) const { return !whole_ && model.sets.size() > 2; }

  void add_matrices(std::vector<TitledTable>& tables) const {
    for (const AnalyzedModel& model : result_.models) {
      if (!has_matrices(model)) continue;
      const std::string name = models_ ? one_line(model.label) + ": " : "";
      tables.push_back({name + "similarity of sets, over all nodes: Jaccard index of the top 1 %",
                        matrix_of(model, &Similarity::top, 1.0)});
      tables.push_back({name + "distance of ranges", matrix_of(model, &Similarity::distance, 0.0)});
    }
  }

  Table pairs() const {
    Table table(columns({{"set", Table::Align::left},
                         {"and", Table::Align::left},
                         {"outlier dimensions"},
                         {"top 1 %"},
                         {"maxima"},
                         {"minima"},
                         {"distance"}}));
    for (const AnalyzedModel& model : result_.models) {
      if (has_matrices(model)) continue;
      for (const AnalyzedPair& pair : model.pairs) {
        const Similarity& all = pair.similarity.overall;
        table.add(cells(
            model, {one_line(model.sets[pair.first].label), one_line(model.sets[pair.second].label),
                    or_blank(all.outliers), or_blank(all.top), or_blank(all.maxima),
                    or_blank(all.minima), or_blank(all.distance)}));
      }
    }
    return table;
  }

  const AnalysisResult& result_;
  bool whole_;
  bool models_;
};

}  // namespace

std::vector<TitledTable> analysis_tables(const AnalysisResult& result, bool whole) {
  return Tables(result, whole).all();
}

}  // namespace evenkeel
