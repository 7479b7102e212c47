#include "calib/perplexity.h"

#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"

namespace evenkeel {

TextScore perplexity_of(const EvaluationText& text, std::span<const WindowScore> windows) {
  WindowScore total;
  std::vector<double> means;
  for (const WindowScore& window : windows) {
    total.loss += window.loss;
    total.tokens += window.tokens;
    means.push_back(window.loss / window.tokens);
  }
  const double perplexity = std::exp(total.loss / total.tokens);
  if (std::isnan(perplexity)) {
    throw InputError(
        fmt::format("{}: the perplexity is not a number; the model's activations "
                    "overflow on this text",
                    text.label));
  }
  return {.label = text.label, .value = perplexity, .terms = std::move(means)};
}

}  // namespace evenkeel
