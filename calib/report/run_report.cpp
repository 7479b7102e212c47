#include "calib/report/run_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "calib/byte_size.h"
#include "calib/inspect.h"
#include "calib/report/figure_text.h"
#include "calib/report/scheme_fields.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Row = std::vector<std::string>;

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> methods{{
    {"none", "No transform"},
    {"smoothquant", "SmoothQuant"},
    {"outlier_suppression", "Outlier Suppression"},
    {"os_plus", "OS+"},
    {"awq", "AWQ"},
}};

std::string shown_method(const std::string& name) {
  const auto found = std::ranges::find(methods, name, [](const auto& each) { return each.first; });
  return found == methods.end() ? name : std::string(found->second);
}

std::string digits_or_none(double value) { return std::isfinite(value) ? digits_text(value) : "-"; }

std::string range_or_none(double low, double high) {
  return std::isfinite(low) && std::isfinite(high)
             ? fmt::format("{} .. {}", digits_text(low), digits_text(high))
             : "-";
}

// What the transform left of a site's error.
double left_of(const RunSite& site) { return site.loss_after / site.loss_before; }

std::string change_text(const RunScore& score) {
  return score.metric == Metric::perplexity ? ratio_text(score.quantized, score.full_precision)
                                            : points_text(score.quantized - score.full_precision);
}

std::string score_sentence(const RunScore& score) {
  const bool perplexity = score.metric == Metric::perplexity;
  const auto text = [&](double value) {
    return perplexity && value < 1000.0 ? fmt::format("{:.2f}", value)
                                        : score_text(value, score.metric);
  };
  return fmt::format("{} of {} {} in full precision, {} quantized ({}{})", name_of(score.metric),
                     one_line(score.text), text(score.full_precision), text(score.quantized),
                     change_text(score), perplexity ? " times" : " points");
}

std::string what_ran(const RunResults& results) {
  return fmt::format("{}{} on {}", shown_method(results.method),
                     results.scheme_name.empty() ? "" : " at " + results.scheme_name,
                     one_line(results.model));
}

std::string site_sentence(const RunResults& results) {
  std::vector<double> left;
  for (const RunSite& site : results.sites) {
    if (site.loss_before > 0.0 && std::isfinite(left_of(site))) left.push_back(left_of(site));
  }
  if (left.empty()) return "";
  const auto middle = left.begin() + static_cast<std::ptrdiff_t>(left.size() / 2);
  std::ranges::nth_element(left, middle);
  return fmt::format(
      "The transform lowered the output error of its {} sites to {:.2g} % of what it "
      "was (median).",
      left.size(), 100.0 * *middle);
}

// Blocks of which a curve is shown: few enough to be told apart.
std::vector<const RunSite*> shown_sites(const std::vector<const RunSite*>& all) {
  std::vector<const RunSite*> shown{all.front(), all[all.size() / 2], all.back()};
  shown.push_back(*std::ranges::max_element(all, {}, [](const RunSite* site) {
    return std::isfinite(left_of(*site)) ? left_of(*site) : 0.0;
  }));
  std::ranges::sort(shown, {}, [](const RunSite* site) { return site->block; });
  const auto same = std::ranges::unique(shown);
  shown.erase(same.begin(), same.end());
  return shown;
}

Chart search_chart(const std::string& kind, const std::vector<const RunSite*>& all,
                   const std::string& x_name) {
  CurvePlot plot;
  Curve chosen{.name = "chosen", .points = {}, .line = false, .rings = true};
  for (const RunSite* site : shown_sites(all)) {
    Curve& curve = plot.curves.emplace_back();
    curve.name = fmt::format("block {}", site->block);
    for (const auto& [x, loss] : site->curve) {
      curve.points.emplace_back(x, loss / site->loss_before);
    }
    chosen.points.emplace_back(site->threshold, left_of(*site));
  }
  plot.curves.push_back(std::move(chosen));
  return {.name = chart_name("search " + kind),
          .title = fmt::format("{}: the search", kind),
          .x_name = x_name,
          .y_name = "output error, of that without transform",
          .log_x = x_name != "alpha",
          .log_y = true,
          .plot = std::move(plot)};
}

class Report {
 public:
  explicit Report(const RunResults& results)
      : results_(results),
        page_(fmt::format("{}: {}", one_line(results.model), shown_method(results.method))) {}

