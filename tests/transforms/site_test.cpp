#include "transforms/site.h"

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(Site, AreANormAndEveryLinearThatReadsIt) {
  Architecture architecture;
  architecture.bias = true;
  const std::vector<Site> sites = sites_of(architecture);
  ASSERT_EQ(sites.size(), 2U);
  for (const Site& site : sites) {
    std::vector<LinearRole> expected;
    for (const LinearRole role : all_linears) {
      if (input_of(role) == site.input) expected.push_back(role);
    }
    EXPECT_EQ(site.readers, expected) << site.name;
    EXPECT_TRUE(site.can_shift);
  }
  EXPECT_EQ(sites[0].objective, Objective::attention);
  EXPECT_EQ(sites[1].objective, Objective::linear);
}

TEST(Site, ShiftsOnlyWhereReadersHaveABias) {
  Architecture architecture;
  architecture.bias = false;
  for (const Site& site : sites_of(architecture)) EXPECT_FALSE(site.can_shift);
}

}  // namespace
}  // namespace evenkeel
