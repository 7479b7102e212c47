#include "calib/peak_memory.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(PeakMemoryTest, GrowsByWhatIsTouchedAndStays) {
  constexpr std::uint64_t size = std::uint64_t{256} << 20U;
  const std::uint64_t before = peak_memory_bytes();
  EXPECT_GT(before, 0U);
  {
    const std::vector<char> touched(size, 'x');
    EXPECT_EQ(std::count(touched.begin(), touched.end(), 'x'), static_cast<std::ptrdiff_t>(size));
  }
  // What an earlier test touched and gave back may be part of the peak before.
  EXPECT_GE(peak_memory_bytes(), std::max(before, size));
}

}  // namespace
}  // namespace evenkeel
