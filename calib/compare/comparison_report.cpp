#include "calib/compare/comparison_report.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/compare/comparison_table.h"
#include "calib/report/figure_text.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr std::string_view calibration_axis = "calibration";
constexpr double noise = 0.05;
constexpr std::size_t most_series = 8;       // that a chart's colours tell apart
constexpr std::size_t most_categories = 60;  // that a chart can name
constexpr std::size_t most_apart = 4;        // calibration sets that are series of one chart
constexpr double wide = 5.0;  // largest over smallest from which an axis is logarithmic

using Rows = std::vector<const ComparedRow*>;

// Labels of the axes that `takes` takes, in one text.
template <typename Takes>
std::string label_of(const ComparedRow& row, const Takes& takes) {
  std::vector<std::string> labels;
  for (const auto& [axis, label] : row.settings) {
    if (takes(axis)) labels.push_back(one_line(label));
  }
  return fmt::format("{}", fmt::join(labels, ", "));
}

bool is_calibration(std::string_view axis) { return axis.starts_with(calibration_axis); }
bool is_setting(std::string_view axis) { return axis != "model" && !is_calibration(axis); }

std::string row_label(const ComparedRow& row) {
  return label_of(row, [](std::string_view) { return true; });
}

// A perplexity is better when it is less, anything else when it is more.
double badness(const ComparedRow& row, std::size_t text) {
  const ComparedFigure& figure = row.scores[text].main();
  return figure.metric == Metric::perplexity ? figure.value : -figure.value;
}

std::string against_exact(const ComparedRow& row, std::size_t text,
                          const ComparisonResult& result) {
  const ComparedFigure& own = row.scores[text].main();
  const ComparedFigure& exact = result.full_precision[row.model].scores[text].main();
  const bool perplexity = own.metric == Metric::perplexity;
  return fmt::format(
      "{} where full precision has {} ({}{})", score_text(own.value, own.metric),
      score_text(exact.value, exact.metric),
      perplexity ? ratio_text(own.value, exact.value) : points_text(own.value - exact.value),
      perplexity ? " times" : " points");
}

// The error of a row's figure beside its baseline's or full precision's, which leaves out what the
// text itself does to both.
double paired_error(const ComparedScore& score) {
  const PairedDifference& paired =
      score.main().to_baseline ? *score.main().to_baseline : score.main().to_full_precision;
  return paired.standard_error *
         (score.main().metric == Metric::perplexity ? score.main().value : 1.0);
}

class Categories {
 public:
  explicit Categories(Chart chart) : chart_(std::move(chart)) {}

  void add(const std::string& category, const std::string& series, double value, double error) {
    auto& plot = std::get<CategoryPlot>(chart_.plot);
    const std::size_t at = place(plot.categories, category);
    auto found = std::ranges::find(plot.series, series, &Series::name);
    if (found == plot.series.end()) {
      plot.series.push_back({.name = series, .values = {}});
      found = plot.series.end() - 1;
    }
    for (Series& each : plot.series) {
      each.values.resize(plot.categories.size(), std::nan(""));
      each.errors.resize(plot.categories.size(), std::nan(""));
    }
    found->values[at] = value;
    found->errors[at] = error;
    if (std::isfinite(value)) {
      least_ = std::min(least_, value);
      largest_ = std::max(largest_, value);
    }
  }

  bool fits() const {
    const auto& plot = std::get<CategoryPlot>(chart_.plot);
    return plot.series.size() <= most_series && plot.categories.size() <= most_categories;
  }
  Chart chart() const {
    Chart chart = chart_;
    chart.log_x = least_ > 0.0 && largest_ > wide * least_;
    return chart;
  }

 private:
  static std::size_t place(std::vector<std::string>& labels, const std::string& label) {
    const auto found = std::ranges::find(labels, label);
    const auto at = static_cast<std::size_t>(found - labels.begin());
    if (found == labels.end()) labels.push_back(label);
    return at;
  }

  Chart chart_;
  double least_ = INFINITY;
  double largest_ = 0.0;
};

Chart points_chart(std::string title, std::string x_name) {
  Chart chart;
  chart.name = chart_name(title);
  chart.title = std::move(title);
  chart.x_name = std::move(x_name);
  chart.plot = CategoryPlot{.form = CategoryPlot::Form::points, .categories = {}, .series = {}};
  return chart;
}

std::string page_title(const ComparisonResult& result) {
  std::vector<std::string> models;
  for (const ComparedModel& model : result.full_precision) models.push_back(one_line(model.label));
  return fmt::format("Comparison: {}", fmt::join(models, ", "));
}

