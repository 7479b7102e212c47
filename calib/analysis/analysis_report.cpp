#include "calib/analysis/analysis_report.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "calib/analysis/analysis_arrays.h"
#include "calib/analysis/analysis_tables.h"
#include "calib/analysis/block_charts.h"
#include "calib/analysis/channel_charts.h"
#include "calib/analysis/read_analysis.h"
#include "calib/analysis/report_choice.h"
#include "calib/analysis/similarity_charts.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr std::size_t most_rows = 100;  // of a table

class Report {
 public:
  Report(const AnalysisResult& result, const AnalysisArrays& arrays)
      : result_(result), arrays_(arrays), tables_(result, false), page_(title(result)) {}

  Page page() && {
    for (const std::string& answer : analysis_answers(result_)) page_.lead(answer);
    sets();
    outliers();
    channels();
    blocks();
    weights();
    means();
    similarity();
    analysis();
    return std::move(page_);
  }

 private:
  static std::string title(const AnalysisResult& result) {
    return result.models.size() == 1
               ? fmt::format("Analysis of {}", one_line(result.models.front().label))
               : fmt::format("Analysis of {} models", result.models.size());
  }

  void table(TextTable table) {
    const std::size_t rows = table.rows.size();
    table.rows.resize(std::min(rows, most_rows));
    page_.table(table.columns, table.rows);
    if (rows > most_rows) {
      page_.paragraph(
          fmt::format("The first {} of {} rows; analysis.json has all.", most_rows, rows));
    }
  }

  void figures(std::vector<CaptionedChart> charts) {
    for (CaptionedChart& each : charts) page_.figure(std::move(each.chart), each.caption);
  }

  // What `charts_of` gives for a model, of the first few models.
  template <class ChartsOf>
  void figures_by_model(const ChartsOf& charts_of) {
    const std::size_t shown = std::min(result_.models.size(), most_report_models);
    for (std::size_t model = 0; model < shown; ++model) figures(charts_of(model));
    if (shown < result_.models.size()) {
      page_.paragraph(
          fmt::format("Charts of the first {} of {} models; the other arrays are in "
                      "analysis.h5.",
                      shown, result_.models.size()));
    }
  }
  template <class ChartsOf>
  void arrays_by_model(const ChartsOf& charts_of) {
    figures_by_model([&](std::size_t model) { return charts_of(result_, arrays_, model); });
  }

  void sets() {
    page_.heading("Sets");
    const bool models = result_.models.size() > 1;
    TextTable sets{.columns = {{"number"}, {"set", false}, {"samples"}, {"tokens"}}, .rows = {}};
    if (models) sets.columns.insert(sets.columns.begin(), {"model", false});
    for (const AnalyzedModel& model : result_.models) {
      for (std::size_t s = 0; s < model.sets.size(); ++s) {
        const AnalyzedSet& set = model.sets[s];
        auto& row = sets.rows.emplace_back(std::vector<std::string>{
            fmt::format("{}", s), one_line(set.label), fmt::format("{}", set.samples),
            fmt::format("{}", set.tokens)});
        if (models) row.insert(row.begin(), one_line(model.label));
      }
    }
    table(std::move(sets));
  }

  void outliers() {
    page_.heading("Outliers");
    arrays_by_model(outlier_maps);
    table(tables_.nodes());
    page_.paragraph(fmt::format(
        "Over all blocks. Kurtosis: mean of the channels', 3 for a normal distribution. "
        "Producers: rank correlation of the channels' largest magnitudes with the spread of the "
        "weights that make them. Outlier dimensions: channels beyond {:g} in more than {:g} % of "
        "the blocks and {:g} % of the tokens, with their largest magnitudes.",
        result_.options.outlier_threshold, 100.0 * result_.options.outlier_blocks,
        100.0 * result_.options.outlier_tokens));
  }

  void channels() {
    page_.heading("Channels");
    arrays_by_model(channel_ranges);
    page_.subheading("Distributions");
    arrays_by_model(distributions);
  }

  void blocks() {
    page_.heading("Blocks");
    figures(activation_curves(result_));
    page_.paragraph("attention.input in each block, of the first set, and the gains of norms:");
    table(tables_.blocks(1));
  }

  void weights() {
    page_.heading("Weights");
    table(tables_.weights());
    figures_by_model([&](std::size_t model) { return weight_curves(result_, model); });
    arrays_by_model(weight_histograms);
  }

  void means() {
    page_.heading("Means");
    arrays_by_model(mean_maps);
    const std::size_t shown = std::min(result_.models.size(), most_report_models);
    for (std::size_t model = 0; model < shown; ++model) {
      if (result_.models.size() > 1) page_.subheading(titled(result_, model, "ends of the means"));
      table(mean_table(result_, arrays_, model));
    }
    page_.paragraph(
        "The largest and the smallest 1 % of the means over blocks and channels, and where the "
        "first of them are.");
  }

  void similarity() {
    TextTable pairs = similarity_table(result_);
    if (pairs.rows.empty()) return;
    page_.heading("Similarity of sets");
    figures_by_model([&](std::size_t model) { return similarity_maps(result_, model); });
    table(std::move(pairs));
    page_.paragraph(
        "Over all nodes, the furthest apart first. Outlier dimensions, top 1 %: Jaccard index of "
        "the channels. Maxima, minima: correlation over blocks and channels. Distance: mean "
        "difference of ranges over their mean, 0 alike, 2 at most.");
  }

  void analysis() {
    page_.heading("The analysis");
    const AnalysisOptions& options = result_.options;
    page_.fields(
        {{"outlier_threshold", fmt::format("{:g}", options.outlier_threshold)},
         {"outlier_blocks", fmt::format("{:g}", options.outlier_blocks)},
         {"outlier_tokens", fmt::format("{:g}", options.outlier_tokens)},
         {"pooling", fmt::format("{}", options.pooling)},
         {"bits", fmt::format("{}", options.bits)},
         {"histogram_bins", fmt::format("{}", options.histogram_bins)},
         {"histogram_range", options.histogram_range ? fmt::format("{:g}", *options.histogram_range)
                                                     : "four times the root mean square"}});
    page_.preformatted("The job as it was run", arrays_.job());
  }

  const AnalysisResult& result_;
  const AnalysisArrays& arrays_;
  AnalysisTables tables_;
  Page page_;
};

}  // namespace

Page analysis_page(const std::filesystem::path& folder) {
  const AnalysisResult result = read_analysis(folder / "analysis.json");
  const AnalysisArrays arrays(folder / "analysis.h5", result);
  return Report(result, arrays).page();
}

}  // namespace evenkeel