  Page page() && {
    for (const std::string& answer : run_answers(results_)) page_.lead(answer);
    scores();
    sites();
    channels();
    nodes();
    measured();
    job();
    return std::move(page_);
  }

 private:
  void scores() {
    if (results_.scores.empty()) return;
    page_.heading("Texts");
    std::vector<Row> rows;
    for (const RunScore& score : results_.scores) {
      rows.push_back({score.text, std::string(name_of(score.metric)),
                      score_text(score.full_precision, score.metric),
                      score_text(score.quantized, score.metric), change_text(score)});
    }
    page_.table({{"text", false}, {"figure", false}, {"full precision"}, {"quantized"}, {"change"}},
                rows);
    page_.paragraph("Change: of perplexities the ratio, of all others the points of a hundred.");
  }

  void sites() {
    if (results_.sites.empty()) return;
    page_.heading("Sites");
    std::vector<Row> rows;
    for (const RunSite& site : results_.sites) {
      rows.push_back(
          {site.name(), digits_or_none(site.threshold), digits_or_none(site.loss_before),
           digits_or_none(site.loss_after),
           site.loss_before > 0.0 ? ratio_text(site.loss_after, site.loss_before) : "-",
           digits_or_none(site.high - site.low), digits_or_none(site.high_after - site.low_after),
           range_or_none(site.low, site.high), range_or_none(site.low_after, site.high_after)});
    }
    page_.table({{"site", false},
                 {x_name()},
                 {"error before"},
                 {"error after"},
                 {"ratio"},
                 {"width before"},
                 {"width after"},
                 {"range before", false},
                 {"range after", false}},
                rows);
    page_.paragraph(
        "Error: squared, of the site's output when it is quantized, without and with the "
        "transform. Range: of the site's input over all channels and samples, before the transform "
        "and under it; width: its high end less its low one.");
    curves();
  }

  std::string x_name() const {
    return results_.method == "os_plus" || results_.method == "outlier_suppression" ? "threshold"
                                                                                    : "alpha";
  }

  void curves() {
    std::map<std::string, std::vector<const RunSite*>> kinds;
    for (const RunSite& site : results_.sites) {
      if (site.curve.size() > 1 && site.loss_before > 0.0) kinds[site.kind].push_back(&site);
    }
    constexpr std::size_t most_kinds = 8;  // a mixture has one for each expert
    std::size_t shown = 0;
    for (const auto& [kind, all] : kinds) {
      if (++shown > most_kinds) break;
      page_.figure(
          search_chart(kind, all, x_name()),
          "What the search tried, and a ring around what it chose: the first, the middle "
          "and the last block, and the one whose error stayed largest. Candidates that the "
          "exact search could drop early have no point.");
    }
  }

  void channels() {
    if (results_.bands.empty() && results_.maps.empty()) return;
    page_.heading("Channels");
    for (const RunBands& bands : results_.bands) {
      page_.figure(
          {.name = chart_name("ranges " + bands.site),
           .title = fmt::format("{}: channels before the transform and after it", bands.site),
           .x_name = "channel",
           .y_name = "value",
           .plot = BandPlot{{bands.before, bands.after}}},
          "Each channel of the site's input from its smallest to its largest value x, and "
          "(x - z) / s. The axes differ.");
    }
    for (const RunMap& map : results_.maps) {
      HeatMap shown = map.map;
      shown.value_name = "magnitude, of median";
      shown.log_colour = true;
      shown.floor = 1.0;
      page_.figure({.name = chart_name("outliers " + map.node),
                    .title = fmt::format("{}: outlier channels", map.node),
                    .x_name = "channel",
                    .y_name = "block",
                    .plot = std::move(shown)},
                   shown_width(map.map));
    }
  }

  static std::string shown_width(const HeatMap& map) {
    const std::string text =
        "The largest magnitude of each channel over the median of its block, before the transform: "
        "dark columns are channels that stand out in every block.";
    return map.column_width == 1
               ? text
               : fmt::format("{} The largest of {} channels each.", text, map.column_width);
  }