class Report {
 public:
  explicit Report(const ComparisonResult& result) : result_(result), page_(page_title(result)) {}

  Page page() {
    page_.lead(comparison_answer(result_));
    page_.heading("Figures");
    const TextTable table = comparison_table(result_);
    page_.table(table.columns, table.rows);
    page_.paragraph(comparison_legend(result_));
    for (std::size_t text = 0; text < result_.rows.front().scores.size(); ++text) charts_of(text);
    sites();
    seconds();
    return std::move(page_);
  }

 private:
  void charts_of(std::size_t text) {
    const ComparedScore& first = result_.rows.front().scores[text];
    page_.heading(fmt::format("{}: {}", one_line(first.label), name_of(first.main().metric)));
    for (std::size_t model = 0; model < result_.full_precision.size(); ++model) {
      by_setting(text, model);
      const std::size_t sets = calibration_sets(model);
      if (sets > most_apart) by_calibration(text, model);
      if (sets > 1 && sets <= most_apart) beside_baseline(text, model);
    }
  }

  std::string title(std::string_view what, std::size_t text, std::size_t model) const {
    const std::string& label = result_.full_precision[model].label;
    const bool several = result_.full_precision.size() > 1;
    return fmt::format("{}{}{}, {}", several ? one_line(label) : "", several ? ": " : "", what,
                       one_line(result_.rows.front().scores[text].label));
  }

  std::size_t calibration_sets(std::size_t model) const {
    std::vector<std::string> labels;
    for (const ComparedRow& row : result_.rows) {
      if (row.model != model) continue;
      std::string label = label_of(row, is_calibration);
      if (std::ranges::find(labels, label) == labels.end()) labels.push_back(std::move(label));
    }
    return labels.size();
  }

  // Few calibration sets are series; of many, their mean and standard deviation are shown.
  void by_setting(std::size_t text, std::size_t model) {
    const Metric metric = result_.rows.front().scores[text].main().metric;
    const bool apart = calibration_sets(model) <= most_apart;
    Categories categories(
        points_chart(title("by setting", text, model), std::string(name_of(metric))));
    std::vector<std::pair<std::string, std::vector<double>>>
        values;  // by setting, as rows have them
    for (const ComparedRow& row : result_.rows) {
      if (row.model != model) continue;
      const ComparedScore& score = row.scores[text];
      std::string sets = label_of(row, is_calibration);
      if (apart) {
        categories.add(name_or(label_of(row, is_setting)), sets.empty() ? "figure" : sets,
                       score.main().value, paired_error(score));
      } else {
        const std::string setting = name_or(label_of(row, is_setting));
        auto found =
            std::ranges::find(values, setting, [](const auto& each) { return each.first; });
        if (found == values.end()) found = values.insert(found, {setting, {}});
        found->second.push_back(score.main().value);
      }
    }
    for (const auto& [category, each] : values) {
      double mean = 0.0;
      for (const double value : each) mean += value / static_cast<double>(each.size());
      double squares = 0.0;
      for (const double value : each) squares += (value - mean) * (value - mean);
      const auto degrees = static_cast<double>(std::max<std::size_t>(each.size(), 2) - 1);
      categories.add(category, "mean over calibration sets", mean, std::sqrt(squares / degrees));
    }
    const double exact = result_.full_precision[model].scores[text].main().value;
    categories.add(std::string(full_precision_label), apart ? "full precision" : "as it is", exact,
                   std::nan(""));
    if (!categories.fits()) return;
    page_.figure(categories.chart(),
                 apart ? "Bars: a standard error of the paired difference to the baseline, else to "
                         "full precision."
                       : "Bars: a standard deviation over the calibration sets.");
  }

  static std::string name_or(std::string label) {
    return label.empty() ? std::string("quantized") : label;
  }

  // What other calibration sets than the baseline's give.
  void beside_baseline(std::size_t text, std::size_t model) {
    const bool perplexity = result_.rows.front().scores[text].main().metric == Metric::perplexity;
    Categories categories(points_chart(
        title("by calibration set", text, model),
        perplexity ? "ratio to the baseline" : "difference to the baseline, in points"));
    bool any = false;
    for (const ComparedRow& row : result_.rows) {
      if (row.model != model || !row.baseline) continue;
      const PairedDifference& paired = *row.scores[text].main().to_baseline;
      const double ratio = std::exp(paired.difference);
      categories.add(name_or(label_of(row, is_setting)), name_or(label_of(row, is_calibration)),
                     perplexity ? ratio : 100.0 * paired.difference,
                     paired.standard_error * (perplexity ? ratio : 100.0));
      any = true;
    }
    if (!any || !categories.fits()) return;
    page_.figure(categories.chart(), fmt::format("To {}. Bars: a standard error of the paired "
                                                 "difference.",
                                                 baseline_name(result_)));
  }

