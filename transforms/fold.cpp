#include "transforms/fold.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "quantizers/gemm.h"
#include "transforms/site_scorer.h"

namespace evenkeel {

namespace {

void fold_into_norm(const ChannelTransform& transform, NormKind kind, Norm& norm) {
  const auto scale = transform.scale.cast<double>().array();
  const auto shift = transform.shift.cast<double>().array();
  const double offset = gain_offset(kind);
  norm.gain = ((norm.gain.cast<double>().array() + offset) / scale - offset).cast<float>();
  if (norm.bias.size() != 0) {
    norm.bias = ((norm.bias.cast<double>().array() - shift) / scale).cast<float>();
  }
}

// The residual took x * a + b; of x' = (x - shift) / scale it takes x' * (scale a) + (shift a + b).
void undo_in_residual(const ChannelTransform& transform, Norm& norm) {
  if (norm.residual_scale.size() == 0) {
    norm.residual_scale = Vector::Ones(norm.gain.size());
    norm.residual_shift = Vector::Zero(norm.gain.size());
  }
  norm.residual_shift.array() += transform.shift.array() * norm.residual_scale.array();
  norm.residual_scale.array() *= transform.scale.array();
}

void fold_into_rows(const ChannelTransform& transform, Linear& producer) {
  for (Index row = 0; row < producer.weight.rows(); ++row) {
    producer.weight.row(row) = (producer.weight.row(row).cast<double>().array() /
                                static_cast<double>(transform.scale(row)))
                                   .cast<float>();
  }
  if (producer.bias.size() == 0) return;
  producer.bias = ((producer.bias - transform.shift).cast<double>().array() /
                   transform.scale.cast<double>().array())
                      .cast<float>();
}

void fold_into_columns(const ChannelTransform& transform, Linear& reader) {
  if ((transform.shift.array() != 0.0F).any()) {
    assert(reader.bias.size() != 0);
    const auto moved = transform.shift.cast<double>() * reader.weight.cast<double>().transpose();
    reader.bias = (reader.bias.cast<double>() + moved).cast<float>();
  }
  for (Index row = 0; row < reader.weight.rows(); ++row) {
    reader.weight.row(row).array() *= transform.scale.array();
  }
}

}  // namespace

void fold(const ChannelTransform& transform, Norm& producer, std::span<Linear* const> readers,
          NormKind kind) {
  assert(producer.bias.size() != 0 || !(transform.shift.array() != 0.0F).any());
  fold_into_norm(transform, kind, producer);
  for (Linear* reader : readers) fold_into_columns(transform, *reader);
}

void fold(const ChannelTransform& transform, const Architecture& architecture, const Site& site,
          Block& block) {
  assert(site.can_shift() || !(transform.shift.array() != 0.0F).any());
  if (site.norm) {
    fold_into_norm(transform, architecture.norm_kind, block.norm(*site.norm));
    if (site.residual) undo_in_residual(transform, block.norm(*site.norm));
  } else {
    fold_into_rows(transform, block.linear(*site.linear));
  }
  const ChannelTransform columns = ties_of(architecture, site).spread(transform);
  for (const LinearPlace place : site.readers) fold_into_columns(columns, block.linear(place));
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
