#include "calib/evaluation_stream.h"

#include <span>

#include <fmt/format.h>

#include "calib/accuracy.h"
#include "calib/perplexity.h"
#include "calib/task_score.h"
#include "calib/window_scores.h"
#include "model/block.h"

namespace evenkeel {
namespace {

std::vector<Encoding> all_windows(const std::vector<EvaluationText>& texts) {
  std::vector<Encoding> windows;
  for (const EvaluationText& text : texts) {
    windows.insert(windows.end(), text.windows.begin(), text.windows.end());
  }
  return windows;
}

}  // namespace

EvaluationStream::EvaluationStream(const LanguageModel& model,
                                   const std::vector<EvaluationText>& texts, HiddenMemory* memory)
    : model_(model), texts_(texts), stream_(model, all_windows(texts), memory) {}

std::vector<TextScore> EvaluationStream::finish() {
  if (model_.architecture().head.kind == HeadKind::classification) {
    return accuracy_of(model_, texts_, stream_);
  }
  const std::vector<WindowScore> windows = window_scores(model_, texts_, stream_);
  std::vector<TextScore> scores;
  auto rest = std::span(windows);
  for (const EvaluationText& text : texts_) {
    const auto own = rest.first(text.windows.size());
    scores.push_back(text.task ? task_score(text, own) : perplexity_of(text, own));
    rest = rest.subspan(own.size());
  }
  return scores;
}

std::vector<TextScore> full_precision_scores(const LanguageModel& model,
                                             const std::vector<EvaluationText>& texts,
                                             Progress& progress, HiddenMemory* memory) {
  if (texts.empty()) return {};
  const Architecture& architecture = model.architecture();
  EvaluationStream stream(model, texts, memory);
  for (Index number = 0; number < architecture.blocks; ++number) {
    progress.step("evaluate", static_cast<int>(number), static_cast<int>(architecture.blocks),
                  fmt::format("block {}", number));
    stream.states().advance(architecture, model.load_block(number), {});
  }
  progress.step("evaluate", static_cast<int>(architecture.blocks),
                static_cast<int>(architecture.blocks), "head");
  return stream.finish();
}

}  // namespace evenkeel
