// Token-wise clipping (Wei et al. 2022, Outlier Suppression, the coarse stage) as its published
// program does it: of each batch the tokens count whose largest value is at most quantile 1 - clip
// of the tokens' largest magnitudes at that end, likewise at the low end; the range is the mean
// over batches of what is left. Quantiles are linear between neighbours. Keeps two floats a token.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

#include <fmt/format.h>

#include "quantizers/affine.h"
#include "quantizers/quantile.h"
#include "quantizers/range_method.h"

namespace evenkeel {
namespace {

double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  const Quantile ranks(values.size(), q);
  return ranks.between(values[ranks.below], values[ranks.above]);
}

// The largest of the tokens' largest values that are not cut. One remains, since a value is at most
// its own magnitude, and the smallest magnitude is at most any quantile.
float clipped(const std::vector<float>& largest, double clip) {
  std::vector<double> magnitudes;
  magnitudes.reserve(largest.size());
  for (const float value : largest) magnitudes.push_back(std::abs(static_cast<double>(value)));
  const double limit = quantile(std::move(magnitudes), 1.0 - clip);
  float kept = *std::ranges::min_element(largest);
  for (const float value : largest) {
    if (static_cast<double>(value) <= limit) kept = std::max(kept, value);
  }
  return kept;
}

struct Tokens {
  std::vector<float> largest;
  std::vector<float> smallest_negated;
};

class TokenPasses final : public RangePasses {
 public:
  explicit TokenPasses(double clip) : clip_(clip) {}

  std::unique_ptr<RangePasses> clone() const override {
    auto copy = std::make_unique<TokenPasses>(clip_);
    copy->batches_ = batches_;
    return copy;
  }
  std::unique_ptr<RangePasses> part() const override {
    return std::make_unique<TokenPasses>(clip_);
  }
  void observe(const ConstMatrixView& values, std::int64_t batch, Index /*head*/) override {
    Tokens& tokens = batches_[batch];
    for (Index row = 0; row < values.rows(); ++row) {
      const Range range = range_of(row_of(values, row));
      tokens.largest.push_back(range.high);
      tokens.smallest_negated.push_back(-range.low);
    }
  }
  void merge(const RangePasses& other) override {
    for (const auto& [batch, more] : dynamic_cast<const TokenPasses&>(other).batches_) {
      Tokens& tokens = batches_[batch];
      tokens.largest.insert(tokens.largest.end(), more.largest.begin(), more.largest.end());
      tokens.smallest_negated.insert(tokens.smallest_negated.end(), more.smallest_negated.begin(),
                                     more.smallest_negated.end());
    }
  }
  bool end_pass(const std::vector<Range>& /*extrema*/) override { return false; }
  std::vector<Range> finish() const override {
    double low = 0.0;
    double high = 0.0;
    for (const auto& [batch, tokens] : batches_) {
      low -= static_cast<double>(clipped(tokens.smallest_negated, clip_));
      high += static_cast<double>(clipped(tokens.largest, clip_));
    }
    const auto count = static_cast<double>(batches_.size());
    return {{static_cast<float>(low / count), static_cast<float>(high / count)}};
  }

 private:
  double clip_;
  std::map<std::int64_t, Tokens> batches_;
};

std::optional<std::string> fault(const TensorScheme& scheme, bool activations) {
  if (!activations) return "range token_wise_clipping is for activations; use percentile or omse";
  if (is_dynamic(scheme)) {
    return fmt::format(
        "range token_wise_clipping cuts tokens of the calibration set, and {} ranges are found "
        "anew "
        "for each input; use minmax, percentile or omse",
        name_of(scheme.granularity));
  }
  if (scheme.granularity == Granularity::per_tensor) return std::nullopt;
  return fmt::format(
      "range token_wise_clipping cuts whole tokens, of which a tensor has one range; with {} use "
      "average_minmax or omse, or granularity per_tensor",
      name_of(scheme.granularity));
}

}  // namespace

extern const RangeMethod token_wise_clipping_method{
    .id = RangeEstimator::token_wise_clipping,
    .name = "token_wise_clipping",
    .fault = fault,
    .passes = [](const TensorScheme& scheme) -> std::unique_ptr<RangePasses> {
      return std::make_unique<TokenPasses>(scheme.clip.value_or(0.0));
    },
    .reads_batches = true};

}  // namespace evenkeel
