// The error of a site's output under quantization, for one candidate transform at a time.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "io/matrix.h"
#include "model/block.h"
#include "quantizers/activation_quantizer.h"
#include "quantizers/scheme.h"
#include "transforms/channel_ties.h"
#include "transforms/reader_weights.h"
#include "transforms/sample_shares.h"
#include "transforms/site.h"
#include "transforms/site_output.h"

namespace evenkeel {

/// What is scored: the site's input, and what reads it.
struct ScoredSite {
  std::vector<Matrix> inputs;      // per sample [tokens, channels]
  std::vector<TokenMask> masks;    // per sample, or empty: no padding. Padding is not scored.
  Matrix weight;                   // the readers' weights stacked, [outputs, channels]
  Vector bias;                     // the readers' biases stacked, zero where there is none
  Matrix unscored_weight{};        // of readers that are folded but not quantized (a router)
  std::vector<Index> tensor_rows;  // rows of the tensors that the checkpoint stores and a scheme
                                   // quantizes each for itself, in order; together all of weight
  std::vector<std::shared_ptr<const SiteOutput>> outputs;  // together they take all rows of weight
  // By output, per sample: what it gives in full precision, where that is known already. Those
  // behind the last one, and those that are empty, the scorer computes.
  std::vector<std::vector<Matrix>> known_outputs{};
  ChannelTies ties;
  // Each token's squared error counts relative to the energy of its own full-precision output
  // (as it is where that is zero), so that a few tokens with large outputs do not decide alone.
  bool relative_tokens = false;
};

/// The site of a block, whose readers' weights are taken as they are. `inputs` are what the
/// producer gives (tokens sent to the expert, where the site is an expert's), masks as above.
/// `reach` says how far behind the readers the outputs lie.
enum class Reach {
  readers,     // as the objective says: OS+
  projection,  // attention and gated MLPs through the projection behind them: AWQ
};
ScoredSite scored_site(const Architecture& architecture, const Block& block, const Site& site,
                       std::vector<Matrix> inputs, std::vector<TokenMask> masks = {},
                       Reach reach = Reach::readers);

/// The site of one linear that stands alone, scored by its products.
ScoredSite linear_site(std::vector<Matrix> inputs, const Linear& reader);

/// How channels of the site's input hang together.
ChannelTies ties_of(const Architecture& architecture, const Site& site);

/// A scale to try and how the scaled input is quantized.
struct Candidate {
  Vector scale;               // [channels]; divides the input, multiplies the weight
  ActivationQuantizer input;  // of the shifted and scaled input
};

/// Loss of candidates against the full-precision output, which is computed once, at construction.
/// Works over samples in parallel. Thread-safe: `loss` is const and may run beside others.
class SiteScorer {
 public:
  /// REQUIRES: at least one sample with a token that is not padding; sizes agree.
  SiteScorer(ScoredSite site, const TensorScheme& weights,
             Arithmetic arithmetic = Arithmetic::fastest);
  SiteScorer(const SiteScorer&) = delete;
  SiteScorer& operator=(const SiteScorer&) = delete;
  ~SiteScorer();

  const ScoredSite& site() const { return site_; }
  /// Subtracts the shift from every input and gives it to the biases.
  void shift_by(const Vector& shift);

  /// Mean over tokens of the sum over channels of squared differences between the output with
  /// quantized input and weight and the full-precision one (products of q, k, v are not
  /// quantized). Of several outputs: the sum of each one's squared differences over the sum of its
  /// full-precision squares. Under `relative_tokens` as said there. Summed by sample and then over
  /// samples, in order, in double, so the value depends on nothing else. Nothing when the
  /// candidate is dropped: its loss exceeds `bound`, or equals it and `tie_loses`. As all terms
  /// are non-negative, that is seen, and the work left out, as soon as a partial sum is beyond the
  /// bound.
  std::optional<double> loss(const Candidate& candidate,
                             double bound = std::numeric_limits<double>::infinity(),
                             bool tie_loses = false) const;

  /// What is known of a candidate's loss: the sums of some shares of the tokens.
  class Parts {
   public:
    /// Of what is known; of all shares, the loss.
    double sum() const;

   private:
    friend class SiteScorer;
    std::vector<std::vector<double>> sums_;  // by output and sample
    std::vector<double> divisors_;           // by output
  };
  Parts nothing_known() const;
  /// Adds the sums of shares, each of which must be new to the parts. When the candidate is dropped
  /// (see `loss`) the answer is false, and the parts are of no more use.
  bool add(const Candidate& candidate, std::span<const Share> shares, Parts& parts,
           double bound = std::numeric_limits<double>::infinity(), bool tie_loses = false) const;
  /// Whether every share has a token; whether each is made of whole samples, so that the sum of all
  /// is the loss to the last bit.
  bool has_shares() const;
  bool shares_are_samples() const { return site_.inputs.size() >= fewest_shared_samples; }

 private:
  class Evaluation;
  struct Buffers;

  // What one output is scored by.
  struct Target {
    std::size_t first_part;        // of the readers' weights
    Index first_row;               // likewise
    std::vector<Matrix> expected;  // by sample: the output in full precision
    double divisor = 1.0;          // of its squared differences
  };

  std::vector<TokenRun> runs_of(std::size_t sample, std::span<const Share> shares) const;
  OutputReaders readers_of(std::size_t output, const ReaderWeights& weights) const;
  void compute_outputs();
  // Of tokens that buffers.sample took.
  Matrix output_of(std::size_t output, const ReaderWeights& weights, std::size_t sample,
                   Index tokens, OutputBuffers& buffers) const;
  void weigh_outputs();

  ScoredSite site_;
  TensorScheme weights_;
  Arithmetic arithmetic_;
  RowRuns runs_;
  std::vector<Target> targets_;  // by output
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace evenkeel
