// The weights of a site's readers and their products with samples: of floats, or of codes where
// weights and inputs are both quantized to few bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "io/matrix.h"
#include "quantizers/activation_quantizer.h"
#include "quantizers/integer_linear.h"
#include "quantizers/scheme.h"

namespace evenkeel {

/// How stacked rows [rows, channels] lie: each part is a run that is multiplied at once, each
/// tensor a run that a scheme quantizes for itself. No tensor lies in two parts.
struct RowRuns {
  std::vector<Index> parts;
  std::vector<Index> tensors;

  /// Of each part, the tensors that lie in it.
  std::vector<std::vector<Index>> tensors_of_parts() const;
};

/// Quantizes stacked weights, each tensor for itself.
void fake_quantize_tensors(const std::vector<Index>& tensors, const TensorScheme& scheme,
                           Matrix& weight);

/// One sample as readers see it; one per thread.
struct SampleBuffers {
  const Matrix* input = nullptr;  // [tokens, channels], quantized where it is in floats
  Matrix quantized, gathered;
  ActivationCodes codes, gathered_codes;
  IntegerLinear::Buffers products;
};

/// Immutable and thread-safe; buffers are the caller's.
class ReaderWeights {
 public:
  ReaderWeights() = default;
  ReaderWeights(const ReaderWeights&) = delete;
  ReaderWeights& operator=(const ReaderWeights&) = delete;
  virtual ~ReaderWeights() = default;

  /// What products are with from now on. `input` [tokens, channels] outlives them.
  virtual void take(const Matrix& input, SampleBuffers& buffers) const = 0;
  /// out := x W^T + bias for tokens [first, first + out.rows()) and the rows of a part,
  /// [tokens, rows]. `bias` [rows], or empty: none.
  virtual void multiply(std::size_t part, Index first, const ConstVectorView& bias,
                        SampleBuffers& buffers, MatrixView out) const = 0;
  /// The same for those tokens.
  virtual void multiply(std::size_t part, std::span<const Index> tokens,
                        const ConstVectorView& bias, SampleBuffers& buffers,
                        MatrixView out) const = 0;
};

/// In full precision. `weight` [rows, channels] outlives it.
std::unique_ptr<const ReaderWeights> full_precision_readers(const Matrix& weight,
                                                            const RowRuns& runs);

/// How a candidate's products are computed.
enum class Arithmetic {
  fastest,   // on codes where they can be
  floating,  // of fake-quantized floats: the reference, and the same up to the rounding of sums
};

/// weight * scale and inputs / scale (by channel), both quantized. `weight`, `scale` and `input`
/// outlive it.
std::unique_ptr<const ReaderWeights> quantized_readers(const Matrix& weight, const RowRuns& runs,
                                                       const TensorScheme& scheme,
                                                       const Vector& scale,
                                                       const ActivationQuantizer& input,
                                                       Arithmetic arithmetic);

}  // namespace evenkeel
