// Files become what a model is evaluated on, for jobs and for `evaluate`: of a language model
// windows of text or token ids, and the questions of tasks; of a classifier labelled texts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calib/job.h"
#include "calib/text_score.h"
#include "io/tokenizer.h"
#include "model/language_model.h"

namespace evenkeel {

/// A model's tokenizer, read when text is first met: token ids need none. Not thread-safe.
class ModelTokenizer {
 public:
  explicit ModelTokenizer(const LanguageModel& model) : model_(model) {}

  /// Throws: InputError when tokenizer.json is absent or wrong, or gives ids that the model has no
  /// embedding for.
  const Tokenizer& get() const;
  /// The tokenizer when a corpus file holds text, else nullptr.
  const Tokenizer* for_file(const std::filesystem::path& file) const;

 private:
  const LanguageModel& model_;
  mutable std::unique_ptr<const Tokenizer> tokenizer_;
};

/// Where a person said what to evaluate, for messages.
struct EvaluationPlaces {
  std::string texts;            // "job.yaml: evaluate.accuracy", "--text"
  std::string tasks;            // "job.yaml: evaluate.tasks", "--task"
  std::string sequence_length;  // "job.yaml: evaluate.sequence_length", "--sequence-length"
};

/// The windows of every text of `options`, or its labelled texts, each file under its name; then
/// those of its tasks, each under its label.
/// Throws: InputError as read_windows, read_labelled_texts, LabelNames, encode_task; UsageError
/// when the metric is not that of the model's head, windows are longer than the model's positions,
/// or two have one name.
std::vector<EvaluationText> read_evaluation_texts(const LanguageModel& model,
                                                  const ModelTokenizer& tokenizer,
                                                  const EvaluationOptions& options,
                                                  const EvaluationPlaces& places);

/// Reads one text for evaluation under its file's name.
EvaluationText read_evaluation_text(const std::filesystem::path& file, std::int64_t length,
                                    std::optional<std::int64_t> limit, const Tokenizer* tokenizer,
                                    TokenId vocabulary_size);

/// Throws: UsageError, which begins with `place`, when windows of `length` tokens are longer than
/// the model's positions.
void check_length(const LanguageModel& model, std::int64_t length, std::string_view place);

}  // namespace evenkeel
