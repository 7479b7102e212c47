// How fast weights become codes of a code book and come back, on one core, as JSON: GB/s of
// float32, the best of several rounds.
//   code_books MEBIBYTES BLOCK
// `encode` is from the weights to packed codes and constants, `decode` from packed codes to
// weights.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "quantizers/data_types/bit_stream.h"
#include "quantizers/data_types/book_weight.h"
#include "quantizers/weight_quantizer.h"

namespace evenkeel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr Index columns = 4096;

template <class Work>
double best_rate(Index values, const Work& work) {
  double best = 0.0;
  for (int round = 0; round < rounds; ++round) {
    const auto start = Clock::now();
    work();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 4.0 * static_cast<double>(values) / seconds / 1e9);
  }
  return best;
}

Matrix normal_weights(Index rows) {
  Matrix weights(rows, columns);
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  for (float& value : weights.reshaped()) value = normal(random);
  return weights;
}

nlohmann::ordered_json rates(const Matrix& weights, const TensorScheme& scheme) {
  QuantizedWeight coded;
  std::vector<std::byte> packed;
  const double encode = best_rate(weights.size(), [&] {
    coded = quantize_weight(weights, scheme);
    packed = pack_bits(coded.codes, scheme.bits);
  });
  Matrix back;
  const double decode = best_rate(weights.size(), [&] {
    coded.codes = *unpack_bits(packed, coded.codes.size(), scheme.bits);
    back = dequantize_weight(coded);
  });
  return {{"encode", encode}, {"decode", decode}};
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2) throw std::runtime_error("give MEBIBYTES BLOCK");
  const Matrix weights = normal_weights(std::stol(arguments[0]) * (1 << 20) / 4 / columns);
  nlohmann::ordered_json result;
  for (const int bits : {4, 8}) {
    for (const Codes codes :
         {Codes::linear, Codes::floating, Codes::dynamic, Codes::quantile, Codes::nf4}) {
      if (codes == Codes::nf4 && bits != 4) continue;
      const TensorScheme scheme{.bits = bits,
                                .granularity = Granularity::per_block,
                                .codes = codes,
                                .block_size = std::stoi(arguments[1])};
      result[fmt::format("{} {}", name_of(codes), bits)] = rates(weights, scheme);
    }
  }
  fmt::print("{}\n", result.dump(1));
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace evenkeel

int main(int count, char** arguments) {
  try {
    return evenkeel::run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    fmt::print(stderr, "code_books: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
