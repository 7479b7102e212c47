// The forward pass against transformers.
#include "calib/verify.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "io/safetensors.h"
#include "model/architecture.h"
#include "support/shared_files.h"

namespace evenkeel {
namespace {

// What two forwards in float may differ by, of a tensor's largest magnitude.
constexpr double float_forward = 2e-5;

void expect_agreement(const std::filesystem::path& checkpoint,
                      const std::filesystem::path& against) {
  const auto result = verify_checkpoint(checkpoint, against);
  ASSERT_FALSE(result.tensors.empty());
  EXPECT_EQ(result.tensors.front().name, "logits");
  for (const TensorDifference& tensor : result.tensors) {
    EXPECT_GT(tensor.scale, 0.0);
    EXPECT_LE(tensor.relative(), float_forward) << tensor.name;
  }
}

class Architectures : public testing::TestWithParam<std::string> {};

TEST_P(Architectures, LogitsAndHiddenStatesAgreeWithTransformers) {
  const std::filesystem::path root = "golden/architectures";
  EVENKEEL_NEEDS_SHARED(root);
  const std::filesystem::path folder = support::shared_file(root / GetParam());
  const std::filesystem::path golden = folder / "golden.safetensors";
  expect_agreement(folder, golden);
  // Every state between the blocks is there to be compared.
  const SafetensorsFile file(golden);
  const Architecture architecture = resolve_architecture(Checkpoint(folder));
  for (Index number = 0; number <= architecture.blocks; ++number) {
    EXPECT_NE(file.find("hidden." + std::to_string(number)), nullptr) << number;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Architectures,
                         testing::Values("bert-classification", "bert-masked", "bloom", "cohere",
                                         "cohere-qknorm", "falcon-40b", "falcon-7b", "gemma2",
                                         "gpt2", "gpt_neox", "gpt_neox-sequential", "gptj", "llama",
                                         "llama3-rope", "mistral", "mixtral", "opt", "opt-350m",
                                         "phi", "qwen2", "qwen3", "roberta-classification"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// A trained model, on sentences of many lengths padded together.
TEST(Verify, ATrainedClassifierAgreesWithTransformers) {
  EVENKEEL_NEEDS_SHARED("models/bert-sst2");
  EVENKEEL_NEEDS_SHARED("golden/bert-sst2.safetensors");
  expect_agreement(support::shared_file("models/bert-sst2"),
                   support::shared_file("golden/bert-sst2.safetensors"));
}

}  // namespace
}  // namespace evenkeel
