// Products of codes against sums in int64.
#include "quantizers/integer_product.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

struct Shape {
  Index rows;
  Index columns;
  Index depth;
};

const std::vector<Shape> shapes{{1, 1, 1},   {1, 9, 33},   {17, 1, 8},    {5, 7, 1},
                                {3, 4, 197}, {33, 65, 64}, {64, 48, 192}, {130, 96, 40}};

struct Integers {
  std::vector<std::uint8_t> x;
  std::vector<std::int8_t> w;
};

void expect_exact(const PackedCodes& packed, const Integers& values, const Shape& shape) {
  const auto& [rows, columns, depth] = shape;
  std::vector<std::int32_t> out(static_cast<std::size_t>(rows * columns), -1);
  packed.multiply(values.x, rows, out);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      std::int64_t sum = 0;
      for (Index k = 0; k < depth; ++k) {
        sum += std::int64_t{values.x[static_cast<std::size_t>(i * depth + k)]} *
               std::int64_t{values.w[static_cast<std::size_t>(j * depth + k)]};
      }
      ASSERT_EQ(out[static_cast<std::size_t>(i * columns + j)], sum) << i << ", " << j;
    }
  }
}

// By the machine's instructions, where they are exact, and by the scalar loop.
class IntegerProducts : public testing::TestWithParam<bool> {
 protected:
  static void expect_exact(const Integers& values, const Shape& shape) {
    if (GetParam() && !integer_product_is_exact()) GTEST_SKIP() << "saturates on this machine";
    evenkeel::expect_exact(PackedCodes(values.w, shape.columns, shape.depth, GetParam()), values,
                           shape);
  }
};

TEST_P(IntegerProducts, AreExact) {
  std::mt19937 random(12);
  for (const Shape& shape : shapes) {
    Integers values;
    for (Index i = 0; i < shape.rows * shape.depth; ++i) {
      values.x.push_back(static_cast<std::uint8_t>(random() >> 24U));
    }
    for (Index i = 0; i < shape.columns * shape.depth; ++i) {
      values.w.push_back(static_cast<std::int8_t>(random() >> 24U));
    }
    expect_exact(values, shape);
  }
}

TEST_P(IntegerProducts, DoNotSaturateAtTheLargestPairs) {
  for (const int weight : {127, -128}) {
    for (const Shape& shape : shapes) {
      const Integers values{
          std::vector<std::uint8_t>(static_cast<std::size_t>(shape.rows * shape.depth), 255),
          std::vector<std::int8_t>(static_cast<std::size_t>(shape.columns * shape.depth),
                                   static_cast<std::int8_t>(weight))};
      expect_exact(values, shape);
    }
  }
}

TEST_P(IntegerProducts, HoldTheLargestSum) {
  constexpr Shape deepest{2, 3, 65536};
  const Integers values{std::vector<std::uint8_t>(std::size_t{2} * 65536, 255),
                        std::vector<std::int8_t>(std::size_t{3} * 65536, -128)};
  expect_exact(values, deepest);
}

TEST_P(IntegerProducts, OfNothingAreZeroOrNothing) {
  std::vector<std::int32_t> out(12, 7);
  PackedCodes({}, 4, 0, GetParam()).multiply({}, 3, out);
  EXPECT_EQ(out, std::vector<std::int32_t>(12, 0));
  PackedCodes(std::vector<std::int8_t>(8), 4, 2, GetParam()).multiply({}, 0, {});
}

INSTANTIATE_TEST_SUITE_P(Paths, IntegerProducts, testing::Bool(),
                         [](const auto& path) { return path.param ? "fast" : "scalar"; });

TEST(IntegerProduct, GivesTheSameSumsBesideOtherThreads) {
  constexpr Shape shape{40, 50, 192};
  const Integers values{std::vector<std::uint8_t>(std::size_t{40} * 192, 201),
                        std::vector<std::int8_t>(std::size_t{50} * 192, -93)};
  const PackedCodes packed(values.w, shape.columns, shape.depth);
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { expect_exact(packed, values, shape); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace evenkeel
