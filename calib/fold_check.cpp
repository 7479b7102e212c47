#include "calib/fold_check.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "calib/observing_taps.h"
#include "io/errors.h"
#include "model/forward.h"
#include "transforms/fold.h"

namespace evenkeel {
FoldCheck::FoldCheck(const Architecture& architecture, const Site& site, const Block& before,
                     Matrix hidden)
    : architecture_(architecture), site_(site), hidden_(std::move(hidden)), before_(run(before)) {
  for (const LinearPlace place : site.readers) readers_.push_back(before.linear(place));
}

FoldCheck::Run FoldCheck::run(const Block& block) const {
  const NodeQuantizers none;
  Workspace workspace;
  Run result;
  CaptureTap tap(none, site_.input, site_.readers.front().expert);
  result.output = hidden_;
  forward(architecture_, block, result.output, {}, tap, workspace);
  result.input = std::move(tap.captured());
  if (!architecture_.mixture()) return result;
  CaptureTap router_tap(none, Node::mlp_input, 0);
  Matrix hidden = hidden_;
  forward(architecture_, block, hidden, {}, router_tap, workspace, Node::mlp_input);
  result.routing = routing_of(architecture_, block, router_tap.captured());
  return result;
}

bool FoldCheck::routed_alike(const Run& after, Index token) const {
  const auto sent = [token](const Routing& expert) {
    return std::binary_search(expert.tokens.begin(), expert.tokens.end(), token);
  };
  return std::equal(before_.routing.begin(), before_.routing.end(), after.routing.begin(),
                    [&](const Routing& a, const Routing& b) { return sent(a) == sent(b); });
}

void FoldCheck::require_same(const Block& after) const {
  const Run folded = run(after);
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    // No token of the sample may have been sent to the expert.
    if (before_.input.rows() == 0 || folded.input.rows() != before_.input.rows()) break;
    const LinearPlace place = site_.readers[i];
    const double error = fold_error(before_.input, readers_[i], folded.input, after.linear(place));
    if (!(error <= 1.0)) {
      throw MachineError(fmt::format(
          "site '{}': the fold changes '{}' by {:.3g} times its rounding bound; the scale or shift "
          "is too extreme for float, try another method for this model",
          site_.name, architecture_.module_name(place), error));
    }
  }
  const double change = (before_.output - hidden_).cwiseAbs().maxCoeff();
  double difference = 0.0;
  for (Index token = 0; token < hidden_.rows(); ++token) {
    if (!routed_alike(folded, token)) continue;
    // Eigen's default may leave out a NaN.
    const double own = (before_.output.row(token) - folded.output.row(token))
                           .cwiseAbs()
                           .maxCoeff<Eigen::PropagateNaN>();
    if (!(own <= difference)) difference = own;
    if (std::isnan(difference)) break;
  }
  if (!(difference <= block_tolerance * change)) {
    throw MachineError(fmt::format(
        "site '{}': the folded block's output differs by {:.3g} where its largest change is "
        "{:.3g}; not every reader of the site was folded, or float can't hold the folded values",
        site_.name, difference, change));
  }
}

}  // namespace evenkeel
