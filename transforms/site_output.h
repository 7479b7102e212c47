// What is scored at a site: a function of the site's input and the weights of its readers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "io/matrix.h"
#include "model/attention.h"
#include "model/experts.h"
#include "model/ops.h"
#include "transforms/reader_weights.h"

namespace evenkeel {

/// Buffers of one candidate's evaluation; one per thread.
struct OutputBuffers {
  SampleBuffers sample;
  Matrix products;
  Matrix gate;
  Matrix inner;
  AttentionScratch attention;
};

/// The readers of one output, among all those of a site.
struct OutputReaders {
  const ReaderWeights& weights;
  std::size_t first_part;  // of the output's own
  ConstVectorView bias;    // of its rows

  /// As ReaderWeights::multiply, with a part of the output.
  template <class Tokens>
  void multiply(std::size_t part, const Tokens& tokens, const ConstVectorView& own_bias,
                OutputBuffers& buffers, MatrixView out) const {
    weights.multiply(first_part + part, tokens, own_bias, buffers.sample, out);
  }
};

/// One output over the samples of a site. Immutable and thread-safe; buffers are the caller's.
class SiteOutput {
 public:
  SiteOutput() = default;
  SiteOutput(const SiteOutput&) = delete;
  SiteOutput& operator=(const SiteOutput&) = delete;
  virtual ~SiteOutput() = default;

  /// How many rows of the readers' stacked weights are this output's, by the parts in which they
  /// are multiplied.
  virtual std::vector<Index> part_rows() const = 0;
  Index weight_rows() const;
  virtual Index columns() const = 0;
  /// Whether it takes the readers' biases. What doesn't is linear in the input: a shift moves it.
  virtual bool takes_bias() const { return true; }
  /// What the whole sample that `buffers.sample` took needs before its pieces.
  virtual void begin(const OutputReaders& /*readers*/, Index /*tokens*/,
                     OutputBuffers& /*buffers*/) const {}
  /// out [tokens of the piece, columns] of tokens [first, first + out.rows()) of sample number
  /// `sample`.
  virtual void piece(const OutputReaders& readers, std::size_t sample, Index first,
                     OutputBuffers& buffers, MatrixView out) const = 0;
};

/// x W^T, without bias.
std::shared_ptr<const SiteOutput> linear_output(Index rows);

/// act(gate x) * (up x): the weights stack gate and up, [2 * rows, channels].
std::shared_ptr<const SiteOutput> gated_output(Index rows, Activation activation);

/// The attention before the output projection: the weights stack query, key and value. `prepare`
/// takes the products of query and key to what attention takes (norms, positions, scaling).
struct AttentionShape {
  Index query_channels = 0;
  Index key_value_channels = 0;
  AttentionOptions options;
  std::function<void(MatrixView query, MatrixView key)> prepare;
};
std::shared_ptr<const SiteOutput> attention_output(AttentionShape shape,
                                                   std::vector<TokenMask> masks);

/// act(gate x) * (up x) of the experts that each token is sent to, times the expert's weight; the
/// weights stack every gate, then every up. `routing`, by sample and expert, is that of the
/// full-precision router, which candidates do not change.
std::shared_ptr<const SiteOutput> mixture_output(Index rows, Activation activation,
                                                 std::vector<std::vector<Routing>> routing,
                                                 Index experts_per_token);

/// What `inner` gives, through the linear behind it, [outputs, inner's columns], without bias and
/// in full precision.
std::shared_ptr<const SiteOutput> projected_output(std::shared_ptr<const SiteOutput> inner,
                                                   Matrix behind);

}  // namespace evenkeel
