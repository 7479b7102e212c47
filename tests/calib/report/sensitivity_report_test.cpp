#include "calib/report/sensitivity_report.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

Json part(const char* kind, const char* name, double recovered) {
  return {{"kind", kind},
          {"name", name},
          {"alone", {{"output_error", 0.01}}},
          {"without", {{"output_error", 0.002}}},
          {"recovered", recovered}};
}

TEST(SensitivityReport, NamesWhatCostsMostAndShowsEachKind) {
  const Json json{{"quantized", {{"output_error", 0.05}}},
                  {"parts",
                   {part("node", "mlp.input", 0.25), part("node", "<b>", -0.5),
                    part("block", "blocks.1", 0.75)}}};
  const Page page = sensitivity_page(json);
  const std::string html = page.html();
  EXPECT_NE(html.find("The block blocks.1 has most of the loss: kept as it is, 75.00 % comes back"),
            std::string::npos);
  EXPECT_NE(html.find("5.00 % of its energy"), std::string::npos);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  ASSERT_EQ(page.charts().size(), 2U);
  const auto& plot = std::get<CategoryPlot>(page.charts()[0].plot);
  EXPECT_EQ(plot.categories, (std::vector<std::string>{"mlp.input", "<b>"}));
  EXPECT_EQ(plot.series.at(0).values, (std::vector<double>{25.0, -50.0}));
}

TEST(SensitivityReport, OfNothingSaysSo) {
  const Page page =
      sensitivity_page({{"quantized", {{"output_error", 0.0}}}, {"parts", Json::array()}});
  EXPECT_TRUE(page.charts().empty());
  EXPECT_NE(page.html().find("Nothing is quantized"), std::string::npos);
}

TEST(SensitivityReport, RefusesWhatItIsNot) {
  EXPECT_THROW(sensitivity_page({{"parts", 1}}), Json::exception);
  EXPECT_THROW(sensitivity_page(Json::object()), Json::exception);
}

}  // namespace
}  // namespace evenkeel
