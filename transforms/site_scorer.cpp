#include "transforms/site_scorer.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <mutex>
#include <numeric>

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "model/squared_distance.h"

namespace evenkeel {
namespace {

// Tokens whose errors are summed before the bound is looked at.
constexpr Index piece_rows = attention_piece_rows;

// Of one token's output; one where it is zero.
double energy_of(const ConstMatrixView& output) {
  const double energy = output.cast<double>().squaredNorm();
  return energy > 0.0 ? energy : 1.0;
}

// A thread that waits for its samples does not take up another candidate meanwhile, so that no
// more candidates are in memory than threads.
template <class Work>
void for_each_sample(std::size_t count, const Work& work) {
  tbb::this_task_arena::isolate([&] { tbb::parallel_for(std::size_t{0}, count, work); });
}

// A sum that several threads add to, as they come, and the bound that drops a candidate. It only
// says when to stop: sums in another order differ by rounding, by far less than the margin.
class Bound {
 public:
  Bound(double bound) : limit_(bound + margin * bound) {}

  void add(double loss) {
    const std::lock_guard lock(mutex_);
    seen_ += loss;
    if (seen_ > limit_) passed_ = true;
  }
  bool passed() const { return passed_; }

 private:
  static constexpr double margin = 1e-9;  // of sums of fewer than 1e6 terms in double

  std::mutex mutex_;
  double seen_ = 0.0;
  double limit_;
  std::atomic<bool> passed_ = false;
};

}  // namespace

struct SiteScorer::Buffers {
  struct OfThread {
    OutputBuffers output;
    Matrix piece;
  };
  tbb::enumerable_thread_specific<OfThread> threads;
};

double SiteScorer::Parts::sum() const {
  double total = 0.0;
  for (std::size_t output = 0; output < sums_.size(); ++output) {
    total += std::accumulate(sums_[output].begin(), sums_[output].end(), 0.0) / divisors_[output];
  }
  return total;
}

/// One candidate on its way through the samples.
class SiteScorer::Evaluation {
 public:
  Evaluation(const SiteScorer& scorer, const ReaderWeights& weights, double bound, Parts& parts)
      : scorer_(scorer), weights_(weights), bound_(bound), parts_(parts) {
    bound_.add(parts.sum());
  }

  /// False when the bound was passed on the way.
  bool add(std::span<const Share> shares) {
    for_each_sample(scorer_.site_.inputs.size(),
                    [&](std::size_t sample) { add(sample, scorer_.runs_of(sample, shares)); });
    return !bound_.passed();
  }

 private:
  void add(std::size_t sample, const std::vector<TokenRun>& runs) {
    if (runs.empty() || bound_.passed()) return;
    Buffers::OfThread& buffers = scorer_.buffers_->threads.local();
    weights_.take(scorer_.site_.inputs[sample], buffers.output.sample);
    for (std::size_t output = 0; output < scorer_.targets_.size(); ++output) {
      add(sample, output, runs, buffers, parts_.sums_[output][sample]);
    }
  }

  void add(std::size_t sample, std::size_t output, const std::vector<TokenRun>& runs,
           Buffers::OfThread& buffers, double& total) {
    const Target& target = scorer_.targets_[output];
    const SiteOutput& site_output = *scorer_.site_.outputs[output];
    const OutputReaders readers = scorer_.readers_of(output, weights_);
    site_output.begin(readers, scorer_.site_.inputs[sample].rows(), buffers.output);
    for (const auto& [first, count] : runs) {
      if (bound_.passed()) return;
      buffers.piece.resize(count, site_output.columns());
      site_output.piece(readers, sample, first, buffers.output, buffers.piece);
      const double sum = squares(target, sample, first, buffers.piece);
      total += sum;
      bound_.add(sum / target.divisor);
    }
  }

  double squares(const Target& target, std::size_t sample, Index first, const Matrix& piece) const {
    double sum = 0.0;
    for (Index i = 0; i < piece.rows(); ++i) {
      if (is_padding(scorer_.site_.masks, sample, first + i)) continue;
      const double one =
          squared_distance(row_of(piece, i), row_of(target.expected[sample], first + i));
      const bool relative = scorer_.site_.relative_tokens;
      sum += relative ? one / energy_of(target.expected[sample].row(first + i)) : one;
    }
    return sum;
  }

