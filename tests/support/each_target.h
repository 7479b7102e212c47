// Runs a test once with each instruction set that this machine has.
//   INSTANTIATE_TEST_SUITE_P(Targets, MyFixture, each_target(), target_name);
#pragma once

#include <cstdint>
#include <string>

#include <gtest/gtest.h>
#include <hwy/highway.h>

namespace evenkeel::support {

class EachTarget : public testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override { use(GetParam()); }
  void TearDown() override { use(0); }

 private:
  static void use(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

inline auto each_target() { return testing::ValuesIn(hwy::SupportedAndGeneratedTargets()); }

inline std::string target_name(const testing::TestParamInfo<std::int64_t>& target) {
  return hwy::TargetName(target.param);
}

}  // namespace evenkeel::support
