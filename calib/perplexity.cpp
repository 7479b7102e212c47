#include "calib/perplexity.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "io/errors.h"
#include "model/block.h"
#include "model/likelihood.h"

namespace evenkeel {
namespace {

std::vector<Tokens> all_windows(const std::vector<EvaluationText>& texts) {
  std::vector<Tokens> windows;
  for (const EvaluationText& text : texts) {
    windows.insert(windows.end(), text.windows.begin(), text.windows.end());
  }
  return windows;
}

}  // namespace

EvaluationStream::EvaluationStream(const LanguageModel& model,
                                   const std::vector<EvaluationText>& texts)
    : model_(model), texts_(texts), stream_(model, all_windows(texts)) {}

std::vector<TextPerplexity> EvaluationStream::finish() {
  const Architecture& architecture = model_.architecture();
  std::vector<NextTokenLikelihood> likelihoods;
  for (const EvaluationText& text : texts_) {
    for (const Tokens& window : text.windows) {
      likelihoods.emplace_back(window, stream_.at(likelihoods.size()));
    }
  }
  tbb::parallel_for(std::size_t{0}, stream_.size(),
                    [&](std::size_t i) { model_.normalize(stream_.at(i)); });
  for (Index first = 0; first < architecture.vocabulary; first += head_chunk_rows) {
    const Matrix head = model_.checkpoint().row_range(
        architecture.head_name(), architecture.vocabulary, architecture.channels, first,
        std::min(head_chunk_rows, architecture.vocabulary - first));
    tbb::parallel_for(std::size_t{0}, likelihoods.size(),
                      [&](std::size_t i) { likelihoods[i].add(head, first); });
  }
  std::vector<TextPerplexity> results;
  std::size_t next = 0;
  for (const EvaluationText& text : texts_) {
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

std::vector<TextPerplexity> full_precision_perplexity(const LanguageModel& model,
                                                      const std::vector<EvaluationText>& texts,
                                                      Progress& progress) {
  if (texts.empty()) return {};
  const Architecture& architecture = model.architecture();
  EvaluationStream stream(model, texts);
  for (Index number = 0; number < architecture.blocks; ++number) {
    progress.step("evaluate", static_cast<int>(number), static_cast<int>(architecture.blocks),
                  fmt::format("block {}", number));
    const Block block = load_block(model.checkpoint(), architecture, number);
    release_block(model.checkpoint(), architecture, number);
    stream.states().advance(architecture, block, {});
  }
  progress.step("evaluate", static_cast<int>(architecture.blocks),
                static_cast<int>(architecture.blocks), "head");
  return stream.finish();
}

}  // namespace evenkeel
