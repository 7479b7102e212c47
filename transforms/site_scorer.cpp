#include "transforms/site_scorer.h"

#include <algorithm>
#include <cassert>

#include "quantizers/weight_quantizer.h"

namespace evenkeel {

// Tokens whose errors are summed before the bound is looked at.
constexpr Index piece_rows = attention_piece_rows;

namespace {

// Of one token's output; one where it is zero.
double energy_of(const ConstMatrixView& output) {
  const double energy = output.cast<double>().squaredNorm();
  return energy > 0.0 ? energy : 1.0;
}

}  // namespace

/// The running sum of one candidate and the bound that drops it.
class SiteScorer::Accumulator {
 public:
  Accumulator(double bound, bool tie_loses) : bound_(bound), tie_loses_(tie_loses) {}

  void begin(double divisor) {
    done_ = value();
    sum_ = 0.0;
    divisor_ = divisor;
  }
  void add(double squares) { sum_ += squares; }
  bool alive() const { return !(value() > bound_) && !(tie_loses_ && value() == bound_); }
  double value() const { return done_ + sum_ / divisor_; }

 private:
  double bound_;
  bool tie_loses_;
  double done_ = 0.0;  // of the outputs before
  double sum_ = 0.0;
  double divisor_ = 1.0;
};

void fake_quantize_weights(const ScoredSite& site, const TensorScheme& scheme, Matrix& weight) {
  Index row = 0;
  for (const Index rows : site.tensor_rows) {
    fake_quantize_weight(weight.middleRows(row, rows), scheme);
    row += rows;
  }
}

SiteScorer::SiteScorer(ScoredSite site, const TensorScheme& weights)
    : site_(std::move(site)), weights_(weights) {
  compute_outputs();
}

void SiteScorer::compute_outputs() {
  OutputBuffers buffers;
  Index first_weight = 0;
  for (const auto& output : site_.outputs) {
    const auto weight = site_.weight.middleRows(first_weight, output->weight_rows());
    const auto bias = site_.bias.segment(first_weight, output->weight_rows());
    std::vector<Matrix>& all = expected_.emplace_back(site_.inputs.size());
    double tokens = 0.0;
    double energy = 0.0;
    for (std::size_t sample = 0; sample < site_.inputs.size(); ++sample) {
      const Matrix& x = site_.inputs[sample];
      all[sample].resize(x.rows(), output->columns());
      output->begin(x, weight, bias, buffers);
      for (Index first = 0; first < x.rows(); first += piece_rows) {
        const Index rows = std::min(piece_rows, x.rows() - first);
        output->piece(x, weight, bias, sample, first, buffers, all[sample].middleRows(first, rows));
      }
      for (Index row = 0; row < x.rows(); ++row) {
        if (is_padding(site_.masks, sample, row)) continue;
        tokens += 1.0;
        energy += all[sample].row(row).cast<double>().squaredNorm();
      }
    }
    const bool relative = site_.outputs.size() > 1 && energy > 0.0;
    divisors_.push_back(relative ? energy : tokens);
    first_weight += output->weight_rows();
  }
  assert(first_weight == site_.weight.rows());
}

void SiteScorer::shift_by(const Vector& shift) {
  for (Matrix& input : site_.inputs) input.rowwise() -= shift;
  site_.bias =
      (site_.bias.cast<double>() + shift.cast<double>() * site_.weight.cast<double>().transpose())
          .cast<float>();
  expected_.clear();
  divisors_.clear();
  compute_outputs();
}

std::optional<double> SiteScorer::loss(const Candidate& candidate, double bound,
                                       bool tie_loses) const {
  Matrix weight = site_.weight;
  for (Index row = 0; row < weight.rows(); ++row) {
    weight.row(row).array() *= candidate.scale.array();
  }
  fake_quantize_weights(site_, weights_, weight);
  OutputBuffers buffers;
  Matrix input;
  Matrix out;
  Accumulator sum(bound, tie_loses);
  Index first_weight = 0;
  for (std::size_t number = 0; number < site_.outputs.size(); ++number) {
    const SiteOutput& output = *site_.outputs[number];
    const auto own = weight.middleRows(first_weight, output.weight_rows());
    const auto bias = site_.bias.segment(first_weight, output.weight_rows());
    first_weight += output.weight_rows();
    sum.begin(divisors_[number]);
    for (std::size_t sample = 0; sample < site_.inputs.size(); ++sample) {
      input = site_.inputs[sample].array().rowwise() / candidate.scale.array();
      candidate.input.apply(input);
      output.begin(input, own, bias, buffers);
      for (Index first = 0; first < input.rows(); first += piece_rows) {
        out.resize(std::min(piece_rows, input.rows() - first), output.columns());
        output.piece(input, own, bias, sample, first, buffers, out);
        for (Index i = 0; i < out.rows(); ++i) {
          if (is_padding(site_.masks, sample, first + i)) continue;
          const auto expected = expected_[number][sample].row(first + i);
          const double squares = (out.row(i) - expected).cast<double>().squaredNorm();
          sum.add(site_.relative_tokens ? squares / energy_of(expected) : squares);
        }
        if (!sum.alive()) return std::nullopt;
      }
    }
  }
  return sum.value();
}

}  // namespace evenkeel
