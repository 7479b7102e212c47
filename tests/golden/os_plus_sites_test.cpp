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

constexpr const char* golden_file = "golden/os_plus/opt-3m-outlier.sites.safetensors";
constexpr const char* model_folder = "models/opt-3m-outlier";

ScoredSite scored_site(const Architecture& architecture, const Site& site, const Block& block,
                       Matrix input) {
  ScoredSite scored;
  scored.inputs.push_back(std::move(input));
  scored.objective = site.objective;
  scored.attention = {.heads = architecture.heads, .causal = true};
  Index rows = 0;
  for (const LinearRole role : site.readers) rows += architecture.rows(role);
  scored.weight.resize(rows, architecture.channels);
  scored.bias.resize(rows);
  rows = 0;
  for (const LinearRole role : site.readers) {
    const Linear& reader = block.linear(role);
    scored.weight.middleRows(rows, reader.weight.rows()) = reader.weight;
    scored.bias.segment(rows, reader.weight.rows()) = reader.bias;
    rows += reader.weight.rows();
  }
  return scored;
}

class OsPlusSites : public testing::TestWithParam<int> {};

TEST_P(OsPlusSites, CurvesAgreeWithThePublishedProgram) {
  EVENKEEL_NEEDS_SHARED(golden_file);
  EVENKEEL_NEEDS_SHARED(model_folder);
  const int bits = GetParam();
  const SafetensorsFile golden(support::shared_file(golden_file));
  const Checkpoint checkpoint(support::shared_file(model_folder));
  const Architecture architecture = resolve_architecture(checkpoint);
  const auto sites = sites_of(architecture);
  Scheme scheme;
  scheme.weights.bits = bits;
  scheme.activations.bits = bits;

  for (Index number = 0; number < architecture.blocks; ++number) {
    const Block block = load_block(checkpoint, architecture, number);
    for (std::size_t s = 0; s < sites.size(); ++s) {
      const std::size_t index = static_cast<std::size_t>(number) * sites.size() + s;
      const std::string name = "site." + std::to_string(index);
      SCOPED_TRACE(name + " at " + std::to_string(bits) + " bits");
      const Matrix input = matrix_of(golden.at(name + ".input"));
      const double range = static_cast<double>(input.maxCoeff()) - input.minCoeff();
      const SiteTransform found = os_plus(scored_site(architecture, sites[s], block, input), scheme,
                                          Search::exhaustive, sites[s].can_shift);

      const auto shift = doubles_of(golden.at(name + ".shift"));
      ASSERT_EQ(shift.size(), static_cast<std::size_t>(found.transform.shift.size()));
      for (std::size_t j = 0; j < shift.size(); ++j) {
        ASSERT_NEAR(found.transform.shift(static_cast<Index>(j)), shift[j], 1e-5 * range);
      }

      const std::string at_bits = name + "." + std::to_string(bits) + "bit";
      const auto thresholds = doubles_of(golden.at(at_bits + ".threshold"));
      const auto losses = doubles_of(golden.at(at_bits + ".loss"));
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
      const SiteTransform exact = os_plus(scored_site(architecture, sites[s], block, input), scheme,
                                          Search::exact, sites[s].can_shift);
      EXPECT_EQ(exact.threshold, found.threshold);
      EXPECT_EQ(exact.loss_after, found.loss_after);
      RecordProperty(at_bits + ".median", std::to_string(errors[errors.size() / 2]));
      RecordProperty(at_bits + ".worst", std::to_string(errors.back()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Bits, OsPlusSites, testing::Values(8, 6, 4));

}  // namespace
}  // namespace evenkeel
