#include "calib/statistics_kernels.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calib/statistics_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using statistics_kernels::RowSummary;

// As many floats at a time as a vector has doubles: first with full vectors and then, for what is
// left, with single lanes. Each part returns where it stopped.
using Wide = hn::ScalableTag<double>;
using Single = hn::CappedTag<double, 1>;

// Calls work(some of the rows), in order: as many as a cache holds a line of each, so that the
// strips next to one another find it there.
template <class Work>
void for_each_tile(const ConstMatrixView& values, const Work& work) {
  constexpr Index tile_rows = 8;
  for (Index first = 0; first < values.rows(); first += tile_rows) {
    work(values.middleRows(first, std::min(tile_rows, values.rows() - first)));
  }
}

template <class D>
auto load_wide(D wide, const float* values) {
  return hn::PromoteTo(wide, hn::LoadU(hn::Rebind<float, D>(), values));
}

template <class D>
std::size_t extrema_and_sums_part(D wide, const ConstMatrixView& values, std::size_t i,
                                  std::size_t channels, float* low, float* high, double* sums) {
  const hn::Rebind<float, D> narrow;
  for (; i + hn::Lanes(wide) <= channels; i += hn::Lanes(wide)) {
    auto least = hn::LoadU(narrow, low + i);
    auto most = hn::LoadU(narrow, high + i);
    auto sum = hn::LoadU(wide, sums + i);
    for (Index row = 0; row < values.rows(); ++row) {
      const auto value = hn::LoadU(narrow, values.data() + row * values.outerStride() + i);
      least = hn::Min(least, value);
      most = hn::Max(most, value);
      sum = hn::Add(sum, hn::PromoteTo(wide, value));
    }
    hn::StoreU(least, narrow, low + i);
    hn::StoreU(most, narrow, high + i);
    hn::StoreU(sum, wide, sums + i);
  }
  return i;
}

void extrema_and_sums_all(const ConstMatrixView& values, std::size_t channels, float* low,
                          float* high, double* sums) {
  for_each_tile(values, [&](const ConstMatrixView& tile) {
    const std::size_t done = extrema_and_sums_part(Wide(), tile, 0, channels, low, high, sums);
    extrema_and_sums_part(Single(), tile, done, channels, low, high, sums);
  });
}

template <class D>
std::size_t squares_part(D wide, const ConstMatrixView& values, const double* means, std::size_t i,
                         std::size_t channels, double* squares) {
  for (; i + hn::Lanes(wide) <= channels; i += hn::Lanes(wide)) {
    const auto mean = hn::LoadU(wide, means + i);
    auto sum = hn::LoadU(wide, squares + i);
    for (Index row = 0; row < values.rows(); ++row) {
      const float* at = values.data() + row * values.outerStride() + i;
      const auto distance = hn::Sub(load_wide(wide, at), mean);
      sum = hn::MulAdd(distance, distance, sum);
    }
    hn::StoreU(sum, wide, squares + i);
  }
  return i;
}

void squares_all(const ConstMatrixView& values, const double* means, std::size_t channels,
                 double* squares) {
  for_each_tile(values, [&](const ConstMatrixView& tile) {
    const std::size_t done = squares_part(Wide(), tile, means, 0, channels, squares);
    squares_part(Single(), tile, means, done, channels, squares);
  });
}

template <class D>
std::size_t higher_powers_part(D wide, const ConstMatrixView& values, const double* means,
                               double limit, std::size_t i, std::size_t channels, double* cubes,
                               double* fourths, double* beyond) {
  const auto one = hn::Set(wide, 1.0);
  const auto edge = hn::Set(wide, limit);
  for (; i + hn::Lanes(wide) <= channels; i += hn::Lanes(wide)) {
    const auto mean = hn::LoadU(wide, means + i);
    auto cube = hn::LoadU(wide, cubes + i);
    auto fourth = hn::LoadU(wide, fourths + i);
    auto count = hn::LoadU(wide, beyond + i);
    for (Index row = 0; row < values.rows(); ++row) {
      const auto value = load_wide(wide, values.data() + row * values.outerStride() + i);
      const auto distance = hn::Sub(value, mean);
      const auto square = hn::Mul(distance, distance);
      cube = hn::MulAdd(square, distance, cube);
      fourth = hn::MulAdd(square, square, fourth);
      count = hn::Add(count, hn::IfThenElseZero(hn::Gt(hn::Abs(value), edge), one));
    }
    hn::StoreU(cube, wide, cubes + i);
    hn::StoreU(fourth, wide, fourths + i);
    hn::StoreU(count, wide, beyond + i);
  }
  return i;
}

