#include "calib/report/sensitivity_report.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "calib/report/figure_text.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_parts = 40;  // that a chart can name

struct Part {
  std::string kind;
  std::string name;
  double alone = 0.0;  // output errors
  double without = 0.0;
  double recovered = 0.0;
};

std::vector<Part> parts_of(const Json& json) {
  std::vector<Part> parts;
  for (const Json& part : json.at("parts")) {
    parts.push_back(
        {one_line(part.at("kind").get<std::string>()), one_line(part.at("name").get<std::string>()),
         part.at("alone").at("output_error").get<double>(),
         part.at("without").at("output_error").get<double>(), part.at("recovered").get<double>()});
  }
  return parts;
}

Chart chart_of(const std::string& kind, const std::vector<Part>& parts) {
  CategoryPlot plot{.form = CategoryPlot::Form::bars, .categories = {}, .series = {}};
  Series series{.name = "recovered", .values = {}};
  for (std::size_t i = 0; i < std::min(parts.size(), most_parts); ++i) {
    plot.categories.push_back(parts[i].name);
    series.values.push_back(100.0 * parts[i].recovered);
  }
  plot.series.push_back(std::move(series));
  return {.name = chart_name("sensitivity-" + kind),
          .title = fmt::format("What keeping a {} gives back", kind),
          .x_name = "% of the loss",
          .plot = std::move(plot)};
}

}  // namespace

Page sensitivity_page(const Json& json) {
  const std::vector<Part> parts = parts_of(json);
  const double quantized = json.at("quantized").at("output_error").get<double>();
  Page page("Sensitivity");
  if (parts.empty()) {
    page.lead("Nothing is quantized.");
    return page;
  }
  const Part& most = *std::ranges::max_element(parts, {}, &Part::recovered);
  page.lead(fmt::format(
      "The {} {} has most of the loss: kept as it is, {} comes back. All quantized, the output's "
      "error is {} of its energy.",
      most.kind, most.name, percent_text(most.recovered), percent_text(quantized)));
  std::vector<std::string> kinds;
  for (const Part& part : parts) {
    if (std::ranges::find(kinds, part.kind) == kinds.end()) kinds.push_back(part.kind);
  }
  for (const std::string& kind : kinds) {
    std::vector<Part> own;
    std::ranges::copy_if(parts, std::back_inserter(own),
                         [&](const Part& part) { return part.kind == kind; });
    page.heading(fmt::format("Each {}", kind));
    page.figure(chart_of(kind, own),
                "Of the first text: how much of what the scheme loses comes back when only this is "
                "left as it is.");
    std::vector<std::vector<std::string>> rows;
    for (const Part& part : own) {
      rows.push_back({part.name, percent_text(part.recovered), digits_text(part.alone),
                      digits_text(part.without)});
    }
    page.table({{kind, false},
                {"recovered"},
                {"output error, alone quantized"},
                {"all but this quantized"}},
               rows);
  }
  return page;
}

}  // namespace evenkeel
