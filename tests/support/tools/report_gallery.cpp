// Writes a report with a chart of every kind and a table of hard cells into the folder that it is
// given, for the browser test.
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>

#include "calib/report/report_files.h"

namespace {

using namespace evenkeel;

Curve curve_of(const std::string& name, double offset) {
  Curve curve{.name = name, .points = {}};
  for (int i = 1; i <= 12; ++i) curve.points.emplace_back(i, std::exp(offset - 0.4 * i) + 0.02 * i);
  return curve;
}

void add_curves(Page& page) {
  page.heading("Curves");
  CurvePlot plot{.curves = {}, .mark = CurvePlot::Mark{"chosen: 7", 7.0}};
  for (int i = 0; i < 8; ++i) plot.curves.push_back(curve_of("curve " + std::to_string(i), i));
  plot.curves.push_back({.name = "best", .points = {{7.0, 0.19}}, .line = false, .rings = true});
  page.figure({.name = "curves",
               .title = "Curves on a logarithmic axis",
               .x_name = "threshold",
               .y_name = "loss",
               .log_y = true,
               .plot = plot},
              "The dashed line is what was chosen.");
}

void add_categories(Page& page) {
  page.heading("Categories");
  CategoryPlot plot;
  Series full{.name = "OS+", .values = {}, .errors = {}};
  Series none{.name = "none", .values = {}, .errors = {}};
  for (int i = 0; i < 25; ++i) {
    plot.categories.push_back("calibration corpus " + std::to_string(i) + ", scheme w6a6");
    full.values.push_back(18.0 + i);
    full.errors.push_back(1.0 + 0.1 * i);
    none.values.push_back(18.0 * std::exp(0.4 * i));
    none.errors.push_back(2.0 * std::exp(0.38 * i));
  }
  plot.series = {full, none};
  const auto chart = [&](const char* name, bool log) {
    return Chart{.name = name, .title = name, .x_name = "perplexity", .log_x = log, .plot = plot};
  };
  page.figure(chart("bars", true), "Bars on a logarithmic axis.");
  plot.form = CategoryPlot::Form::points;
  plot.series = {full};
  page.figure(chart("points", false), "Points with errors.");
  plot.form = CategoryPlot::Form::stacked;
  plot.categories = {"w8a8", "w6a6", "w4a4"};
  plot.series = {{"observe", {1, 2, 3}}, {"search", {4, 4, 1}}, {"evaluate", {2, 2, 2}}};
  page.figure(chart("stacked", false), "Stacked bars.");
}

void add_channels(Page& page) {
  page.heading("Channels");
  BandPlot::Panel before{.title = "before", .low = {}, .high = {}};
  BandPlot::Panel after{.title = "after", .low = {}, .high = {}};
  HeatMap map{.rows = 12, .columns = 768, .values = {}, .value_name = "absmax, of median"};
  for (int j = 0; j < 768; ++j) {
    const double outlier = j % 190 == 17 ? 30.0 : 1.0;
    const double middle = outlier > 1.0 ? (j % 380 == 17 ? 40.0 : -40.0) : 0.0;
    before.low.push_back(middle - outlier * (1.0 + 0.3 * std::sin(j)));
    before.high.push_back(middle + outlier * (1.0 + 0.3 * std::cos(j)));
    after.low.push_back(-1.5 - 0.3 * std::sin(j));
    after.high.push_back(1.5 + 0.3 * std::cos(j));
  }
  for (int i = 0; i < 12; ++i) {
    for (int j = 0; j < 768; ++j) {
      map.values.push_back((j % 190 == 17 ? 30.0 - i : 1.0) * (1.0 + 0.3 * std::sin(i * j)));
    }
  }
  page.figure({.name = "bands",
               .title = "Ranges of channels",
               .x_name = "channel",
               .y_name = "value",
               .plot = BandPlot{{before, after}}},
              "Each channel from its smallest to its largest value.");
  map.log_colour = true;
  page.figure({.name = "map",
               .title = "Outlier channels",
               .x_name = "channel",
               .y_name = "block",
               .plot = map},
              "Magnitude over the median of the block.");
}

void add_histogram(Page& page) {
  page.heading("Histogram");
  HistogramPlot plot{{{"before", {}, {}}, {"after", {}, {}}}};
  for (int i = -20; i <= 20; ++i) {
    plot.outlines[0].edges.push_back(i);
    plot.outlines[1].edges.push_back(0.2 * i);
    if (i == 20) break;
    plot.outlines[0].counts.push_back(1e5 * std::exp(-0.5 * std::abs(i)));
    plot.outlines[1].counts.push_back(1e5 * std::exp(-0.02 * i * i));
  }
  page.figure({.name = "histogram",
               .title = "Activations",
               .x_name = "value",
               .y_name = "count",
               .log_y = true,
               .plot = plot},
              "Outlines.");
}

void add_tables(Page& page) {
  page.heading("Table");
  page.table({{"site", false}, {"perplexity"}, {"share"}, {"a third column of figures"}, {"more"}},
             {{"blocks.10.mlp", "2.3e+05", "92.8 %", "+0.5", "1"},
              {"blocks.2.mlp", "19.76", "-", "-0.5", "2"},
              {"blocks.1.attention", "", "100.0 %", "0", "3"},
              {"-", "824.6289", "9.5 %", "-1.2e-05", "4"},
              {"<b>", "-", "nan", "+1.2e+01", "5"}});
  page.fields({{"model", "opt-3m"}, {"a name that is long", std::string(300, 'x')}});
  page.preformatted("The job", "model: x\n" + std::string(300, 'y') + "\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  try {
    Page page("Gallery");
    page.lead("Every kind of chart, and a table that is hard to sort.");
    add_curves(page);
    add_categories(page);
    add_channels(page);
    add_histogram(page);
    add_tables(page);
    Progress silent;
    OutputFolder folder(arguments[1]);
    stage_report(page, folder, silent);
    folder.commit();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "report_gallery: %s\n", error.what());
    return 1;
  }
  return 0;
}