void higher_powers_all(const ConstMatrixView& values, const double* means, double limit,
                       std::size_t channels, double* cubes, double* fourths, double* beyond) {
  for_each_tile(values, [&](const ConstMatrixView& tile) {
    const std::size_t done =
        higher_powers_part(Wide(), tile, means, limit, 0, channels, cubes, fourths, beyond);
    higher_powers_part(Single(), tile, means, limit, done, channels, cubes, fourths, beyond);
  });
}

template <class D>
std::size_t summary_part(D wide, const float* values, std::size_t i, std::size_t size,
                         RowSummary& summary) {
  const hn::Rebind<float, D> narrow;
  auto least = hn::Set(narrow, summary.low);
  auto most = hn::Set(narrow, summary.high);
  auto sum = hn::Zero(wide);
  for (; i + hn::Lanes(wide) <= size; i += hn::Lanes(wide)) {
    const auto value = hn::LoadU(narrow, values + i);
    least = hn::Min(least, value);
    most = hn::Max(most, value);
    sum = hn::Add(sum, hn::PromoteTo(wide, value));
  }
  summary.low = hn::GetLane(hn::MinOfLanes(narrow, least));
  summary.high = hn::GetLane(hn::MaxOfLanes(narrow, most));
  summary.sum += hn::GetLane(hn::SumOfLanes(wide, sum));
  return i;
}

void summary_all(const float* values, std::size_t size, RowSummary& summary) {
  const std::size_t done = summary_part(Wide(), values, 0, size, summary);
  summary_part(Single(), values, done, size, summary);
}

template <class D>
std::size_t row_squares_part(D wide, double mean, const float* values, std::size_t i,
                             std::size_t size, double& squares) {
  const auto middle = hn::Set(wide, mean);
  auto sum = hn::Zero(wide);
  for (; i + hn::Lanes(wide) <= size; i += hn::Lanes(wide)) {
    const auto distance = hn::Sub(load_wide(wide, values + i), middle);
    sum = hn::MulAdd(distance, distance, sum);
  }
  squares += hn::GetLane(hn::SumOfLanes(wide, sum));
  return i;
}

double row_squares_all(double mean, const float* values, std::size_t size) {
  double squares = 0.0;
  const std::size_t done = row_squares_part(Wide(), mean, values, 0, size, squares);
  row_squares_part(Single(), mean, values, done, size, squares);
  return squares;
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace evenkeel::statistics_kernels {

HWY_EXPORT(extrema_and_sums_all);
HWY_EXPORT(squares_all);
HWY_EXPORT(higher_powers_all);
HWY_EXPORT(summary_all);
HWY_EXPORT(row_squares_all);

void add_extrema_and_sums(const ConstMatrixView& values, std::span<float> low,
                          std::span<float> high, std::span<double> sums) {
  const auto channels = static_cast<std::size_t>(values.cols());
  assert(low.size() == channels && high.size() == channels && sums.size() == channels);
  HWY_DYNAMIC_DISPATCH(extrema_and_sums_all)
  (values, channels, low.data(), high.data(), sums.data());
}

void add_squares(const ConstMatrixView& values, std::span<const double> mean,
                 std::span<double> squares) {
  const auto channels = static_cast<std::size_t>(values.cols());
  assert(mean.size() == channels && squares.size() == channels);
  HWY_DYNAMIC_DISPATCH(squares_all)(values, mean.data(), channels, squares.data());
}

void add_higher_powers(const ConstMatrixView& values, std::span<const double> mean, double limit,
                       std::span<double> cubes, std::span<double> fourths,
                       std::span<double> beyond) {
  const auto channels = static_cast<std::size_t>(values.cols());
  assert(mean.size() == channels && cubes.size() == channels && fourths.size() == channels &&
         beyond.size() == channels);
  HWY_DYNAMIC_DISPATCH(higher_powers_all)
  (values, mean.data(), limit, channels, cubes.data(), fourths.data(), beyond.data());
}

RowSummary summary_of(std::span<const float> values) {
  RowSummary summary;
  HWY_DYNAMIC_DISPATCH(summary_all)(values.data(), values.size(), summary);
  return summary;
}

double squares_around(double mean, std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(row_squares_all)(mean, values.data(), values.size());
}

}  // namespace evenkeel::statistics_kernels
#endif  // HWY_ONCE
