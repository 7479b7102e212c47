// A task's questions become windows of tokens, as lm-evaluation-harness 0.4 encodes them
// (lm_eval/api/model.py, TemplateLM; lm_eval/models/huggingface.py, HFLM._loglikelihood_tokens).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "calib/text_score.h"
#include "io/tasks/task_file.h"
#include "io/tokenizer.h"
#include "model/language_model.h"

namespace evenkeel {

/// The windows of a task, each the ids of a context and its continuation less the last one.
/// - White space at a context's end moves to its continuation; the whole is encoded without special
///   tokens, and the continuation's ids are those behind as many as the context alone has.
/// - An empty context is one token: config.json's bos_token_id, else its eos_token_id (of a list
///   the first), as the harness takes the tokenizer's. One of white space alone counts as empty;
///   the harness refuses it.
/// - Of more than `length` ids (no limit when empty) the first go.
/// Examples are encoded in parallel.
/// Throws: InputError as read_task; with file and line when a continuation has no token or more
/// than fit, or there is neither bos_token_id nor eos_token_id where one is needed.
EvaluationText encode_task(const LanguageModel& model, const Tokenizer& tokenizer,
                           const TaskFile& task, const std::string& label,
                           std::optional<std::int64_t> length,
                           std::optional<std::int64_t> examples);

}  // namespace evenkeel
