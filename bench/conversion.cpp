// Stored floats to float32 and back: bytes read and written a second, to be held against what the
// machine copies (`convert_f32`).
#include "bench/bench_count.h"

#include <cstddef>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "io/dtype.h"
#include "io/floats.h"

namespace evenkeel {
namespace {

// From the cache, and from memory.
constexpr int few_values = 1 << 13;
constexpr int many_values = 1 << 24;

std::vector<float> random_values(std::size_t count) {
  std::mt19937 engine(7);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

template <DType Type>
void decode(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<float> values = random_values(count);
  std::vector<std::byte> bytes(count * size_of(Type));
  encode_floats(Type, values, bytes);
  for (auto _ : state) {
    decode_floats(Type, bytes, values);
    benchmark::DoNotOptimize(values.data());
  }
  count_bytes(state, static_cast<double>(bytes.size() + count * sizeof(float)));
}

template <DType Type>
void encode(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::vector<float> values = random_values(count);
  std::vector<std::byte> bytes(count * size_of(Type));
  for (auto _ : state) {
    encode_floats(Type, values, bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  count_bytes(state, static_cast<double>(bytes.size() + count * sizeof(float)));
}

BENCHMARK_TEMPLATE(decode, DType::F32)->Arg(few_values)->Arg(many_values);
BENCHMARK_TEMPLATE(decode, DType::F16)->Arg(few_values)->Arg(many_values);
BENCHMARK_TEMPLATE(decode, DType::BF16)->Arg(few_values)->Arg(many_values);
BENCHMARK_TEMPLATE(encode, DType::F16)->Arg(few_values)->Arg(many_values);
BENCHMARK_TEMPLATE(encode, DType::BF16)->Arg(few_values)->Arg(many_values);

}  // namespace
}  // namespace evenkeel
