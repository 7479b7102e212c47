#include "calib/perplexity.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "calib/ordered_parallel.h"
#include "io/errors.h"
#include "model/likelihood.h"

namespace evenkeel {
namespace {

// Windows whose finished states are held at a time. The head is decoded once for each such part,
// which is to cost little beside their products.
std::size_t part_windows() { return std::max<std::size_t>(8, windows_in_flight()); }

// A window's sum of negative log-likelihoods.
struct WindowScore {
  double sum = 0.0;
  double count = 0.0;
};

std::vector<WindowScore> score_part(const LanguageModel& model,
                                    std::span<const Encoding* const> windows,
                                    const HiddenStream& states, std::size_t first_window) {
  std::vector<Matrix> finished(windows.size());
  begin_in_order(windows.size(), [&](std::size_t i) {
    finished[i] = states.at(first_window + i);
    model.finish(finished[i]);
  });
  std::vector<NextTokenLikelihood> likelihoods;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    likelihoods.emplace_back(model, windows[i]->ids, finished[i]);
  }
  const Index vocabulary = model.architecture().vocabulary;
  for (Index first = 0; first < vocabulary; first += head_chunk_rows) {
    const Matrix head = model.head_rows(first, std::min(head_chunk_rows, vocabulary - first));
    tbb::parallel_for(std::size_t{0}, likelihoods.size(),
                      [&](std::size_t i) { likelihoods[i].add(head, first); });
  }
  std::vector<WindowScore> scores;
  scores.reserve(likelihoods.size());
  for (const NextTokenLikelihood& likelihood : likelihoods) {
    scores.push_back({likelihood.sum(), static_cast<double>(likelihood.count())});
  }
  return scores;
}

}  // namespace

std::vector<TextScore> perplexity_of(const LanguageModel& model,
                                     const std::vector<EvaluationText>& texts,
                                     const HiddenStream& states) {
  std::vector<const Encoding*> windows;
  for (const EvaluationText& text : texts) {
    for (const Encoding& window : text.windows) windows.push_back(&window);
  }
  std::vector<WindowScore> scores;
  for (std::size_t first = 0; first < windows.size(); first += part_windows()) {
    const std::size_t count = std::min(part_windows(), windows.size() - first);
    const auto part = score_part(model, std::span(windows).subspan(first, count), states, first);
    scores.insert(scores.end(), part.begin(), part.end());
  }
  model.release_head();
  std::vector<TextScore> results;
  std::size_t next = 0;
  for (const EvaluationText& text : texts) {
    WindowScore total;
    std::vector<double> means;
    for (std::size_t i = 0; i < text.windows.size(); ++i, ++next) {
      total.sum += scores[next].sum;
      total.count += scores[next].count;
      means.push_back(scores[next].sum / scores[next].count);
    }
    const double perplexity = std::exp(total.sum / total.count);
    if (std::isnan(perplexity)) {
      throw InputError(
          fmt::format("{}: the perplexity is not a number; the model's activations "
                      "overflow on this text",
                      text.label));
    }
    results.push_back({.label = text.label, .value = perplexity, .terms = std::move(means)});
  }
  return results;
}

}  // namespace evenkeel
