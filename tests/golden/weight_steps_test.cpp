// Steps and zero points of fc1's rows after OS+, against the published program's.
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/checkpoint.h"
#include "io/safetensors.h"
#include "quantizers/weight_quantizer.h"
#include "support/shared_files.h"
#include "support/stored_values.h"

namespace evenkeel {
namespace {

constexpr const char* model_folder = "models/opt-3m-outlier";

class WeightSteps : public testing::TestWithParam<int> {};

// Folding is one rounding of W * s in both programs, and steps and zero points have one definition,
// so that they agree to the last bit.
TEST_P(WeightSteps, AreThoseOfThePublishedProgram) {
  const int bits = GetParam();
  const std::string golden_file =
      fmt::format("golden/os_plus/opt-3m-outlier.os_plus.{}.safetensors", bits);
  EVENKEEL_NEEDS_SHARED(golden_file);
  EVENKEEL_NEEDS_SHARED(model_folder);
  const SafetensorsFile golden(support::shared_file(golden_file));
  const Checkpoint checkpoint(support::shared_file(model_folder));
  for (int block = 0; block < 6; ++block) {
    Matrix weight =
        checkpoint.matrix(fmt::format("model.decoder.layers.{}.fc1.weight", block), 768, 192);
    const Matrix scale = support::matrix_of(golden.at(fmt::format("site.{}.scale", 2 * block + 1)));
    for (Index row = 0; row < weight.rows(); ++row) {
      weight.row(row) = weight.row(row).cwiseProduct(scale.row(0));
    }
    const auto quantized =
        quantize_weight(weight, {.bits = bits, .granularity = Granularity::per_channel});

    const std::string name =
        fmt::format("act.model.decoder.layers.{}.fc1_act.module.weight_fake_quant", block);
    const std::vector<double> steps = support::doubles_of(golden.at(name + ".scale"));
    const std::vector<double> zero_points = support::doubles_of(golden.at(name + ".zero_point"));
    ASSERT_EQ(steps.size(), quantized.steps.size());
    ASSERT_EQ(zero_points.size(), quantized.zero_points.size());
    for (std::size_t row = 0; row < steps.size(); ++row) {
      ASSERT_EQ(static_cast<double>(quantized.steps[row]), steps[row]) << block << ", " << row;
      ASSERT_EQ(static_cast<double>(quantized.zero_points[row]), zero_points[row])
          << block << ", " << row;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, WeightSteps, testing::Values(8, 6),
                         [](const auto& bits) { return fmt::format("bits_{}", bits.param); });

}  // namespace
}  // namespace evenkeel
