#include "calib/analysis/spectral_norm.h"

#include <algorithm>
#include <cmath>

#include <Spectra/SymEigsSolver.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

// x -> W^T W x or W W^T x, as Spectra asks for it.
class GramOperator {
 public:
  using Scalar = double;

  explicit GramOperator(const Matrix& weight)
      : weight_(weight.cast<double>()), wide_(weight.cols() > weight.rows()) {}

  Index rows() const { return std::min(weight_.rows(), weight_.cols()); }
  Index cols() const { return rows(); }
  void perform_op(const double* in, double* out) const {
    const Eigen::Map<const Eigen::VectorXd> x(in, rows());
    Eigen::Map<Eigen::VectorXd> y(out, rows());
    if (wide_) {
      middle_.noalias() = weight_.transpose() * x;
      y.noalias() = weight_ * middle_;
    } else {
      middle_.noalias() = weight_ * x;
      y.noalias() = weight_.transpose() * middle_;
    }
  }

 private:
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> weight_;
  bool wide_;
  mutable Eigen::VectorXd middle_;
};

}  // namespace

double spectral_norm(const Matrix& weight) {
  constexpr Index basis = 24;  // vectors of a restart
  constexpr Index restarts = 1000;
  constexpr double tolerance = 1e-6;  // of the eigenvalue; half of it of the norm
  // Of a vector, and of zeros, which no iteration can start from, it is that of Frobenius.
  const bool vector = weight.rows() <= 1 || weight.cols() <= 1;
  const float absmax = weight.size() == 0 ? 0.0F : weight.cwiseAbs().maxCoeff();
  if (vector || absmax == 0.0F) return weight.cast<double>().norm();
  // Scaled, so that no square is beyond a double's range or lost below Spectra's absolute floor.
  GramOperator gram(weight / absmax);
  Spectra::SymEigsSolver<GramOperator> solver(gram, 1, std::min(basis, gram.rows()));
  solver.init();
  solver.compute(Spectra::SortRule::LargestAlge, restarts, tolerance);
  if (solver.info() != Spectra::CompInfo::Successful) {
    throw MachineError("a spectral norm did not converge; please report the checkpoint");
  }
  return static_cast<double>(absmax) * std::sqrt(std::max(0.0, solver.eigenvalues()(0)));
}

}  // namespace evenkeel
