// The forward pass against transformers.
#include "calib/verify.h"

#include <string>

#include <gtest/gtest.h>

#include "support/shared_files.h"

namespace evenkeel {
namespace {

class Architectures : public testing::TestWithParam<std::string> {};

TEST_P(Architectures, LogitsAndHiddenStatesAgreeWithTransformers) {
  const std::filesystem::path folder = std::filesystem::path("golden/architectures") / GetParam();
  EVENKEEL_NEEDS_SHARED(folder);
  const auto result = verify_checkpoint(support::shared_file(folder),
                                        support::shared_file(folder / "golden.safetensors"));
  ASSERT_GE(result.tensors.size(), 2U);
  EXPECT_EQ(result.tensors.front().name, "logits");
  for (const TensorDifference& tensor : result.tensors) {
    EXPECT_GT(tensor.scale, 0.0);
    EXPECT_LE(tensor.relative(), 2e-5) << tensor.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Architectures, testing::Values("opt"));

}  // namespace
}  // namespace evenkeel
