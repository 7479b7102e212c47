// Full-precision perplexities against those measured with PyTorch.
#include "calib/perplexity.h"

#include <string>

#include <gtest/gtest.h>

#include "calib/evaluate.h"
#include "support/shared_files.h"

namespace evenkeel {
namespace {

struct Measured {
  std::string model;
  double perplexity;
};

class FullPrecision : public testing::TestWithParam<Measured> {};

TEST_P(FullPrecision, PerplexityAgreesWithPyTorch) {
  const std::filesystem::path folder = std::filesystem::path("models") / GetParam().model;
  EVENKEEL_NEEDS_SHARED(folder);
  EVENKEEL_NEEDS_SHARED("quickstart/evaluation.txt");
  Progress silent;
  const auto result =
      evaluate_checkpoint(support::shared_file(folder),
                          {.texts = {support::shared_file("quickstart/evaluation.txt")},
                           .sequence_length = 512,
                           .windows = 32,
                           .examples = std::nullopt,
                           .scheme = std::nullopt},
                          silent);
  ASSERT_EQ(result.scores.size(), 1U);
  EXPECT_NEAR(result.scores.front().value, GetParam().perplexity, 0.002);
}

INSTANTIATE_TEST_SUITE_P(Models, FullPrecision,
                         testing::Values(Measured{"opt-3m-outlier", 19.7635},
                                         Measured{"opt-3m", 19.7637},
                                         Measured{"opt-17m-old", 14.0965}),
                         [](const auto& parameter) {
                           std::string name = parameter.param.model;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace evenkeel
