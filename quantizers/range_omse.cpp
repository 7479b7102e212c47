// OMSE: of the ranges [f * low, f * high], f = 1.00, 0.99, ..., 0.01, the one whose codes have the
// least sum of squared errors, in double; of equal ones the widest. (Choukroun et al. 2019 search
// the threshold of least squared error; the grid of a hundred is the published OS+ program's, whose
// two-dimensional search for asymmetric ranges is left out.)
//
// Static ranges take two passes: extrema, then the errors of every candidate.
#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <numeric>
#include <utility>

#include "quantizers/affine.h"
#include "quantizers/embedding_groups.h"
#include "quantizers/range_method.h"
#include "quantizers/range_quantizer.h"

namespace evenkeel {
namespace {

constexpr std::size_t candidates = 100;
using Errors = std::array<double, candidates>;

// Number 0 is the whole range.
Range candidate(Range extrema, std::size_t number) {
  const double f = static_cast<double>(candidates - number) / static_cast<double>(candidates);
  return {static_cast<float>(f * static_cast<double>(extrema.low)),
          static_cast<float>(f * static_cast<double>(extrema.high))};
}

// The first of equal ones.
std::size_t least(const Errors& errors) {
  return static_cast<std::size_t>(std::ranges::min_element(errors) - errors.begin());
}

/// Sums up the errors of each candidate, for the parts of an activation.
class CandidateErrors {
 public:
  virtual ~CandidateErrors() = default;
  /// Into errors [parts, candidates].
  virtual void add(const ConstMatrixView& values, std::size_t head,
                   std::vector<Errors>& errors) const = 0;
};

// A tensor or heads: each piece of values has one range.
class ErrorsOfWholes final : public CandidateErrors {
 public:
  ErrorsOfWholes(const TensorScheme& scheme, const std::vector<Range>& extrema) {
    const std::vector<float> fractions = fractions_of(scheme);
    for (const Range& range : extrema) {
      auto& own = quantizers_.emplace_back();
      for (std::size_t i = 0; i < candidates; ++i) {
        own.emplace_back(scheme, fractions, candidate(range, i));
      }
    }
  }

  void add(const ConstMatrixView& values, std::size_t head,
           std::vector<Errors>& errors) const override {
    for (Index row = 0; row < values.rows(); ++row) {
      for (std::size_t i = 0; i < candidates; ++i) {
        errors[head][i] += quantizers_[head][i].squared_error(row_of(values, row));
      }
    }
  }

 private:
  std::vector<std::vector<RangeQuantizer>> quantizers_;  // [parts, candidates]
};

// Each channel has a range of its own.
class ErrorsOfChannels final : public CandidateErrors {
 public:
  ErrorsOfChannels(const TensorScheme& scheme, const std::vector<Range>& extrema)
      : codes_(code_range(scheme.bits, scheme.symmetric)) {
    assert(scheme.codes == Codes::uniform);
    for (std::size_t i = 0; i < candidates; ++i) {
      for (const Range& range : extrema) {
        const auto [step, zero_point] =
            affine_parameters(candidate(range, i), scheme.bits, scheme.symmetric);
        steps_[i].push_back(step);
        zero_points_[i].push_back(zero_point);
      }
    }
  }

  void add(const ConstMatrixView& values, std::size_t /*head*/,
           std::vector<Errors>& errors) const override {
    const auto channels = static_cast<std::size_t>(values.cols());
    std::vector<float> quantized(channels);
    for (Index row = 0; row < values.rows(); ++row) {
      const auto given = row_of(values, row);
      for (std::size_t i = 0; i < candidates; ++i) {
        std::ranges::copy(given, quantized.begin());
        fake_quantize_each(quantized, steps_[i], zero_points_[i], codes_);
        for (std::size_t j = 0; j < channels; ++j) {
          const double error = static_cast<double>(given[j]) - static_cast<double>(quantized[j]);
          errors[j][i] += error * error;
        }
      }
    }
  }

 private:
  CodeRange codes_;
  std::array<std::vector<float>, candidates> steps_;  // [candidates, channels]
  std::array<std::vector<std::int32_t>, candidates> zero_points_;
};

class OmsePasses final : public RangePasses {
 public:
  explicit OmsePasses(const TensorScheme& scheme) : scheme_(scheme) {}

