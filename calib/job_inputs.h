// What a job reads before any work: the model, the calibration samples, the evaluation texts.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "calib/block_calibrator.h"
#include "calib/evaluation_texts.h"
#include "calib/job.h"
#include "calib/text_score.h"
#include "io/checkpoint.h"
#include "io/encoding.h"
#include "model/language_model.h"

namespace evenkeel {

/// What `what` ("a comparison") cannot do without. Throws: UsageError when the job evaluates no
/// text.
void require_texts(const Job& job, std::string_view what);

/// How every block of the job is calibrated, for `keep` as there.
BlockOptions block_options(const Job& job, bool keep);

/// Reads each thing once and keeps it; a comparison asks for the windows of several corpora.
class JobInputs {
 public:
  /// Opens the model; reads the texts of `job.evaluate`.
  /// Throws: InputError when the model, the tokenizer or a text is wrong; UsageError as
  /// read_evaluation_texts.
  explicit JobInputs(const Job& job);
  JobInputs(const JobInputs&) = delete;  // the model refers to the checkpoint
  JobInputs& operator=(const JobInputs&) = delete;

  const LanguageModel& model() const { return model_; }
  const std::vector<EvaluationText>& texts() const { return texts_; }

  /// Whether the model can have the job's transform and scheme.
  /// Throws: InputError as sites_of; UsageError when a pattern of the scheme names nothing in the
  /// model, or a node cannot have what it is given.
  void check_choices(const Job& job) const;

  /// Calibration windows or texts. Throws: InputError as read_calibration_samples; UsageError when
  /// windows are longer than the model's positions.
  std::vector<Encoding> samples(const Job& job) const;

 private:
  Checkpoint checkpoint_;
  LanguageModel model_;
  ModelTokenizer tokenizer_;
  std::vector<EvaluationText> texts_;
};

}  // namespace evenkeel
