// Every site of the published OS+ program's search, one sample of 512 tokens, site by site.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/checkpoint.h"
#include "io/floats.h"
#include "io/safetensors.h"
#include "model/block.h"
#include "support/shared_files.h"
#include "support/stored_values.h"
#include "transforms/os_plus.h"
#include "transforms/site.h"

namespace evenkeel {
namespace {

using support::doubles_of;
using support::matrix_of;

struct Case {
  std::string model;
  int bits;
};

// Compares one site's search with the golden one.
class SiteCheck {
 public:
  SiteCheck(const SafetensorsFile& golden, std::string name, int bits)
      : golden_(golden), name_(std::move(name)), at_bits_(name_ + "." + std::to_string(bits)) {
    at_bits_ += "bit";
  }

  Matrix input() const { return matrix_of(golden_.at(name_ + ".input")); }

  void shift_agrees(const Vector& actual, double range) const {
    if (golden_.find(name_ + ".shift") == nullptr) {
      ASSERT_TRUE(actual.isZero(0.0F));
      return;
    }
    const auto shift = doubles_of(golden_.at(name_ + ".shift"));
    ASSERT_EQ(shift.size(), static_cast<std::size_t>(actual.size()));
    for (std::size_t j = 0; j < shift.size(); ++j) {
      ASSERT_NEAR(actual(static_cast<Index>(j)), shift[j], 1e-5 * range);
    }
  }

  void curve_agrees(const SiteTransform& found) const {
    const auto thresholds = doubles_of(golden_.at(at_bits_ + ".threshold"));
    const auto losses = doubles_of(golden_.at(at_bits_ + ".loss"));
    ASSERT_EQ(found.thresholds.size(), thresholds.size());
    std::vector<double> errors;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      // The golden thresholds are stored in float.
      ASSERT_NEAR(found.thresholds[i], thresholds[i], 1e-6 * thresholds[i]);
      errors.push_back(std::abs(found.losses[i] - losses[i]) / losses[i]);
      ASSERT_LE(errors.back(), 2e-3) << "threshold " << thresholds[i];
    }
    std::sort(errors.begin(), errors.end());
    EXPECT_LE(errors[errors.size() / 2], 1e-4);
    const auto chosen = static_cast<std::size_t>(
        std::find(found.thresholds.begin(), found.thresholds.end(), found.threshold) -
        found.thresholds.begin());
    const double least = *std::min_element(losses.begin(), losses.end());
    EXPECT_LE(losses.at(chosen), least * (1.0 + 2e-4));
    testing::Test::RecordProperty(at_bits_ + ".median", std::to_string(errors[errors.size() / 2]));
    testing::Test::RecordProperty(at_bits_ + ".worst", std::to_string(errors.back()));
  }

 private:
  const SafetensorsFile& golden_;
  std::string name_;
  std::string at_bits_;
};

class OsPlusSites : public testing::TestWithParam<Case> {};

TEST_P(OsPlusSites, CurvesAgreeWithThePublishedProgram) {
  const std::string golden_file = "golden/os_plus/" + GetParam().model + ".sites.safetensors";
  const std::string model_folder = "models/" + GetParam().model;
  EVENKEEL_NEEDS_SHARED(golden_file);
  EVENKEEL_NEEDS_SHARED(model_folder);
  const SafetensorsFile golden(support::shared_file(golden_file));
  const Checkpoint checkpoint(support::shared_file(model_folder));
  const Architecture architecture = resolve_architecture(checkpoint);
  Scheme scheme;
  scheme.weights.bits = GetParam().bits;
  scheme.activations.bits = GetParam().bits;

  // Of some models the file holds the sites of the first blocks alone.
  const auto expected = static_cast<std::size_t>(
      std::count_if(golden.tensors().begin(), golden.tensors().end(),
                    [](const StoredTensor& tensor) { return tensor.name.ends_with(".input"); }));
  ASSERT_GE(expected, 6U);
  std::size_t compared = 0;
  for (Index number = 0; number < architecture.blocks && compared < expected; ++number) {
    const Block block = load_block(checkpoint, architecture, number);
    const std::vector<Site> sites = sites_of(architecture, number, {.method = Method::os_plus});
    for (std::size_t s = 0; s < sites.size(); ++s) {
      const std::size_t index = static_cast<std::size_t>(number) * sites.size() + s;
      const SiteCheck check(golden, "site." + std::to_string(index), GetParam().bits);
      SCOPED_TRACE("site " + std::to_string(index));
      const Matrix input = check.input();
      const double range = static_cast<double>(input.maxCoeff()) - input.minCoeff();
      const ScoredSite scored = scored_site(architecture, block, sites[s], {input});
      OsPlusOptions options;
      options.search = Search::exhaustive;
      options.can_shift = sites[s].can_shift();
      options.lowest_threshold = lowest_threshold(architecture);
      const SiteTransform found = os_plus(scored, scheme, options);
      check.shift_agrees(found.transform.shift, range);
      check.curve_agrees(found);

      options.search = Search::exact;
      const SiteTransform exact = os_plus(scored, scheme, options);
      EXPECT_EQ(exact.threshold, found.threshold);
      EXPECT_EQ(exact.loss_after, found.loss_after);

      options.search = Search::fast;
      const SiteTransform fast = os_plus(scored, scheme, options);
      EXPECT_LE(fast.loss_after, 1.005 * found.loss_after);
      const auto is_scored = [](double loss) { return !std::isnan(loss); };
      EXPECT_LE(std::ranges::count_if(fast.losses, is_scored), std::ssize(fast.losses) / 4);
      ++compared;
    }
  }
  EXPECT_EQ(compared, expected);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* model : {"opt-3m-outlier", "llama-17m", "bloom-7m"}) {
    for (const int bits : {8, 6, 4}) all.push_back({model, bits});
  }
  return all;
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.model + "_" + std::to_string(info.param.bits);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, OsPlusSites, testing::ValuesIn(cases()), name_of_case);

}  // namespace
}  // namespace evenkeel
