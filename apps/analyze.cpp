// calibrate analyze: what calibration sets do to a model's activations, and what its weights are.
#include "calib/analysis/analyze.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "apps/command.h"
#include "apps/figures.h"
#include "apps/job_arguments.h"
#include "apps/progress_bar.h"
#include "apps/table.h"
#include "calib/progress_log.h"
#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr const char* footer = R"(Examples:
  calibrate analyze configs/quickstart/compare.yaml
  calibrate analyze job.yaml --set analyze.outlier_threshold=3 --set output=out/analysis
  calibrate analyze job.yaml --csv > analysis.csv
Moves the job's calibration sets (compare.calibration, else calibration) through its models
(compare.model, else model) in full precision and writes OUTPUT/analysis.json and
OUTPUT/analysis.h5. transform, scheme, evaluate and other lists of compare are not read.
For --json, --quiet and --threads see calibrate --help.)";

struct Arguments {
  JobArguments job;
  bool csv = false;
};

struct TitledTable {
  std::string title;
  Table table;
};

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

class Tables {
 public:
  /// `whole`: every channel, and a column for the model in any case.
  Tables(const AnalysisResult& result, bool whole)
      : result_(result), whole_(whole), models_(whole || result.models.size() > 1) {}

  std::vector<TitledTable> all() const {
    std::vector<TitledTable> tables;
    tables.push_back({"nodes, over all blocks", nodes()});
    tables.push_back({"attention.input in each block", blocks()});
    tables.push_back({"weights, over all blocks", weights()});
    if (Table pairs = similarity(); !pairs.empty()) {
      tables.push_back({"similarity of sets, over all nodes", std::move(pairs)});
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
                         {fmt::format("|x| > {}", result_.options.outlier_threshold)},
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
         kurtosis ? digits_text(*kurtosis) : "", fmt::format("{:.4f} %", 100.0 * *beyond),
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

  Table similarity() const {
    Table table(columns({{"set", Table::Align::left},
                         {"and", Table::Align::left},
                         {"outlier dimensions"},
                         {"top 1 %"},
                         {"maxima"},
                         {"minima"},
                         {"distance"}}));
    for (const AnalyzedModel& model : result_.models) {
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

std::string csv_of(const AnalysisResult& result) {
  std::string text;
  for (const TitledTable& each : Tables(result, true).all()) {
    text += (text.empty() ? "" : "\n") + each.table.csv();
  }
  return text;
}

std::string text_of(const AnalysisResult& result, bool emphasis) {
  std::string text;
  for (const TitledTable& each : Tables(result, false).all()) {
    text += fmt::format("{}\n\n{}\n", each.title, each.table.text(emphasis));
  }
  return text +
         "kurtosis: mean of the channels', 3 for a normal distribution. producers: rank "
         "correlation of channels' absmax and the\nspread of the weights that make them, mean of "
         "the blocks. RMSE: of symmetric codes. outlier dimensions, top 1 %: Jaccard\nindex; "
         "maxima, minima: correlation; distance: of ranges, 0 to 2.\n";
}

Outcome analyze(const Arguments& arguments, const ProgramOptions& options) {
  if (arguments.csv && options.json) {
    throw UsageError("--csv: given beside --json; give one of them");
  }
  const Comparison analysis = load_analysis(arguments.job.file, arguments.job.settings);
  ProgressBar bar(stderr, options.quiet);
  ProgressLog progress(bar, arguments.job.log);
  const AnalysisResult result = run_analysis(analysis, progress);
  if (options.json) return {document(to_json(result)), ""};
  if (arguments.csv) return {csv_of(result), ""};
  return {fmt::format("{}\nwrote {}\nwrote {}\n", text_of(result, options.emphasis),
                      shown_path(analysis.job.output / "analysis.json"),
                      shown_path(analysis.job.output / "analysis.h5")),
          ""};
}

}  // namespace

void add_analyze(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "analyze", "Statistics of activations over calibration sets, and of weights");
  command->footer(footer);
  const auto arguments = std::make_shared<Arguments>();
  arguments->job.add_to(*command);
  command->add_flag("--csv", arguments->csv,
                    "Prints the tables as CSV, with every outlier channel");
  command->callback([arguments, &action] {
    action = [arguments](const ProgramOptions& options) { return analyze(*arguments, options); };
  });
}

}  // namespace evenkeel