  const SiteScorer& scorer_;
  const ReaderWeights& weights_;
  Bound bound_;
  Parts& parts_;
};

SiteScorer::SiteScorer(ScoredSite site, const TensorScheme& weights, Arithmetic arithmetic)
    : site_(std::move(site)),
      weights_(weights),
      arithmetic_(arithmetic),
      buffers_(std::make_unique<Buffers>()) {
  runs_.tensors = site_.tensor_rows;
  Index row = 0;
  for (const auto& output : site_.outputs) {
    targets_.push_back({runs_.parts.size(), row, {}});
    for (const Index rows : output->part_rows()) {
      runs_.parts.push_back(rows);
      row += rows;
    }
  }
  assert(row == site_.weight.rows());
  compute_outputs();
  weigh_outputs();
}

SiteScorer::~SiteScorer() = default;

OutputReaders SiteScorer::readers_of(std::size_t output, const ReaderWeights& weights) const {
  const Target& target = targets_[output];
  return {weights, target.first_part,
          site_.bias.segment(target.first_row, site_.outputs[output]->weight_rows())};
}

void SiteScorer::compute_outputs() {
  const std::size_t samples = site_.inputs.size();
  std::vector<std::size_t> unknown;
  for (std::size_t output = 0; output < targets_.size(); ++output) {
    std::vector<Matrix>& expected = targets_[output].expected;
    if (output < site_.known_outputs.size()) expected = std::move(site_.known_outputs[output]);
    assert(expected.empty() || expected.size() == samples);
    if (!expected.empty()) continue;
    expected.resize(samples);
    unknown.push_back(output);
  }
  site_.known_outputs.clear();
  if (unknown.empty()) return;
  const auto weights = full_precision_readers(site_.weight, runs_);
  for_each_sample(samples, [&](std::size_t sample) {
    OutputBuffers& buffers = buffers_->threads.local().output;
    const Index tokens = site_.inputs[sample].rows();
    weights->take(site_.inputs[sample], buffers.sample);
    for (const std::size_t output : unknown) {
      targets_[output].expected[sample] = output_of(output, *weights, sample, tokens, buffers);
    }
  });
}

Matrix SiteScorer::output_of(std::size_t output, const ReaderWeights& weights, std::size_t sample,
                             Index tokens, OutputBuffers& buffers) const {
  const SiteOutput& site_output = *site_.outputs[output];
  const OutputReaders readers = readers_of(output, weights);
  Matrix all(tokens, site_output.columns());
  site_output.begin(readers, tokens, buffers);
  for (Index first = 0; first < tokens; first += piece_rows) {
    const Index rows = std::min(piece_rows, tokens - first);
    site_output.piece(readers, sample, first, buffers, all.middleRows(first, rows));
  }
  return all;
}

void SiteScorer::weigh_outputs() {
  const std::size_t samples = site_.inputs.size();
  for (Target& target : targets_) {
    std::vector<double> tokens(samples, 0.0);
    std::vector<double> energies(samples, 0.0);
    for_each_sample(samples, [&](std::size_t sample) {
      for (Index row = 0; row < site_.inputs[sample].rows(); ++row) {
        if (is_padding(site_.masks, sample, row)) continue;
        tokens[sample] += 1.0;
        if (targets_.size() == 1) continue;
        energies[sample] += target.expected[sample].row(row).cast<double>().squaredNorm();
      }
    });
    const double energy = std::accumulate(energies.begin(), energies.end(), 0.0);
    target.divisor = energy > 0.0 ? energy : std::accumulate(tokens.begin(), tokens.end(), 0.0);
  }
}

void SiteScorer::shift_by(const Vector& shift) {
  site_.bias =
      (site_.bias.cast<double>() + shift.cast<double>() * site_.weight.cast<double>().transpose())
          .cast<float>();
  // What takes the bias is what it was, but for rounding. What doesn't is linear, and moves by what
  // it gives for the shift.
  const auto weights = full_precision_readers(site_.weight, runs_);
  const Matrix shifted = shift;
  for (std::size_t output = 0; output < targets_.size(); ++output) {
    if (site_.outputs[output]->takes_bias()) continue;
    OutputBuffers buffers;
    weights->take(shifted, buffers.sample);
    const Vector moved = output_of(output, *weights, 0, shifted.rows(), buffers).row(0);
    for_each_sample(site_.inputs.size(), [&](std::size_t sample) {
      targets_[output].expected[sample].rowwise() -= moved;
    });
  }
  for_each_sample(site_.inputs.size(),
                  [&](std::size_t sample) { site_.inputs[sample].rowwise() -= shift; });
  weigh_outputs();
}

std::vector<TokenRun> SiteScorer::runs_of(std::size_t sample, std::span<const Share> shares) const {
  const Index tokens = site_.inputs[sample].rows();
  if (shares.size() == all_shares.size()) return runs_of_sample(tokens, piece_rows);
  std::vector<TokenRun> runs;
  for (const Share share : shares) {
    const auto own = runs_of_share(share, sample, site_.inputs.size(), tokens, piece_rows);
    runs.insert(runs.end(), own.begin(), own.end());
  }
  return runs;
}

bool SiteScorer::has_shares() const {
  return std::ranges::all_of(all_shares, [&](Share share) {
    for (std::size_t sample = 0; sample < site_.inputs.size(); ++sample) {
      for (const auto& [first, count] : runs_of(sample, {&share, 1})) {
        for (Index token = first; token < first + count; ++token) {
          if (!is_padding(site_.masks, sample, token)) return true;
        }
      }
    }
    return false;
  });
}

SiteScorer::Parts SiteScorer::nothing_known() const {
  Parts parts;
  for (const Target& target : targets_) {
    parts.sums_.emplace_back(site_.inputs.size(), 0.0);
    parts.divisors_.push_back(target.divisor);
  }
  return parts;
}

bool SiteScorer::add(const Candidate& candidate, std::span<const Share> shares, Parts& parts,
                     double bound, bool tie_loses) const {
  const auto weights = quantized_readers(site_.weight, runs_, weights_, candidate.scale,
                                         candidate.input, arithmetic_);
  if (!Evaluation(*this, *weights, bound, parts).add(shares)) return false;
  const double loss = parts.sum();
  return !(loss > bound || (tie_loses && loss == bound));
}

std::optional<double> SiteScorer::loss(const Candidate& candidate, double bound,
                                       bool tie_loses) const {
  Parts parts = nothing_known();
  if (!add(candidate, all_shares, parts, bound, tie_loses)) return std::nullopt;
  return parts.sum();
}

}  // namespace evenkeel
