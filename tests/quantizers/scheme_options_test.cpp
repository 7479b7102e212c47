#include "quantizers/scheme_options.h"

#include <cmath>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

const SchemeOption& option_named(std::string_view key) {
  for (const SchemeOption& option : scheme_options()) {
    if (option.key == key) return option;
  }
  throw std::out_of_range(std::string(key));
}

TEST(SchemeOptions, AreReadByOneChoiceEach) {
  std::set<std::string_view> keys;
  for (const SchemeOption& option : scheme_options()) {
    EXPECT_TRUE(keys.insert(option.key).second) << option.key;
    EXPECT_FALSE(is_read(option, {})) << option.key;  // so that records of the default stay short
  }
  EXPECT_TRUE(is_read(option_named("percentile"), {.range = RangeEstimator::percentile}));
  EXPECT_TRUE(is_read(option_named("group_size"), {.granularity = Granularity::per_group}));
  EXPECT_TRUE(is_read(option_named("split"), {.codes = Codes::two_range}));
}

TEST(SchemeOptions, SayWhoReadsThem) {
  EXPECT_EQ(why_idle(option_named("percentile"), {}), "only percentile reads it; range is minmax");
  EXPECT_EQ(why_idle(option_named("split"), {}), "only two_range reads it; codes are uniform");
  EXPECT_EQ(why_idle(option_named("groups"), {}),
            "only per_embedding_group reads it; granularity is per_tensor");
}

TEST(SchemeOptions, HaveLimits) {
  EXPECT_EQ(fault_of(option_named("group_size"), {.group_size = 0}),
            "group_size must be at least 1, not 0");
  EXPECT_EQ(fault_of(option_named("group_size"), {.group_size = 1}), std::nullopt);
  EXPECT_EQ(fault_of(option_named("steps_per_octave"), {.steps_per_octave = 65}),
            "steps_per_octave must be 1 to 64, not 65");
  EXPECT_EQ(fault_of(option_named("split"), {.split = 1.0}),
            "split must be at least 1e-06 and below 1, not 1");
  EXPECT_EQ(fault_of(option_named("percentile"), {.percentile = 0.5}),
            "percentile must be above 0.5 and at most 1, not 0.5");
  EXPECT_EQ(fault_of(option_named("percentile"), {.percentile = 1.0}), std::nullopt);
  EXPECT_NE(fault_of(option_named("percentile"), {.percentile = std::nan("")}), std::nullopt);
  EXPECT_EQ(fault_of(option_named("permute"), {.permute = false}), std::nullopt);
}

}  // namespace
}  // namespace evenkeel
