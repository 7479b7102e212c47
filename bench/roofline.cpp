// How fast this machine multiplies: operations a second (multiply-adds twice) of float and of
// integer products, one large one and those of the shapes that are given, as JSON.
//   roofline THREADS [ROWSxCOLUMNSxDEPTH]...
// Each thread makes products of its own, as the search's threads do; rates are sums over threads,
// the best of several rounds.
#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "quantizers/gemm.h"
#include "quantizers/integer_product.h"

namespace evenkeel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr double round_seconds = 0.15;

struct Shape {
  Index rows, columns, depth;
  double operations() const {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(columns) *
           static_cast<double>(depth);
  }
};
constexpr Shape large{1024, 2048, 2048};

Shape shape_of(const std::string& text) {
  Shape shape{};
  // NOLINTNEXTLINE(cert-err34-c): what is not a number leaves a zero
  if (std::sscanf(text.c_str(), "%tdx%tdx%td", &shape.rows, &shape.columns, &shape.depth) != 3 ||
      std::min({shape.rows, shape.columns, shape.depth}) < 1) {
    throw std::runtime_error(
        fmt::format("'{}' is not a shape; write ROWSxCOLUMNSxDEPTH, as 512x1152x384", text));
  }
  return shape;
}

using Product = std::function<void()>;

Product float_product(Shape shape) {
  return [x = Matrix(Matrix::Random(shape.rows, shape.depth)),
          w = Matrix(Matrix::Random(shape.columns, shape.depth)),
          out = Matrix(shape.rows, shape.columns)]() mutable { product_transposed(x, w, out); };
}

Product code_product(Shape shape) {
  const auto size = [](Index rows, Index columns) {
    return static_cast<std::size_t>(rows * columns);
  };
  const std::vector<std::int8_t> codes(size(shape.columns, shape.depth), -5);
  // Shared, as a function is to be copied.
  const auto w = std::make_shared<const PackedCodes>(codes, shape.columns, shape.depth);
  return [shape, w, x = std::vector<std::uint8_t>(size(shape.rows, shape.depth), 77),
          out = std::vector<std::int32_t>(size(shape.rows, shape.columns))]() mutable {
    w->multiply(x, shape.rows, out);
  };
}

double seconds_of(const Product& product, int repeats) {
  const auto start = Clock::now();
  for (int i = 0; i < repeats; ++i) product();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Operations a second of `threads` threads together.
double rate(const std::function<Product(Shape)>& make, Shape shape, int threads) {
  std::barrier<> together(threads);
  std::vector<std::vector<double>> rates(static_cast<std::size_t>(threads));
  std::vector<std::thread> workers;
  workers.reserve(rates.size());
  for (std::vector<double>& own : rates) {
    workers.emplace_back([&] {
      const Product product = make(shape);
      product();
      const int repeats = std::max(1, static_cast<int>(round_seconds / seconds_of(product, 1)));
      for (int round = 0; round < rounds; ++round) {
        together.arrive_and_wait();
        own.push_back(repeats * shape.operations() / seconds_of(product, repeats));
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  double best = 0.0;
  for (std::size_t round = 0; round < rounds; ++round) {
    double sum = 0.0;
    for (const std::vector<double>& own : rates) sum += own[round];
    best = std::max(best, sum);
  }
  return best;
}

nlohmann::ordered_json rates_of(Shape shape, int threads) {
  return {{"shape", fmt::format("{}x{}x{}", shape.rows, shape.columns, shape.depth)},
          {"float", rate(float_product, shape, threads)},
          {"integer", rate(code_product, shape, threads)}};
}

int run(const std::vector<std::string>& arguments) {
  // NOLINTNEXTLINE(cert-err34-c): what is not a number leaves a zero
  const int threads = arguments.empty() ? 0 : std::atoi(arguments.front().c_str());
  if (threads < 1) throw std::runtime_error("give the number of threads, then shapes");
  nlohmann::ordered_json result{{"threads", threads}, {"large", rates_of(large, threads)}};
  result["shapes"] = nlohmann::ordered_json::array();
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    result["shapes"].push_back(rates_of(shape_of(arguments[i]), threads));
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
    fmt::print(stderr, "roofline: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
