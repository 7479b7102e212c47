#include "transforms/options.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Lines = std::vector<std::string>;

TEST(TransformOptions, spell_each_choice_in_one_way) {
  EXPECT_EQ(method_names(),
            (Lines{"none", "smoothquant", "outlier_suppression", "os_plus", "awq"}));
  for (const auto& name : method_names()) {
    ASSERT_TRUE(method_named(name)) << name;
    EXPECT_EQ(name_of(*method_named(name)), name);
  }
  EXPECT_EQ(search_names(), (Lines{"exact", "exhaustive", "fast"}));
  for (const auto& name : search_names()) {
    ASSERT_TRUE(search_named(name)) << name;
    EXPECT_EQ(name_of(*search_named(name)), name);
  }
  EXPECT_EQ(site_kind_names(), (Lines{"attention", "mlp", "output", "down"}));
  for (const auto& name : site_kind_names()) EXPECT_EQ(name_of(*site_kind_named(name)), name);
  EXPECT_EQ(method_named("os_plus"), Method::os_plus);
  EXPECT_EQ(search_named("exhaustive"), Search::exhaustive);
}

TEST(TransformOptions, know_no_other_spelling) {
  for (const char* name : {"", "None", "OS+", "os-plus", "gptq", "outlier suppression", "none "}) {
    EXPECT_FALSE(method_named(name)) << name;
  }
  for (const char* name : {"", "quick", "Exact"}) EXPECT_FALSE(search_named(name)) << name;
}

TEST(TransformOptions, have_no_fault_by_default_or_at_the_bounds) {
  EXPECT_EQ(faults_of(TransformOptions{}), Lines{});
  TransformOptions options{.method = Method::smoothquant, .search_samples = 1, .alpha = 0.0};
  EXPECT_EQ(faults_of(options), Lines{});
  options.alpha = 1.0;
  EXPECT_EQ(faults_of(options), Lines{});
  options.alpha.reset();
  EXPECT_EQ(faults_of(options), Lines{});
}

TEST(TransformOptions, clip_by_default_as_awq_did) {
  const TensorScheme channel{.granularity = Granularity::per_channel};
  const TensorScheme tensor{.granularity = Granularity::per_tensor};
  EXPECT_TRUE(clips({.method = Method::awq}, channel));
  EXPECT_FALSE(clips({.method = Method::awq}, tensor));
  EXPECT_FALSE(clips({.method = Method::awq, .clip = false}, channel));
  EXPECT_FALSE(clips({.method = Method::os_plus}, channel));
  EXPECT_TRUE(clips({.method = Method::none, .clip = true}, channel));
}

TEST(TransformOptions, leave_os_plus_something_to_do) {
  EXPECT_EQ(faults_of(TransformOptions{.shift = false}), Lines{});
  EXPECT_EQ(faults_of(TransformOptions{.scale = false}), Lines{});
  EXPECT_EQ(faults_of(TransformOptions{.shift = false, .scale = false}),
            (Lines{"scale: false beside shift: false, which leaves os_plus nothing to do; use "
                   "method none"}));
}

TEST(TransformOptions, report_every_fault_with_its_key) {
  const TransformOptions options{.method = static_cast<Method>(7),
                                 .search_samples = 0,
                                 .search = static_cast<Search>(9),
                                 .alpha = 1.5};
  EXPECT_EQ(faults_of(options), (Lines{"method: no such choice (7)", "search: no such choice (9)",
                                       "search_samples: expected at least 1, got 0",
                                       "alpha: expected a number from 0 to 1, got 1.5"}));
}

TEST(TransformOptions, refuse_an_alpha_that_is_no_number) {
  for (const double alpha :
       {std::numeric_limits<double>::quiet_NaN(), -0.1, std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(faults_of(TransformOptions{.alpha = alpha}).size(), 1U) << alpha;
  }
}

}  // namespace
}  // namespace evenkeel