  // One chart for each setting, since their figures may lie far apart.
  void by_calibration(std::size_t text, std::size_t model) {
    const bool perplexity = result_.rows.front().scores[text].main().metric == Metric::perplexity;
    std::vector<std::pair<std::string, Categories>> charts;
    for (const ComparedRow& row : result_.rows) {
      if (row.model != model) continue;
      const std::string setting = name_or(label_of(row, is_setting));
      auto found = std::ranges::find(charts, setting, [](const auto& each) { return each.first; });
      if (found == charts.end()) {
        charts.emplace_back(
            setting, Categories(points_chart(title(setting + " by calibration set", text, model),
                                             perplexity ? "ratio to full precision"
                                                        : "change to full precision, in points")));
        found = charts.end() - 1;
      }
      const ComparedScore& score = row.scores[text];
      const PairedDifference& paired = score.main().to_full_precision;
      const double ratio = std::exp(paired.difference);
      const double error = score.main().to_baseline ? score.main().to_baseline->standard_error
                                                    : paired.standard_error;
      found->second.add(name_or(label_of(row, is_calibration)), setting,
                        perplexity ? ratio : 100.0 * paired.difference,
                        perplexity ? ratio * error : 100.0 * error);
    }
    for (std::size_t i = 0; i < std::min(charts.size(), most_series); ++i) {
      if (!charts[i].second.fits()) continue;
      page_.figure(charts[i].second.chart(),
                   "Bars: a standard error of the paired difference to full precision.");
    }
  }

  void sites() {
    const TextTable table = errors_table(result_);
    if (table.rows.empty()) return;
    page_.heading("What a transform does to a site");
    page_.table(table.columns, table.rows);
  }

  void seconds() {
    if (result_.rows.size() > most_categories) return;
    page_.heading("Seconds");
    Chart chart;
    chart.name = "seconds";
    chart.title = "Seconds of each row by phase";
    chart.x_name = "seconds";
    CategoryPlot plot{.form = CategoryPlot::Form::stacked, .categories = {}, .series = {}};
    for (const char* phase : {"observe", "search", "quantize", "evaluate"}) {
      Series& series = plot.series.emplace_back(Series{.name = phase, .values = {}});
      for (const ComparedRow& row : result_.rows) {
        series.values.push_back(row.seconds.at(phase).get<double>());
      }
    }
    for (const ComparedRow& row : result_.rows) plot.categories.push_back(row_label(row));
    chart.plot = std::move(plot);
    page_.figure(std::move(chart), "Of a row's own work, beside which other rows were at work.");
  }

  const ComparisonResult& result_;
  Page page_;
};

}  // namespace

std::string comparison_answer(const ComparisonResult& result) {
  const std::string& text = result.rows.front().scores.front().label;
  Rows rows;
  for (const ComparedRow& row : result.rows) rows.push_back(&row);
  const auto by_badness = [](const ComparedRow* row) { return badness(*row, 0); };
  const auto [best, worst] = std::ranges::minmax(rows, {}, by_badness);
  std::string answer = fmt::format("{} rows on {}: the best is {}, {}", rows.size(), one_line(text),
                                   row_label(*best), against_exact(*best, 0, result));
  if (rows.size() > 1) {
    answer +=
        fmt::format("; the worst is {}, {}", row_label(*worst), against_exact(*worst, 0, result));
  }
  std::size_t tested = 0;
  std::size_t beyond_noise = 0;
  const bool baseline = std::ranges::any_of(
      result.rows, [](const ComparedRow& row) { return row.baseline.has_value(); });
  for (const ComparedRow& row : result.rows) {
    const ComparedScore& score = row.scores.front();
    if (baseline && !score.main().to_baseline) continue;
    const PairedDifference& test =
        baseline ? *score.main().to_baseline : score.main().to_full_precision;
    ++tested;
    if (test.adjusted_p_value < noise) ++beyond_noise;
  }
  const bool seeds =
      std::ranges::any_of(result.rows, [](const ComparedRow& row) { return !row.seeds.empty(); });
  return fmt::format(
      "{}. {} of {} rows differ from {} by more than the noise of {} (adjusted p < {}).", answer,
      beyond_noise, tested, baseline_name(result),
      seeds ? "texts and seeds" : "the texts, each calibrated once", noise);
}

Page comparison_page(const ComparisonResult& result) { return Report(result).page(); }

}  // namespace evenkeel
