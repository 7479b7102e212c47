#include "quantizers/data_types/book_weight.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <numeric>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/floats.h"
#include "quantizers/data_types/code_book.h"
#include "quantizers/data_types/data_type.h"
#include "quantizers/data_types/quantile_values.h"

namespace evenkeel {
namespace {

float in_half(float value) {
  if (first_not_representable(DType::F16, {&value, 1})) {
    throw InputError(
        fmt::format("a weight of magnitude {} is beyond the 16-bit floats that constants are kept "
                    "in; use codes: uniform",
                    value));
  }
  return reference::decode_f16(reference::encode_f16(value));
}

// The columns that are not kept, ascending.
std::vector<Index> coded_columns(Index columns, std::span<const Index> kept) {
  std::vector<Index> coded;
  for (Index column = 0; column < columns; ++column) {
    if (!std::ranges::binary_search(kept, column)) coded.push_back(column);
  }
  return coded;
}

std::vector<float> values_for(const TensorScheme& scheme, std::span<const float> weights) {
  if (scheme.codes != Codes::quantile) return data_type_values(scheme);
  // Where every column is kept there is nothing to have quantiles.
  if (weights.empty()) return std::vector<float>(data_type_size(scheme));
  return quantile_values(weights, scheme.bits);
}

float mean_of(std::span<const float> values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return static_cast<float>(sum / static_cast<double>(values.size()));
}

// Codes as bytes, a piece at a time, between the kernels and the codes of a QuantizedWeight.
constexpr std::size_t piece_size = 4096;

void encode_run(const CodeBook& book, std::span<const float> values, float absmax,
                std::span<std::int16_t> codes) {
  std::array<std::uint8_t, piece_size> bytes{};
  for (std::size_t first = 0; first < values.size(); first += piece_size) {
    const std::size_t count = std::min(piece_size, values.size() - first);
    book.encode(values.subspan(first, count), absmax, std::span(bytes).first(count));
    std::copy_n(bytes.begin(), count, codes.begin() + static_cast<std::ptrdiff_t>(first));
  }
}

void decode_run(const CodeBook& book, std::span<const std::int16_t> codes, float absmax, float mean,
                std::span<float> out) {
  std::array<std::uint8_t, piece_size> bytes{};
  for (std::size_t first = 0; first < codes.size(); first += piece_size) {
    const std::size_t count = std::min(piece_size, codes.size() - first);
    std::ranges::transform(codes.subspan(first, count), bytes.begin(),
                           [](std::int16_t code) { return static_cast<std::uint8_t>(code); });
    book.decode(std::span(bytes).first(count), absmax, mean, out.subspan(first, count));
  }
}

}  // namespace

Index kept_columns(const TensorScheme& scheme, Index columns) {
  if (!is_signed_book(scheme.codes)) return 0;
  // 1.1 % of 3000 are 33, and not 33.000000000000004.
  constexpr double rounding = 1e-9;
  return static_cast<Index>(
      std::ceil(static_cast<double>(columns) * scheme.proxy_percent / 100.0 - rounding));
}

std::vector<Index> book_runs(const TensorScheme& scheme, Index rows, Index columns) {
  // Pieces of a length, of a sequence that may be a row.
  const auto cut = [](Index size, Index length, std::vector<Index>& runs) {
    for (Index first = 0; first < size; first += length) {
      runs.push_back(std::min(length, size - first));
    }
  };
  std::vector<Index> runs;
  if (rows * columns == 0) return runs;
  if (scheme.granularity == Granularity::per_tensor) {
    runs.push_back(rows * columns);
  } else if (scheme.granularity == Granularity::per_block) {
    cut(rows * columns, scheme.block_size, runs);
  } else {
    for (Index row = 0; row < rows; ++row) cut(columns, group_width(scheme, columns), runs);
  }
  return runs;
}

Index book_constants(const TensorScheme& scheme, Index rows, Index columns) {
  const auto pieces = [](Index size, Index length) {
    return size / length + (size % length != 0 ? 1 : 0);
  };
  if (rows == 0 || columns == 0) return 0;
  if (scheme.granularity == Granularity::per_tensor) return 1;
  if (scheme.granularity == Granularity::per_block) {
    return pieces(rows * columns, scheme.block_size);
  }
  return rows * pieces(columns, group_width(scheme, columns));
}

float book_constant(std::span<const float> values) { return in_half(largest_magnitude(values)); }

QuantizedWeight quantize_by_book(const ConstMatrixView& weight, const TensorScheme& scheme,
                                 std::span<const Index> kept) {
  assert(is_signed_book(scheme.codes) && std::ranges::is_sorted(kept));
  assert(static_cast<Index>(kept.size()) == kept_columns(scheme, weight.cols()));
  QuantizedWeight result;
  result.scheme = scheme;
  result.rows = weight.rows();
  result.columns = weight.cols();
  result.book.kept.assign(kept.begin(), kept.end());
  result.book.kept_weight = weight(Eigen::all, result.book.kept);
  for (float& value : result.book.kept_weight.reshaped()) value = in_half(value);

  // Weights of a model are read where they are.
  const bool as_it_is = kept.empty() && weight.outerStride() == weight.cols();
  Matrix own;
  if (!as_it_is) own = weight(Eigen::all, coded_columns(weight.cols(), kept));
  const Index columns = weight.cols() - static_cast<Index>(kept.size());
  const std::span<const float> all(as_it_is ? weight.data() : own.data(),
                                   static_cast<std::size_t>(weight.rows() * columns));
  result.book.values = values_for(scheme, all);
  const CodeBook book(result.book.values);
  result.codes.resize(all.size());
  std::vector<float> centered;
  std::size_t first = 0;
  for (const Index run : book_runs(scheme, weight.rows(), columns)) {
    std::span<const float> values = all.subspan(first, static_cast<std::size_t>(run));
    if (scheme.centered) {
      const float mean = in_half(mean_of(values));
      result.book.means.push_back(mean);
      centered.resize(values.size());
      std::ranges::transform(values, centered.begin(),
                             [mean](float value) { return value - mean; });
      values = centered;
    }
    result.steps.push_back(book_constant(values));
    encode_run(book, values, result.steps.back(),
               std::span(result.codes).subspan(first, values.size()));
    first += values.size();
  }
  return result;
}

Matrix dequantize_by_book(const QuantizedWeight& weight) {
  const BookPart& part = weight.book;
  const std::vector<Index> columns = coded_columns(weight.columns, part.kept);
  const CodeBook book(part.values);
  Matrix coded(weight.rows, static_cast<Index>(columns.size()));
  const std::span<float> all(coded.data(), static_cast<std::size_t>(coded.size()));
  std::size_t first = 0;
  std::size_t step = 0;
  for (const Index run : book_runs(weight.scheme, coded.rows(), coded.cols())) {
    const auto size = static_cast<std::size_t>(run);
    decode_run(book, std::span(weight.codes).subspan(first, size), weight.steps[step],
               part.means.empty() ? 0.0F : part.means[step], all.subspan(first, size));
    first += size;
    ++step;
  }
  if (part.kept.empty()) return coded;
  Matrix result(weight.rows, weight.columns);
  result(Eigen::all, columns) = coded;
  result(Eigen::all, part.kept) = part.kept_weight;
  return result;
}

std::vector<std::uint64_t> code_uses(const QuantizedWeight& weight) {
  std::vector<std::uint64_t> uses(weight.book.values.size());
  for (const std::int16_t code : weight.codes) ++uses[static_cast<std::size_t>(code)];
  return uses;
}

}  // namespace evenkeel