  std::unique_ptr<RangePasses> clone() const override {
    auto copy = like_this();
    copy->errors_ = errors_;
    return copy;
  }
  std::unique_ptr<RangePasses> part() const override { return like_this(); }

  void observe(const ConstMatrixView& values, std::int64_t /*batch*/, Index head) override {
    if (!adder_) return;  // the observer keeps the extrema
    const bool heads = scheme_.granularity == Granularity::per_head;
    adder_->add(values, heads ? static_cast<std::size_t>(head) : 0, errors_);
  }

  void merge(const RangePasses& other) override {
    const auto& more = dynamic_cast<const OmsePasses&>(other).errors_;
    for (std::size_t part = 0; part < errors_.size(); ++part) {
      for (std::size_t i = 0; i < candidates; ++i) errors_[part][i] += more[part][i];
    }
  }

  bool end_pass(const std::vector<Range>& extrema) override {
    if (adder_) return false;
    extrema_ = extrema;
    group_of_.resize(extrema.size());
    std::iota(group_of_.begin(), group_of_.end(), std::size_t{0});
    if (scheme_.granularity == Granularity::per_embedding_group) {
      group_of_ = embedding_groups(extrema, scheme_);
      extrema_ = shared_ranges(extrema, group_of_);
    }
    if (has_channel_ranges(scheme_.granularity)) {
      adder_ = std::make_shared<ErrorsOfChannels>(scheme_, extrema_);
    } else {
      adder_ = std::make_shared<ErrorsOfWholes>(scheme_, extrema_);
    }
    errors_.assign(extrema.size(), Errors{});
    return true;
  }

  std::vector<Range> finish() const override {
    std::vector<Errors> of_groups(group_of_.size(), Errors{});
    for (std::size_t part = 0; part < errors_.size(); ++part) {
      Errors& sum = of_groups[group_of_[part]];
      for (std::size_t i = 0; i < candidates; ++i) sum[i] += errors_[part][i];
    }
    std::vector<Range> ranges;
    for (std::size_t part = 0; part < extrema_.size(); ++part) {
      ranges.push_back(candidate(extrema_[part], least(of_groups[group_of_[part]])));
    }
    return ranges;
  }

 private:
  std::unique_ptr<OmsePasses> like_this() const {
    auto copy = std::make_unique<OmsePasses>(scheme_);
    copy->extrema_ = extrema_;
    copy->group_of_ = group_of_;
    copy->adder_ = adder_;
    copy->errors_.assign(errors_.size(), Errors{});
    return copy;
  }

  TensorScheme scheme_;
  std::vector<Range> extrema_;                    // of each part; what its group shares
  std::vector<std::size_t> group_of_;             // each part its own, or embedding groups
  std::shared_ptr<const CandidateErrors> adder_;  // from the second pass on
  std::vector<Errors> errors_;
};

Range range_of_values(const ConstMatrixView& values, Range extrema, const TensorScheme& scheme) {
  const std::vector<float> fractions = fractions_of(scheme);
  Range chosen = extrema;
  double least_error = 0.0;
  for (std::size_t i = 0; i < candidates; ++i) {
    const Range range = candidate(extrema, i);
    const RangeQuantizer quantizer(scheme, fractions, range);
    double error = 0.0;
    for (Index row = 0; row < values.rows() && (i == 0 || error < least_error); ++row) {
      error += quantizer.squared_error(row_of(values, row));
    }
    if (i > 0 && error >= least_error) continue;
    chosen = range;
    least_error = error;
  }
  return chosen;
}

}  // namespace

extern const RangeMethod omse_method{
    .id = RangeEstimator::omse,
    .name = "omse",
    .fault = [](const TensorScheme&, bool) -> std::optional<std::string> { return std::nullopt; },
    .of_values = range_of_values,
    .passes = [](const TensorScheme& scheme) -> std::unique_ptr<RangePasses> {
      return std::make_unique<OmsePasses>(scheme);
    }};

}  // namespace evenkeel
