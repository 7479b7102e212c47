#include "quantizers/gemm.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <cblas.h>
#include <fmt/format.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

// OpenBLAS keeps one count for the whole process. With it at one, each call runs on its caller's
// thread, and callers do not wait for one another.
void use_calling_thread_only() {
  static const bool done = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(done);
}

// OpenMP keeps a count for each calling thread; the caller gets its own back.
class OneOpenMpThread {
 public:
  OneOpenMpThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;
  ~OneOpenMpThread() { omp_set_num_threads(before_); }

 private:
  int before_;
};

blasint blas_size(Index size) {
  assert(size >= 0 && size <= std::numeric_limits<blasint>::max());
  return static_cast<blasint>(size);
}

// A single row may carry any stride; BLAS wants at least the columns.
template <class View>
blasint leading_dimension(const View& view) {
  return blas_size(std::max(view.rows() > 1 ? view.outerStride() : view.cols(), Index{1}));
}

void multiply(CBLAS_TRANSPOSE transpose, const ConstMatrixView& x, const ConstMatrixView& y,
              MatrixView& out, float alpha, float beta) {
  if (out.size() == 0) return;
  if (x.cols() == 0) {
    if (beta == 0.0F) out.setZero();
    return;
  }
  use_calling_thread_only();
  cblas_sgemm(CblasRowMajor, CblasNoTrans, transpose, blas_size(out.rows()), blas_size(out.cols()),
              blas_size(x.cols()), alpha, x.data(), leading_dimension(x), y.data(),
              leading_dimension(y), beta, out.data(), leading_dimension(out));
}

void onednn_product(std::span<const std::uint8_t> x, std::span<const std::int8_t> w, Index rows,
                    Index columns, Index depth, std::span<std::int32_t> out) {
  const OneOpenMpThread one_thread;
  const std::int32_t no_offset = 0;
  const dnnl_status_t status =
      dnnl_gemm_u8s8s32('N', 'T', 'F', rows, columns, depth, 1.0F, x.data(), depth, 0, w.data(),
                        depth, 0, 0.0F, out.data(), columns, &no_offset);
  if (status != dnnl_success) {
    throw MachineError(fmt::format(
        "oneDNN refused the integer product [{}, {}] x [{}, {}] with status {}; check that the "
        "machine has memory left",
        rows, depth, columns, depth, static_cast<int>(status)));
  }
}

// Pairs of products beyond 16 bits, of both signs; one row and several, as libraries have a
// kernel of its own for each, and a depth that no vector width divides.
bool probe() {
  constexpr Index depth = 197;
  constexpr Index columns = 17;
  for (const Index rows : {Index{1}, Index{19}}) {
    for (const int weight : {127, -128}) {
      const std::vector<std::uint8_t> x(static_cast<std::size_t>(rows * depth), 255);
      const std::vector<std::int8_t> w(static_cast<std::size_t>(columns * depth),
                                       static_cast<std::int8_t>(weight));
      std::vector<std::int32_t> out(static_cast<std::size_t>(rows * columns));
      onednn_product(x, w, rows, columns, depth, out);
      const auto expected = static_cast<std::int32_t>(Index{255} * weight * depth);
      if (std::ranges::any_of(out, [=](std::int32_t sum) { return sum != expected; })) return false;
    }
  }
  return true;
}

}  // namespace

void product_transposed(const ConstMatrixView& x, const ConstMatrixView& w, MatrixView out,
                        float alpha) {
  assert(x.cols() == w.cols() && out.rows() == x.rows() && out.cols() == w.rows());
  multiply(CblasTrans, x, w, out, alpha, 0.0F);
}

void product(const ConstMatrixView& x, const ConstMatrixView& y, MatrixView out, bool accumulate) {
  assert(x.cols() == y.rows() && out.rows() == x.rows() && out.cols() == y.cols());
  multiply(CblasNoTrans, x, y, out, 1.0F, accumulate ? 1.0F : 0.0F);
}

void add_gram(const ConstMatrixView& x, DoubleMatrix& sums) {
  assert(sums.rows() == x.cols() && sums.cols() == x.cols());
  if (x.size() == 0) return;
  use_calling_thread_only();
  const DoubleMatrix wide = x.cast<double>();
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, blas_size(wide.cols()), blas_size(wide.rows()),
              1.0, wide.data(), blas_size(wide.cols()), 1.0, sums.data(), blas_size(sums.cols()));
}

void integer_product(std::span<const std::uint8_t> x, std::span<const std::int8_t> w, Index rows,
                     Index columns, Index depth, std::span<std::int32_t> out) {
  assert(depth <= 65536);
  assert(std::cmp_equal(x.size(), rows * depth) && std::cmp_equal(w.size(), columns * depth) &&
         std::cmp_equal(out.size(), rows * columns));
  if (out.empty()) return;
  if (depth == 0) {
    std::ranges::fill(out, 0);
  } else if (integer_product_is_exact()) {
    onednn_product(x, w, rows, columns, depth, out);
  } else {
    reference::integer_product(x, w, rows, columns, depth, out);
  }
}

bool integer_product_is_exact() {
  static const bool exact = probe();
  return exact;
}

namespace reference {

void integer_product(std::span<const std::uint8_t> x, std::span<const std::int8_t> w, Index rows,
                     Index columns, Index depth, std::span<std::int32_t> out) {
  const auto length = static_cast<std::size_t>(depth);
  std::size_t place = 0;
  for (Index i = 0; i < rows; ++i) {
    const auto row = x.subspan(static_cast<std::size_t>(i) * length, length);
    for (Index j = 0; j < columns; ++j) {
      const auto column = w.subspan(static_cast<std::size_t>(j) * length, length);
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < length; ++k) {
        sum += static_cast<std::int32_t>(row[k]) * static_cast<std::int32_t>(column[k]);
      }
      out[place++] = sum;
    }
  }
}

}  // namespace reference
}  // namespace evenkeel
