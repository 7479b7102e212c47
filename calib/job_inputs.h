// What a job reads before any work: the model, the calibration windows, the evaluation texts.
#pragma once

#include <memory>
#include <vector>

#include "calib/job.h"
#include "calib/perplexity.h"
#include "io/checkpoint.h"
#include "io/tokenizer.h"
#include "model/language_model.h"

namespace evenkeel {

/// Reads each thing once and keeps it; a comparison asks for the windows of several corpora.
class JobInputs {
 public:
  /// Opens the model; reads the texts of `job.evaluate`.
  /// Throws: InputError when the model, the tokenizer or a text is wrong, or an evaluation window
  /// is longer than the model's positions.
  explicit JobInputs(const Job& job);
  JobInputs(const JobInputs&) = delete;  // the model refers to the checkpoint
  JobInputs& operator=(const JobInputs&) = delete;

  const LanguageModel& model() const { return model_; }
  const std::vector<EvaluationText>& texts() const { return texts_; }

  /// Calibration windows. Throws: InputError as read_corpus, and when windows are longer than the
  /// model's positions; UsageError when the hidden states would not fit `memory_limit`.
  std::vector<Tokens> samples(const Job& job) const;

 private:
  void check_length(const Job& job, std::int64_t length, std::string_view key) const;
  const Tokenizer& tokenizer() const;

  Checkpoint checkpoint_;
  LanguageModel model_;
  mutable std::unique_ptr<const Tokenizer> tokenizer_;  // read when text is first met
  std::vector<EvaluationText> texts_;
};

/// Reads one text for evaluation under its file's name.
EvaluationText read_evaluation_text(const std::filesystem::path& file, std::int64_t length,
                                    std::optional<std::int64_t> limit, const Tokenizer* tokenizer,
                                    TokenId vocabulary_size);

/// Whether a corpus file holds text, so that a tokenizer is needed.
bool holds_text(const std::filesystem::path& file);

}  // namespace evenkeel