  void nodes() {
    if (results_.nodes.empty()) return;
    page_.heading("Nodes");
    node_chart("magnitudes", "largest magnitude before the transform", [](const RunNode& node) {
      return std::max(std::abs(node.low), std::abs(node.high));
    });
    node_chart("quantized ranges", "width of the quantized range", [](const RunNode& node) {
      return node.range ? node.range->second - node.range->first : std::nan("");
    });
    std::vector<Row> rows;
    for (const RunNode& node : results_.nodes) {
      rows.push_back({fmt::format("blocks.{}.{}", node.block, node.kind),
                      fmt::format("{}", node.channels), digits_or_none(node.low),
                      digits_or_none(node.high), digits_or_none(node.largest_ratio),
                      fmt::format("{}", node.outliers),
                      node.range ? range_or_none(node.range->first, node.range->second) : "-",
                      node.step ? digits_text(*node.step) : "-"});
    }
    page_.table({{"node", false},
                 {"channels"},
                 {"low"},
                 {"high"},
                 {"largest, of median"},
                 {"outliers"},
                 {"quantized range", false},
                 {"step"}},
                rows);
    page_.paragraph(fmt::format(
        "Low and high: over all channels and samples before the transform. Largest, of median: the "
        "magnitude of the channel that stands out most. Outliers: channels of at least {:g} times "
        "the median. Quantized range: what the codes span, after the transform, where one static "
        "range holds for the node.",
        outlier_ratio));
  }

  template <class Value>
  void node_chart(std::string_view name, std::string_view y_name, const Value& value) {
    std::vector<std::string> kinds;  // in the order of the block
    std::map<std::string, Curve> curves;
    for (const RunNode& node : results_.nodes) {
      const auto [place, is_new] = curves.try_emplace(node.kind);
      if (is_new) kinds.push_back(node.kind);
      place->second.name = node.kind;
      place->second.points.emplace_back(node.block, value(node));
    }
    CurvePlot plot;
    for (const std::string& kind : kinds) plot.curves.push_back(std::move(curves.at(kind)));
    page_.figure({.name = chart_name(name),
                  .title = fmt::format("Nodes: {}", y_name),
                  .x_name = "block",
                  .y_name = std::string(y_name),
                  .log_y = true,
                  .plot = std::move(plot)},
                 "");
  }

  // No two runs share what stands here.
  void measured() {
    page_.heading("Time and memory");
    CategoryPlot plot;
    Series series{.name = "seconds", .values = {}};
    std::string total;
    for (const auto& [phase, seconds] : results_.seconds) {
      if (phase == "total") {
        total = duration_text(seconds);
        continue;
      }
      plot.categories.push_back(phase);
      series.values.push_back(seconds);
    }
    page_.paragraph(
        fmt::format("{} in all; peak memory {}.", total, byte_size_text(results_.peak_memory)));
    plot.series.push_back(std::move(series));
    page_.figure({.name = "seconds",
                  .title = "Seconds of each phase",
                  .x_name = "seconds",
                  .plot = std::move(plot)},
                 "");
  }

  void job() {
    page_.heading("The job");
    std::vector<std::pair<std::string, std::string>> fields{
        {"model", results_.model},
        {"architecture", results_.architecture},
        {"parameters", count_text(results_.parameters)},
        {"blocks", fmt::format("{}", results_.blocks)},
        {"method", results_.method}};
    if (!results_.scheme_name.empty()) fields.emplace_back("scheme", results_.scheme_name);
    for (auto& part : scheme_fields(results_.scheme)) fields.push_back(std::move(part));
    fields.emplace_back("job", results_.job_file);
    fields.emplace_back("run", results_.id);
    page_.fields(fields);
    page_.preformatted("The job as it was run", results_.job);
  }

  const RunResults& results_;
  Page page_;
};

}  // namespace

std::vector<std::string> run_answers(const RunResults& results) {
  std::string first = what_ran(results);
  if (results.scores.empty()) {
    first += ": nothing was evaluated.";
  } else {
    const auto most_lost = std::ranges::max_element(results.scores, {}, [](const RunScore& score) {
      return score.metric == Metric::perplexity ? score.quantized / score.full_precision
                                                : score.full_precision - score.quantized;
    });
    first +=
        ": " + score_sentence(*most_lost) +
        (results.scores.size() > 1 ? fmt::format(", the most of {} figures.", results.scores.size())
                                   : ".");
  }
  std::vector<std::string> answers{first};
  if (std::string second = site_sentence(results); !second.empty()) {
    answers.push_back(std::move(second));
  }
  return answers;
}

Page run_report(const RunResults& results) { return Report(results).page(); }

}  // namespace evenkeel
