#include "calib/perplexity.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "io/errors.h"
#include "model/likelihood.h"

namespace evenkeel {

std::vector<TextScore> perplexity_of(const LanguageModel& model,
                                     const std::vector<EvaluationText>& texts,
                                     HiddenStream& states) {
  const Architecture& architecture = model.architecture();
  std::vector<NextTokenLikelihood> likelihoods;
  for (const EvaluationText& text : texts) {
    for (const Encoding& window : text.windows) {
      likelihoods.emplace_back(model, window.ids, states.at(likelihoods.size()));
    }
  }
  tbb::parallel_for(std::size_t{0}, states.size(),
                    [&](std::size_t i) { model.finish(states.at(i)); });
  for (Index first = 0; first < architecture.vocabulary; first += head_chunk_rows) {
    const Matrix head =
        model.head_rows(first, std::min(head_chunk_rows, architecture.vocabulary - first));
    tbb::parallel_for(std::size_t{0}, likelihoods.size(),
                      [&](std::size_t i) { likelihoods[i].add(head, first); });
  }
  std::vector<TextScore> results;
  std::size_t next = 0;
  for (const EvaluationText& text : texts) {
    double sum = 0.0;
    double count = 0.0;
    for (std::size_t i = 0; i < text.windows.size(); ++i, ++next) {
      sum += likelihoods[next].sum();
      count += static_cast<double>(likelihoods[next].count());
    }
    const double perplexity = std::exp(sum / count);
    if (std::isnan(perplexity)) {
      throw InputError(
          fmt::format("{}: the perplexity is not a number; the model's activations "
                      "overflow on this text",
                      text.label));
    }
    results.push_back({text.label, perplexity});
  }
  return results;
}

}  // namespace evenkeel
