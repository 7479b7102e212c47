// The samples that a job calibrates on.
#pragma once

#include <string_view>
#include <vector>

#include "calib/evaluation_texts.h"
#include "calib/job.h"
#include "io/encoding.h"
#include "model/language_model.h"

namespace evenkeel {

/// How the samples of a job are cut: as it says, else by whole texts for classifiers and
/// masked-language models, which are given one at a time, and by windows for language models.
/// Random text and token ids are always windows.
Cut cut_of(const CalibrationOptions& options, HeadKind head);

/// Windows of sequence_length ids without special tokens, or texts of at most that many ids with
/// them; `options.corpus.samples` of either.
/// Throws: InputError as read_corpus or read_labelled_texts, or when there are fewer texts.
std::vector<Encoding> read_calibration_samples(const LanguageModel& model,
                                               const ModelTokenizer& tokenizer,
                                               const CalibrationOptions& options);

}  // namespace evenkeel
