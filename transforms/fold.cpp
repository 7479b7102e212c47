#include "transforms/fold.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "quantizers/gemm.h"

namespace evenkeel {

void fold(const ChannelTransform& transform, Norm& producer, std::span<Linear* const> readers) {
  const auto scale = transform.scale.cast<double>().array();
  const auto shift = transform.shift.cast<double>().array();
  const bool shifts = (transform.shift.array() != 0.0F).any();
  assert(!shifts || producer.bias.size() != 0);
  producer.gain = (producer.gain.cast<double>().array() / scale).cast<float>();
  if (producer.bias.size() != 0) {
    producer.bias = ((producer.bias.cast<double>().array() - shift) / scale).cast<float>();
  }
  for (Linear* reader : readers) {
    if (shifts) {
      assert(reader->bias.size() != 0);
      const auto moved = transform.shift.cast<double>() * reader->weight.cast<double>().transpose();
      reader->bias = (reader->bias.cast<double>() + moved).cast<float>();
    }
    for (Index row = 0; row < reader->weight.rows(); ++row) {
      reader->weight.row(row).array() *= transform.scale.array();
    }
  }
}

void fold(const ChannelTransform& transform, const Site& site, Block& block) {
  std::vector<Linear*> readers;
  for (const LinearRole role : site.readers) readers.push_back(&block.linear(role));
  fold(transform, block.norm(site.producer), readers);
}

double fold_error(const ConstMatrixView& x, const Linear& reader, const ConstMatrixView& folded_x,
                  const Linear& folded_reader) {
  const auto evaluate = [](const ConstMatrixView& input, const Matrix& weight, const Vector& bias) {
    Matrix out(input.rows(), weight.rows());
    product_transposed(input, weight, out);
    if (bias.size() != 0) out.rowwise() += bias;
    return out;
  };
  const auto magnitude = [&](const ConstMatrixView& input, const Linear& linear) {
    return evaluate(input.cwiseAbs(), linear.weight.cwiseAbs(), linear.bias.cwiseAbs());
  };
  const Matrix difference = evaluate(x, reader.weight, reader.bias) -
                            evaluate(folded_x, folded_reader.weight, folded_reader.bias);
  const Matrix bound = magnitude(x, reader) + magnitude(folded_x, folded_reader);
  const double unit = std::numeric_limits<float>::epsilon() * (static_cast<double>(x.cols()) + 4.0);
  double worst = 0.0;
  for (Index i = 0; i < difference.size(); ++i) {
    const double error = std::abs(static_cast<double>(difference.data()[i]));
    const double limit =
        unit * static_cast<double>(bound.data()[i]) + std::numeric_limits<float>::min();
    // A NaN compares false with everything; it must count as the worst error.
    if (!(error <= limit * worst)) worst = error / limit;
    if (std::isnan(worst)) return std::numeric_limits<double>::infinity();
  }
  return worst;
}

}  // namespace evenkeel
