#include "calib/fold_check.h"

#include <fmt/format.h>

#include "calib/observing_taps.h"
#include "io/errors.h"
#include "model/forward.h"
#include "transforms/fold.h"

namespace evenkeel {
namespace {

struct Run {
  Matrix input;   // of the site
  Matrix output;  // of the block
};

Run run(const Architecture& architecture, const Site& site, const Block& block,
        const Matrix& hidden) {
  const NodeQuantizers none;
  CaptureTap tap(none, site.input, site.readers.front().expert);
  Workspace workspace;
  Run result;
  result.output = hidden;
  forward(architecture, block, result.output, {}, tap, workspace);
  result.input = std::move(tap.captured());
  return result;
}

}  // namespace

void check_fold(const Architecture& architecture, const Site& site, const Block& before,
                const Block& after, const Matrix& hidden) {
  const Run original = run(architecture, site, before, hidden);
  const Run folded = run(architecture, site, after, hidden);
  for (const LinearPlace place : site.readers) {
    if (original.input.size() == 0) break;  // no token of the sample was sent to the expert
    const double error =
        fold_error(original.input, before.linear(place), folded.input, after.linear(place));
    if (!(error <= 1.0)) {
      throw MachineError(fmt::format(
          "site '{}': the fold changes '{}' by {:.3g} times its rounding bound; the scale or shift "
          "is too extreme for float, try another method for this model",
          site.name, architecture.linear(place.role).name, error));
    }
  }
  const double change = (original.output - hidden).cwiseAbs().maxCoeff();
  // Eigen's default may leave out a NaN.
  const double difference =
      (original.output - folded.output).cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
  if (!(difference <= block_tolerance * change)) {
    throw MachineError(fmt::format(
        "site '{}': the folded block's output differs by {:.3g} where its largest change is "
        "{:.3g}; "
        "not every reader of the site was folded, or float can't hold the folded values",
        site.name, difference, change));
  }
}

}  // namespace evenkeel
