#include "transforms/site_scorer.h"

#include <algorithm>
#include <cmath>

#include "quantizers/gemm.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {

// Tokens whose errors are summed before the bound is looked at.
constexpr Index piece_rows = attention_piece_rows;

/// The running sum of one candidate and the bound that drops it.
class SiteScorer::Accumulator {
 public:
  Accumulator(double tokens, double bound, bool tie_loses)
      : tokens_(tokens), bound_(bound), tie_loses_(tie_loses) {}

  /// Adds the squared differences of rows that are not padding; false when dropped.
  bool add(const ConstMatrixView& out, const ConstMatrixView& expected, const TokenMask& mask,
           Index first_row) {
    for (Index row = 0; row < out.rows(); ++row) {
      if (!mask.empty() && mask[static_cast<std::size_t>(first_row + row)] == 0) continue;
      sum_ += (out.row(row) - expected.row(row)).cast<double>().squaredNorm();
    }
    return !(value() > bound_) && !(tie_loses_ && value() == bound_);
  }
  double value() const { return sum_ / tokens_; }

 private:
  double tokens_;
  double bound_;
  bool tie_loses_;
  double sum_ = 0.0;
};

struct SiteScorer::Buffers {
  Matrix input;
  Matrix products;  // [tokens, outputs]
  Matrix out;
  AttentionScratch attention;
};

SiteScorer::SiteScorer(ScoredSite site, const TensorScheme& weights)
    : site_(std::move(site)), weights_(weights), outputs_(site_.inputs.size()) {
  Buffers buffers;
  for (std::size_t sample = 0; sample < site_.inputs.size(); ++sample) {
    const Matrix& x = site_.inputs[sample];
    project(x, site_.weight, buffers);
    if (site_.objective == Objective::linear) {
      outputs_[sample] = buffers.products;
    } else {
      const Index channels = site_.weight.rows() / 3;
      outputs_[sample].resize(x.rows(), channels);
      attend(buffers.products.leftCols(channels), buffers.products.middleCols(channels, channels),
             buffers.products.rightCols(channels), mask(sample), site_.attention, nullptr,
             buffers.attention, outputs_[sample]);
    }
    const TokenMask& real = mask(sample);
    const auto padding = std::count(real.begin(), real.end(), std::uint8_t{0});
    tokens_ += static_cast<double>(x.rows() - padding);
  }
}

const TokenMask& SiteScorer::mask(std::size_t sample) const {
  static const TokenMask none;
  return site_.masks.empty() ? none : site_.masks[sample];
}

void SiteScorer::project(const ConstMatrixView& x, const Matrix& weight, Buffers& buffers) const {
  buffers.products.resize(x.rows(), weight.rows());
  product_transposed(x, weight, buffers.products);
  if (site_.objective == Objective::linear) return;
  if (site_.bias.size() != 0) buffers.products.rowwise() += site_.bias;
  const Index channels = weight.rows() / 3;
  const Index width = channels / site_.attention.heads;
  buffers.products.leftCols(channels) *= 1.0F / std::sqrt(static_cast<float>(width));
}

std::optional<double> SiteScorer::loss(const Candidate& candidate, double bound,
                                       bool tie_loses) const {
  Matrix weight = site_.weight;
  for (Index row = 0; row < weight.rows(); ++row) {
    weight.row(row).array() *= candidate.scale.array();
  }
  fake_quantize_weight(weight, weights_);
  Buffers buffers;
  Accumulator sum(tokens_, bound, tie_loses);
  for (std::size_t sample = 0; sample < site_.inputs.size(); ++sample) {
    const bool alive = site_.objective == Objective::linear
                           ? add_linear(sample, candidate, weight, buffers, sum)
                           : add_attention(sample, candidate, weight, buffers, sum);
    if (!alive) return std::nullopt;
  }
  return sum.value();
}

bool SiteScorer::add_linear(std::size_t sample, const Candidate& candidate, const Matrix& weight,
                            Buffers& buffers, Accumulator& sum) const {
  const Matrix& x = site_.inputs[sample];
  for (Index first = 0; first < x.rows(); first += piece_rows) {
    const Index rows = std::min(piece_rows, x.rows() - first);
    buffers.input = x.middleRows(first, rows).array().rowwise() / candidate.scale.array();
    candidate.input.apply(buffers.input);
    project(buffers.input, weight, buffers);
    if (!sum.add(buffers.products, outputs_[sample].middleRows(first, rows), mask(sample), first)) {
      return false;
    }
  }
  return true;
}

bool SiteScorer::add_attention(std::size_t sample, const Candidate& candidate, const Matrix& weight,
                               Buffers& buffers, Accumulator& sum) const {
  const Matrix& x = site_.inputs[sample];
  buffers.input = x.array().rowwise() / candidate.scale.array();
  candidate.input.apply(buffers.input);
  project(buffers.input, weight, buffers);
  const Index channels = weight.rows() / 3;
  for (Index first = 0; first < x.rows(); first += piece_rows) {
    const Index rows = std::min(piece_rows, x.rows() - first);
    buffers.out.resize(rows, channels);
    attend_piece(buffers.products.leftCols(channels),
                 buffers.products.middleCols(channels, channels),
                 buffers.products.rightCols(channels), mask(sample), site_.attention, first,
                 nullptr, buffers.attention, buffers.out);
    if (!sum.add(buffers.out, outputs_[sample].middleRows(first, rows), mask(sample), first)) {
      return false;
    }
  }
  return true;
}

}  // namespace evenkeel
