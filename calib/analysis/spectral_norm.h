// The largest singular value of a matrix.
#pragma once

#include "io/matrix.h"

namespace evenkeel {

/// ||W||_2, to a relative 1e-6: the root of the largest eigenvalue of W^T W (or W W^T, whichever is
/// smaller), found by Spectra's restarted Lanczos iteration with products of W alone, so that no
/// square is formed. Takes a copy of W in double. Of an empty matrix, 0.
/// Throws: MachineError when the iteration does not converge (not seen). REQUIRES: W is finite.
double spectral_norm(const Matrix& weight);

}  // namespace evenkeel
