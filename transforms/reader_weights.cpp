#include "transforms/reader_weights.h"

#include <cassert>
#include <utility>

#include "quantizers/gemm.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {
namespace {

class FloatReaders : public ReaderWeights {
 public:
  FloatReaders(const Matrix& weight, const std::vector<Index>& parts) : weight_(weight) {
    Index first = 0;
    for (const Index rows : parts) {
      parts_.push_back({first, rows});
      first += rows;
    }
    assert(first == weight.rows());
  }

  void take(const Matrix& input, SampleBuffers& buffers) const override { buffers.input = &input; }

  void multiply(std::size_t part, Index first, const ConstVectorView& bias, SampleBuffers& buffers,
                MatrixView out) const override {
    apply(buffers.input->middleRows(first, out.rows()), part, bias, out);
  }

  void multiply(std::size_t part, std::span<const Index> tokens, const ConstVectorView& bias,
                SampleBuffers& buffers, MatrixView out) const override {
    buffers.gathered.resize(static_cast<Index>(tokens.size()), weight_.cols());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      buffers.gathered.row(static_cast<Index>(i)) = buffers.input->row(tokens[i]);
    }
    apply(buffers.gathered, part, bias, out);
  }

 private:
  struct Rows {
    Index first;
    Index count;
  };

  void apply(const ConstMatrixView& x, std::size_t part, const ConstVectorView& bias,
             MatrixView& out) const {
    product_transposed(x, weight_.middleRows(parts_[part].first, parts_[part].count), out);
    if (bias.size() != 0) out.rowwise() += bias;
  }

  const Matrix& weight_;
  std::vector<Rows> parts_;
};

// The fake-quantized weight, which FloatReaders refers to.
struct OwnWeight {
  Matrix own;
};

class FakeQuantizedReaders final : OwnWeight, public FloatReaders {
 public:
  FakeQuantizedReaders(Matrix weight, const RowRuns& runs, const Vector& scale,
                       const ActivationQuantizer& input)
      : OwnWeight{std::move(weight)}, FloatReaders(own, runs.parts), scale_(scale), input_(input) {}

  void take(const Matrix& input, SampleBuffers& buffers) const override {
    buffers.quantized = input.array().rowwise() / scale_.array();
    input_.apply(buffers.quantized);
    FloatReaders::take(buffers.quantized, buffers);
  }

 private:
  const Vector& scale_;
  const ActivationQuantizer& input_;
};

class IntegerReaders final : public ReaderWeights {
 public:
  IntegerReaders(const Matrix& weight, const RowRuns& runs, const TensorScheme& scheme,
                 const Vector& scale, const ActivationQuantizer& input)
      : scale_(scale), input_(input) {
    Index first = 0;
    const auto tensors = runs.tensors_of_parts();
    for (std::size_t part = 0; part < runs.parts.size(); ++part) {
      parts_.emplace_back(weight.middleRows(first, runs.parts[part]), scale, tensors[part], scheme);
      first += runs.parts[part];
    }
  }

  void take(const Matrix& input, SampleBuffers& buffers) const override {
    buffers.codes.assign(input, scale_, input_);
  }

  void multiply(std::size_t part, Index first, const ConstVectorView& bias, SampleBuffers& buffers,
                MatrixView out) const override {
    parts_[part].multiply(buffers.codes, first, bias, buffers.products, out);
  }

  void multiply(std::size_t part, std::span<const Index> tokens, const ConstVectorView& bias,
                SampleBuffers& buffers, MatrixView out) const override {
    buffers.gathered_codes.gather(buffers.codes, tokens);
    parts_[part].multiply(buffers.gathered_codes, 0, bias, buffers.products, out);
  }

 private:
  const Vector& scale_;
  const ActivationQuantizer& input_;
  std::vector<IntegerLinear> parts_;
};

}  // namespace

std::vector<std::vector<Index>> RowRuns::tensors_of_parts() const {
  std::vector<std::vector<Index>> all;
  std::size_t tensor = 0;
  for (const Index rows : parts) {
    std::vector<Index>& inside = all.emplace_back();
    for (Index left = rows; left > 0; left -= inside.back()) {
      assert(tensor < tensors.size() && tensors[tensor] <= left);
      inside.push_back(tensors[tensor++]);
    }
  }
  return all;
}

void fake_quantize_tensors(const std::vector<Index>& tensors, const TensorScheme& scheme,
                           Matrix& weight) {
  Index row = 0;
  for (const Index rows : tensors) {
    fake_quantize_weight(weight.middleRows(row, rows), scheme);
    row += rows;
  }
}

std::unique_ptr<const ReaderWeights> full_precision_readers(const Matrix& weight,
                                                            const RowRuns& runs) {
  return std::make_unique<FloatReaders>(weight, runs.parts);
}

std::unique_ptr<const ReaderWeights> quantized_readers(const Matrix& weight, const RowRuns& runs,
                                                       const TensorScheme& scheme,
                                                       const Vector& scale,
                                                       const ActivationQuantizer& input,
                                                       Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::fastest &&
      has_integer_products(scheme, input.scheme(), weight.cols())) {
    return std::make_unique<IntegerReaders>(weight, runs, scheme, scale, input);
  }
  Matrix scaled = weight.array().rowwise() * scale.array();
  fake_quantize_tensors(runs.tensors, scheme, scaled);
  return std::make_unique<FakeQuantizedReaders>(std::move(scaled), runs, scale, input);
}

}  // namespace evenkeel
