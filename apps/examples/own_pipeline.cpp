// A quantization pipeline that brings its own matrices: no checkpoint, no job. A LayerNorm gives
// activations with outlier channels to a linear layer; OS+ finds a shift and a scale that
// quantization survives, fold writes them into the norm and the layer without changing what they
// compute, and the folded weight becomes integers.
#include <array>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <random>

#include "quantizers/weight_quantizer.h"
#include "transforms/fold.h"
#include "transforms/os_plus.h"

using namespace evenkeel;

namespace {

constexpr Index tokens = 256;
constexpr Index channels = 64;
constexpr Index outputs = 96;

Matrix random_matrix(Index rows, Index columns, float deviation, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0F, deviation);
  return Matrix::NullaryExpr(rows, columns, [&] { return normal(engine); });
}

/// What the norm gives for values that are normalized already, [tokens, channels].
Matrix apply(const Norm& norm, const Matrix& normalized) {
  return (normalized.array().rowwise() * norm.gain.array()).rowwise() + norm.bias.array();
}

}  // namespace

int main() {
  // The pipeline's own data. Channels 5 and 40 do what large models' do: a wide range, far from 0.
  const Matrix normalized = random_matrix(tokens, channels, 1.0F, 1);
  Norm norm{Vector::Ones(channels), Vector::Zero(channels)};
  norm.gain(5) = 8.0F, norm.bias(5) = -60.0F;
  norm.gain(40) = 20.0F, norm.bias(40) = 35.0F;
  Linear linear{random_matrix(outputs, channels, 0.1F, 2), Vector::Zero(outputs)};
  const Matrix activations = apply(norm, normalized);
  const Linear before = linear;

  // 6 bits for weights (per channel) and activations (per tensor).
  const Scheme scheme = scheme_named("w6a6").value();
  const SiteTransform found =
      os_plus(linear_site({activations}, linear), scheme, {.can_shift = true});
  std::cout << "threshold " << found.threshold << " of " << found.thresholds.size()
            << " candidates\nloss before " << found.loss_before << ", after " << found.loss_after
            << "\nchannel 40: shift " << found.transform.shift(40) << ", scale "
            << found.transform.scale(40) << '\n';

  const std::array<Linear*, 1> readers{&linear};
  fold(found.transform, norm, readers);
  const double error = fold_error(activations, before, apply(norm, normalized), linear);
  std::cout << "largest change of an output by the fold, in units of its rounding bound: " << error
            << '\n';

  const QuantizedWeight weight = quantize_weight(linear.weight, scheme.weights);
  std::cout << "output 0: step " << weight.steps[0] << ", zero point " << weight.zero_points[0]
            << ", first codes";
  for (std::size_t i = 0; i < 8; ++i) std::cout << ' ' << weight.codes[i];
  std::cout << '\n';

  const bool unchanged = error <= 1.0;
  const bool improved = found.loss_after < found.loss_before;
  return unchanged && improved ? EXIT_SUCCESS : EXIT_FAILURE;
}
