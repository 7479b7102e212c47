// The kernels that a calibration spends its time in, each on sizes of a small and a large model.
//   cmake --preset release -DEVENKEEL_BENCH=ON && cmake --build --preset release
//   build/release/bench/kernels_bench --benchmark_filter=product
#include "bench/bench_count.h"

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "model/attention.h"
#include "model/ops.h"
#include "quantizers/affine.h"
#include "quantizers/gemm.h"
#include "quantizers/integer_product.h"
#include "quantizers/weight_quantizer.h"
#include "transforms/candidate_quantizer.h"
#include "transforms/site_scorer.h"

namespace evenkeel {
namespace {

constexpr Index tokens = 512;

Matrix random_matrix(Index rows, Index columns) {
  std::mt19937 engine(7);
  std::normal_distribution<float> normal;
  return Matrix::NullaryExpr(rows, columns, [&] { return normal(engine); });
}

void float_product(benchmark::State& state) {
  const Index channels = state.range(0);
  const Matrix x = random_matrix(tokens, channels);
  const Matrix w = random_matrix(channels, channels);
  Matrix out(tokens, channels);
  for (auto _ : state) {
    product_transposed(x, w, out);
    benchmark::DoNotOptimize(out.data());
  }
  count_items(state, 2.0 * static_cast<double>(tokens * channels * channels));
}

void integer_product_u8s8(benchmark::State& state) {
  const Index channels = state.range(0);
  const std::vector<std::uint8_t> x(static_cast<std::size_t>(tokens * channels), 77);
  const std::vector<std::int8_t> codes(static_cast<std::size_t>(channels * channels), -5);
  const PackedCodes w(codes, channels, channels);
  std::vector<std::int32_t> out(static_cast<std::size_t>(tokens * channels));
  for (auto _ : state) {
    w.multiply(x, tokens, out);
    benchmark::DoNotOptimize(out.data());
  }
  count_items(state, 2.0 * static_cast<double>(tokens * channels * channels));
}

void fake_quantize_activations(benchmark::State& state) {
  Matrix x = random_matrix(tokens, state.range(0));
  const AffineParameters parameters = affine_parameters({-4.0F, 4.0F}, 8, false);
  for (auto _ : state) {
    fake_quantize({x.data(), static_cast<std::size_t>(x.size())}, parameters, code_range(8, false));
    benchmark::DoNotOptimize(x.data());
  }
  count_items(state, static_cast<double>(x.size()));
}

void fake_quantize_weights(benchmark::State& state) {
  Matrix w = random_matrix(state.range(0), state.range(0));
  const TensorScheme scheme{.bits = 8, .granularity = Granularity::per_channel};
  for (auto _ : state) {
    fake_quantize_weight(w, scheme);
    benchmark::DoNotOptimize(w.data());
  }
  count_items(state, static_cast<double>(w.size()));
}

void layer_norms(benchmark::State& state) {
  const Matrix x = random_matrix(tokens, state.range(0));
  const Vector gain = Vector::Ones(state.range(0));
  const Vector bias = Vector::Zero(state.range(0));
  Matrix out(x.rows(), x.cols());
  for (auto _ : state) {
    layer_norm(x, gain, bias, 1e-5F, out);
    benchmark::DoNotOptimize(out.data());
  }
  count_items(state, static_cast<double>(x.size()));
}

void causal_attention(benchmark::State& state) {
  const Index channels = state.range(0);
  const Matrix q = random_matrix(tokens, channels);
  Matrix out(tokens, channels);
  AttentionScratch scratch;
  for (auto _ : state) {
    attend(q, q, q, {}, {.heads = channels / 32, .causal = true}, nullptr, scratch, out);
    benchmark::DoNotOptimize(out.data());
  }
  // Two products over the lower triangle.
  count_items(state, 2.0 * static_cast<double>(tokens * tokens * channels));
}

AttentionShape attention_shape(Index channels) {
  return {channels,
          channels,
          {.heads = channels / 32},
          // NOLINTNEXTLINE(performance-unnecessary-value-param): views, written through
          [](MatrixView query, MatrixView /*key*/) { query *= 0.17F; }};
}

// A candidate's loss over one sample: a fraction of what the search tries.
void score(benchmark::State& state, ScoredSite site) {
  const Scheme scheme;
  const SiteScorer scorer(std::move(site), scheme.weights);
  for (auto _ : state) benchmark::DoNotOptimize(unscaled_loss(scorer, scheme));
}

void candidate_of_attention(benchmark::State& state) {
  const Index channels = state.range(0);
  const Linear readers{random_matrix(3 * channels, channels), Vector::Zero(3 * channels)};
  ScoredSite site = linear_site({random_matrix(tokens, channels)}, readers);
  site.outputs = {attention_output(attention_shape(channels), {})};
  score(state, std::move(site));
}

void candidate_of_linear(benchmark::State& state) {
  const Index channels = state.range(0);
  const Linear reader{random_matrix(4 * channels, channels), Vector::Zero(4 * channels)};
  score(state, linear_site({random_matrix(tokens, channels)}, reader));
}

BENCHMARK(float_product)->Arg(192)->Arg(1024);
BENCHMARK(integer_product_u8s8)->Arg(192)->Arg(1024);
BENCHMARK(fake_quantize_activations)->Arg(192)->Arg(1024);
BENCHMARK(fake_quantize_weights)->Arg(192)->Arg(1024);
BENCHMARK(layer_norms)->Arg(192)->Arg(1024);
BENCHMARK(causal_attention)->Arg(192)->Arg(1024);
BENCHMARK(candidate_of_attention)->Arg(192)->Arg(1024);
BENCHMARK(candidate_of_linear)->Arg(192)->Arg(1024);

}  // namespace
}  // namespace evenkeel
