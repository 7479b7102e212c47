// A linear whose weight and input are both quantized to eight bits or fewer, computed on the codes.
//
// With x = step_x (c_x - z_x) and w = step_w (c_w - z_w), the product over `depth` channels is
//   step_x step_w (sum c_x c_w - z_w sum c_x - z_x (sum c_w - depth z_w)),
// whose bracket is an exact integer: the number that the fake-quantized product is, up to the
// rounding of the latter's sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "io/matrix.h"
#include "quantizers/activation_quantizer.h"
#include "quantizers/byte_kernels.h"
#include "quantizers/integer_product.h"
#include "quantizers/scheme.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {

/// Longest rows whose bracket above stays within 32 bits: 255 * 255 * depth < 2^31.
inline constexpr Index longest_integer_depth = 32768;

/// Whether such a weight, or such activations, can have a part in products of codes: uniform codes
/// with one step over a row of so many, and the machine's integer product exact.
bool has_integer_weights(const TensorScheme& weights, Index depth);
bool has_integer_inputs(const TensorScheme& activations);
/// Whether the products of such weights and activations can be computed on codes.
bool has_integer_products(const TensorScheme& weights, const TensorScheme& activations,
                          Index depth);

/// Codes of activations [tokens, depth]. Reused from sample to sample.
class ActivationCodes {
 public:
  /// Of values / scale (by channel), quantized as `quantizer` does.
  /// REQUIRES: has_integer_inputs for the quantizer's scheme.
  void assign(const ConstMatrixView& values, const ConstVectorView& scale,
              const ActivationQuantizer& quantizer);
  /// The same of the values as they are.
  void assign(const ConstMatrixView& values, const ActivationQuantizer& quantizer);
  /// Of those tokens of another.
  void gather(const ActivationCodes& from, std::span<const Index> tokens);

  Index tokens() const { return static_cast<Index>(rows_.size()); }
  Index depth() const { return depth_; }

 private:
  friend class IntegerLinear;
  // x = step (code - zero_point); sum of the codes.
  struct Row {
    InputTerms input;
    std::int32_t sum;
  };
  const Row& row(Index token) const { return rows_[static_cast<std::size_t>(token)]; }
  std::span<const std::uint8_t> codes(Index first, Index count) const {
    return std::span(codes_).subspan(static_cast<std::size_t>(first * depth_),
                                     static_cast<std::size_t>(count * depth_));
  }
  void start(const ConstMatrixView& values);
  void assign_row(std::size_t row, std::span<const float> values,
                  const ActivationQuantizer& quantizer);

  Index depth_ = 0;
  std::vector<std::uint8_t> codes_;
  std::vector<Row> rows_;
};

/// The quantized weight of one linear or several, stacked. Thread-safe after construction.
class IntegerLinear {
 public:
  /// Reused from call to call.
  struct Buffers {
    std::vector<std::int32_t> sums, offsets;
    std::vector<float> factors;
  };

  /// Of weight * scale (by channel), [rows, depth]. Each run of `tensor_rows` rows, which together
  /// are all, is a tensor that the scheme quantizes for itself.
  /// REQUIRES: has_integer_weights for the scheme.
  IntegerLinear(const ConstMatrixView& weight, const ConstVectorView& scale,
                std::span<const Index> tensor_rows, const TensorScheme& scheme);

  /// Of a weight that is quantized already: those of its rows, or all where none are named.
  /// REQUIRES: has_integer_weights for its scheme.
  IntegerLinear(const QuantizedWeight& weight, std::span<const Index> rows);

  Index rows() const { return static_cast<Index>(steps_.size()); }

  /// out := x W^T + bias for tokens [first, first + out.rows()), [tokens, rows]. `bias` [rows], or
  /// empty: none.
  void multiply(const ActivationCodes& x, Index first, const ConstVectorView& bias,
                Buffers& buffers, MatrixView out) const;

 private:
  void add_row(float step, std::int32_t zero_point, std::int32_t sum, Index depth);

  std::vector<float> steps_;               // by row
  std::vector<std::int32_t> zero_points_;  // likewise
  bool has_zero_points_ = false;           // any but zero
  std::vector<std::int32_t> terms_;        // sum c_w - depth z_w
  PackedCodes packed_;
};

}  // namespace evenkeel
