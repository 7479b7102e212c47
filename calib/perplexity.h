// Perplexity of a text: exp of the mean negative log-likelihood of tokens 2 .. L of each window.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "calib/hidden_stream.h"
#include "calib/progress.h"
#include "model/language_model.h"

namespace evenkeel {

/// A text cut into windows, and the name it has in results.
struct EvaluationText {
  std::string label;
  std::vector<Tokens> windows;
};

struct TextPerplexity {
  std::string label;
  double value = 0.0;
};

/// The windows of several texts as one stream, so that each block is loaded once for all.
class EvaluationStream {
 public:
  EvaluationStream(const LanguageModel& model, const std::vector<EvaluationText>& texts);

  bool empty() const { return stream_.size() == 0; }
  HiddenStream& states() { return stream_; }

  /// Applies the final norm and the head. REQUIRES: the states have passed every block; call once.
  /// Throws: InputError when a perplexity is not a number.
  std::vector<TextPerplexity> finish();

 private:
  const LanguageModel& model_;
  const std::vector<EvaluationText>& texts_;
  HiddenStream stream_;
};

/// Perplexities of the model as it is stored: blocks loaded one at a time.
std::vector<TextPerplexity> full_precision_perplexity(const LanguageModel& model,
                                                      const std::vector<EvaluationText>& texts,
                                                      Progress& progress);

}  // namespace evenkeel
