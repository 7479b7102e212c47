#include "calib/compare/comparison_table.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/compare/comparison_report.h"

namespace evenkeel {
namespace {

using Row = std::vector<std::string>;

ComparedScore perplexity(double value, double error) {
  return {.label = "e.txt", .figures = {{Metric::perplexity, value, error}}};
}
ComparedScore accuracy(double value, double error) {
  return {.label = "arc",
          .figures = {{Metric::accuracy, value, error},
                      {Metric::normalized_accuracy, value / 2.0, error}},
          .examples = 50,
          .is_task = true};
}

const nlohmann::ordered_json seconds{
    {"observe", 0.5}, {"search", 1.0}, {"quantize", 0.25}, {"evaluate", 0.25}, {"total", 2.0}};

std::vector<ComparedFigure*> figures_of(ComparedRow& row) {
  std::vector<ComparedFigure*> figures;
  for (ComparedScore& score : row.scores) {
    for (ComparedFigure& figure : score.figures) figures.push_back(&figure);
  }
  return figures;
}

// Two methods on two calibration sets, the second drawn twice.
ComparisonResult example() {
  ComparisonResult result;
  result.full_precision.push_back({"m", {perplexity(20.0, 1.0), accuracy(0.5, 0.07)}});
  for (const char* set : {"text", "random"}) {
    for (const char* method : {"none", "os_plus"}) {
      ComparedRow row;
      row.settings = {{"calibration", set}, {"transform.method", method}};
      row.scores = {perplexity(22.0, 1.25), accuracy(0.25, 0.06)};
      row.seconds = seconds;
      for (ComparedFigure* figure : figures_of(row)) {
        figure->to_full_precision = {.difference = std::log(1.1),
                                     .standard_error = 0.01,
                                     .degrees = 3.0,
                                     .p_value = 0.002,
                                     .adjusted_p_value = 0.008};
      }
      if (result.rows.size() >= 2) {
        row.baseline = result.rows.size() - 2;
        row.seeds = {1, 2};
        for (ComparedFigure* figure : figures_of(row)) {
          figure->value *= 1.5;
          figure->runs = {figure->value, figure->value};
          figure->seed_error = 0.5;
          figure->to_baseline = {.difference = std::log(1.5),
                                 .standard_error = 0.1,
                                 .degrees = 7.0,
                                 .p_value = 1e-6,
                                 .adjusted_p_value = 2e-6};
        }
      }
      result.rows.push_back(std::move(row));
    }
  }
  return result;
}

Row names(const TextTable& table) {
  Row names;
  for (const auto& column : table.columns) names.push_back(column.name);
  return names;
}

TEST(ComparisonTable, HasFiguresErrorsAndTests) {
  const TextTable table = comparison_table(example());
  EXPECT_EQ(names(table), (Row{"calibration", "transform.method", "e.txt", "error", "of seeds",
                               "ratio", "difference", "p", "arc", "error", "of seeds", "change",
                               "difference", "p", "normalized accuracy", "error", "seconds"}));
  ASSERT_EQ(table.rows.size(), 5U);
  EXPECT_EQ(table.rows[0], (Row{"full precision", "", "20.0000", "1.0000", "", "", "", "",
                                "50.00 %", "7.00", "", "", "", "", "25.00 %", "7.00", ""}));
  EXPECT_EQ(table.rows[1],
            (Row{"text", "none", "22.0000", "1.2500", "-", "1.100", "", "", "25.00 %", "6.00", "-",
                 "-25.00", "", "", "12.50 %", "6.00", "2.0"}));
  EXPECT_EQ(table.rows[4], (Row{"random", "os_plus", "33.0000", "1.2500", "0.5000", "1.650",
                                "+11.0000", "<0.0001", "37.50 %", "6.00", "50.00", "-12.50",
                                "+12.50", "<0.0001", "18.75 %", "6.00", "2.0"}));
}

TEST(ComparisonTable, WithoutBaselinesTestsAgainstFullPrecision) {
  ComparisonResult result = example();
  result.rows.resize(2);
  const TextTable table = comparison_table(result);
  EXPECT_EQ(names(table),
            (Row{"calibration", "transform.method", "e.txt", "error", "ratio", "p", "arc", "error",
                 "change", "p", "normalized accuracy", "error", "seconds"}));
  EXPECT_EQ(table.rows[1].at(5), "0.0080");
  EXPECT_NE(comparison_legend(result).find("no difference to full precision"), std::string::npos);
}

TEST(ComparisonTable, LegendNamesTheBaselineAndExamples) {
  const std::string legend = comparison_legend(example());
  EXPECT_NE(legend.find("difference: to the same row with 'text'."), std::string::npos) << legend;
  EXPECT_NE(legend.find("arc: 50 examples."), std::string::npos) << legend;
}

TEST(ComparisonTable, GridHasTheLastAxisAcross) {
  const TextTable grid = comparison_grid(example(), 0);
  EXPECT_EQ(names(grid), (Row{"calibration", "none", "os_plus"}));
  EXPECT_EQ(grid.rows, (std::vector<Row>{{"full precision", "20.0000", "20.0000"},
                                         {"text", "22.0000", "22.0000"},
                                         {"random", "33.0000", "33.0000"}}));
}

TEST(ComparisonTable, RecordsHaveNumbersInFull) {
  const TextTable records = comparison_records(example());
  ASSERT_EQ(records.rows.size(), 15U);
  for (const Row& row : records.rows) EXPECT_EQ(row.size(), records.columns.size());
  EXPECT_EQ(records.rows[0], (Row{"full precision", "", "e.txt", "perplexity", "20", "1", "", "",
                                  "", "", "", "", "", "", ""}));
  const Row& last = records.rows[13];
  EXPECT_EQ((Row{last.begin(), last.begin() + 7}),
            (Row{"random", "os_plus", "arc", "accuracy", "0.375", "0.06", "0.5"}));
  EXPECT_EQ(last[9], "0.002");
  EXPECT_NEAR(std::stod(last[11]), std::log(1.5), 1e-15);  // a share is not a ratio
  EXPECT_NEAR(std::stod(records.rows[12][11]), 1.5, 1e-15);
}

TEST(ComparisonTable, ComesBackFromItsFile) {
  const ComparisonResult written = example();
  const auto json = to_json(written);
  const ComparisonResult read = comparison_from(nlohmann::ordered_json::parse(json.dump()));
  EXPECT_EQ(comparison_table(read).rows, comparison_table(written).rows);
  EXPECT_EQ(names(comparison_table(read)), names(comparison_table(written)));
  EXPECT_EQ(comparison_legend(read), comparison_legend(written));
  ASSERT_EQ(read.rows.size(), 4U);
  EXPECT_EQ(read.rows[3].baseline, 1U);
  EXPECT_EQ(read.rows[3].seeds, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_NEAR(read.rows[3].scores[0].main().to_baseline->difference, std::log(1.5), 1e-15);
  EXPECT_NEAR(read.rows[3].scores[0].main().to_baseline->standard_error, 0.1, 1e-15);
  EXPECT_EQ(read.full_precision[0].label, "m");
  EXPECT_TRUE(read.rows[1].scores[1].is_task);
  EXPECT_EQ(read.rows[1].scores[1].figures.at(1).value, 0.125);
  EXPECT_EQ(json.at("rows").at(1).at("tasks").at("arc").at("normalized_accuracy"), 0.125);
}

TEST(ComparisonTable, WhatIsNoComparisonIsRefused) {
  using Json = nlohmann::ordered_json;
  const Json good = to_json(example());
  const auto refused = [&](const auto& change) {
    Json bad = good;
    change(bad);
    EXPECT_THROW(comparison_from(bad), Json::exception) << bad.dump();
  };
  refused([](Json& bad) { bad = {{"rows", 1}}; });
  refused([](Json& bad) { bad["models"] = Json::array(); });
  refused([](Json& bad) { bad["rows"] = Json::array(); });
  refused([](Json& bad) { bad["full_precision"] = Json::object(); });
  refused([](Json& bad) { bad["rows"][1]["settings"] = {{"scheme", "w8a8"}}; });
  refused([](Json& bad) { bad["rows"][1]["settings"] = Json::object(); });
  refused([](Json& bad) { bad["rows"][1].erase("tasks"); });
  refused([](Json& bad) { bad["rows"][2]["baseline"] = {{"calibration", "none"}}; });
  refused([](Json& bad) { bad["rows"][2]["model"] = "another"; });
  refused([](Json& bad) { bad["rows"][2]["seconds"].erase("search"); });
  refused([](Json& bad) { bad["rows"][0]["standard_error"]["e.txt"] = Json::object(); });
  EXPECT_NO_THROW(comparison_from(good));
}

TEST(ComparisonReport, AnswersInTwoSentences) {
  EXPECT_EQ(comparison_answer(example()),
            "4 rows on e.txt: the best is text, none, 22.0000 where full precision has 20.0000 "
            "(1.100 times); the worst is random, os_plus, 33.0000 where full precision has 20.0000 "
            "(1.650 times). 2 of 2 rows differ from the same row with 'text' by more than the "
            "noise of texts and seeds (adjusted p < 0.05).");
}

TEST(ComparisonReport, ShowsFiguresBySettingAndCalibrationSet) {
  const Page few = comparison_page(example());
  std::vector<std::string> charts;
  for (const Chart& chart : few.charts()) charts.push_back(chart.title);
  EXPECT_EQ(charts, (std::vector<std::string>{"by setting, e.txt", "by calibration set, e.txt",
                                              "by setting, arc", "by calibration set, arc",
                                              "Seconds of each row by phase"}));
  ComparisonResult many = example();
  for (const char* set : {"a", "b", "c"}) {
    ComparedRow row = many.rows[3];
    row.settings[0].second = set;
    many.rows.push_back(row);
  }
  const Page page = comparison_page(many);
  const auto& plot = std::get<CategoryPlot>(page.charts().at(0).plot);
  EXPECT_EQ(plot.categories, (std::vector<std::string>{"none", "os_plus", "full precision"}));
  EXPECT_EQ(plot.series.at(0).name, "mean over calibration sets");
  const auto& sets = std::get<CategoryPlot>(page.charts().at(2).plot);
  EXPECT_EQ(sets.categories, (std::vector<std::string>{"text", "random", "a", "b", "c"}));
  EXPECT_NEAR(sets.series.at(0).values.at(0), 1.1, 1e-12);
  EXPECT_NEAR(sets.series.at(0).errors.at(1), 0.11, 1e-12);
}

}  // namespace
}  // namespace evenkeel
