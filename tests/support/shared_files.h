// Material beside the checkout that tests may read and the product never needs.
#pragma once

#include <filesystem>

#include <gtest/gtest.h>

namespace evenkeel::support {

/// ../shared/RELATIVE, seen from the checkout.
inline std::filesystem::path shared_file(const std::filesystem::path& relative) {
  return std::filesystem::path(EVENKEEL_SOURCE_DIR).parent_path() / "shared" / relative;
}

}  // namespace evenkeel::support

/// Skips the test, saying which file is not there.
#define EVENKEEL_NEEDS_SHARED(relative)                                     \
  if (!std::filesystem::exists(::evenkeel::support::shared_file(relative))) \
  GTEST_SKIP() << "needs ../shared/" << (relative) << " beside the checkout, which is absent"
