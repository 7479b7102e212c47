#include "quantizers/gemm.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include <cblas.h>
#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.h>

#include "io/errors.h"
#include "quantizers/one_openmp_thread.h"

namespace evenkeel {
namespace {

// On x86-64 oneDNN's float product is the faster of the two, by a tenth for a layer's products.
// Elsewhere it has no kernel of its own.
#ifdef __x86_64__
constexpr bool has_fast_onednn = true;
#else
constexpr bool has_fast_onednn = false;
#endif

// OpenBLAS keeps one count for the whole process. With it at one, each call runs on its caller's
// thread, and callers do not wait for one another.
void use_calling_thread_only() {
  static const bool done = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(done);
}

blasint blas_size(Index size) {
  assert(size >= 0 && size <= std::numeric_limits<blasint>::max());
  return static_cast<blasint>(size);
}

// A single row may carry any stride; libraries want at least the columns.
template <class View>
Index leading_dimension(const View& view) {
  return std::max(view.rows() > 1 ? view.outerStride() : view.cols(), Index{1});
}

void onednn_multiply(const ConstMatrixView& x, const ConstMatrixView& w, MatrixView& out) {
  const OneOpenMpThread one_thread;
  const dnnl_status_t status =
      dnnl_sgemm('N', 'T', out.rows(), out.cols(), x.cols(), 1.0F, x.data(), leading_dimension(x),
                 w.data(), leading_dimension(w), 0.0F, out.data(), leading_dimension(out));
  if (status != dnnl_success) {
    throw MachineError(
        fmt::format("oneDNN refused the product [{}, {}] x [{}, {}] with status {}; check that the "
                    "machine has memory left",
                    out.rows(), x.cols(), x.cols(), out.cols(), static_cast<int>(status)));
  }
}

void blas_multiply(const ConstMatrixView& x, const ConstMatrixView& w, MatrixView& out) {
  use_calling_thread_only();
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, blas_size(out.rows()), blas_size(out.cols()),
              blas_size(x.cols()), 1.0F, x.data(), blas_size(leading_dimension(x)), w.data(),
              blas_size(leading_dimension(w)), 0.0F, out.data(), blas_size(leading_dimension(out)));
}

}  // namespace

void product_transposed(const ConstMatrixView& x, const ConstMatrixView& w, MatrixView out) {
  assert(x.cols() == w.cols() && out.rows() == x.rows() && out.cols() == w.rows());
  if (out.size() == 0) return;
  if (x.cols() == 0) {
    out.setZero();
  } else if (has_fast_onednn) {
    onednn_multiply(x, w, out);
  } else {
    blas_multiply(x, w, out);
  }
}

void add_gram(const ConstMatrixView& x, DoubleMatrix& sums) {
  assert(sums.rows() == x.cols() && sums.cols() == x.cols());
  if (x.size() == 0) return;
  use_calling_thread_only();
  const DoubleMatrix wide = x.cast<double>();
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, blas_size(wide.cols()), blas_size(wide.rows()),
              1.0, wide.data(), blas_size(wide.cols()), 1.0, sums.data(), blas_size(sums.cols()));
}

}  // namespace evenkeel
