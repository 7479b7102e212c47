#include "calib/job_inputs.h"

#include <fmt/format.h>

#include "calib/byte_size.h"
#include "calib/hidden_stream.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

std::string place(const Job& job, std::string_view key) {
  return fmt::format("{}: {}", job.file.string(), key);
}

}  // namespace

JobInputs::JobInputs(const Job& job)
    : checkpoint_(job.model),
      model_(checkpoint_),
      tokenizer_(model_),
      texts_(read_evaluation_texts(
          model_, tokenizer_, job.evaluate,
          {place(job, "evaluate.perplexity"), place(job, "evaluate.sequence_length")})) {}

void JobInputs::check_memory(const Job& job) const {
  const CorpusOptions& corpus = job.calibration.corpus;
  std::uint64_t windows = 0;
  for (const EvaluationText& text : texts_) windows += text.windows.size();
  const std::uint64_t needed =
      hidden_state_bytes(model_.architecture(), static_cast<std::uint64_t>(corpus.samples),
                         static_cast<std::uint64_t>(corpus.sequence_length)) +
      hidden_state_bytes(model_.architecture(), windows,
                         static_cast<std::uint64_t>(job.evaluate.sequence_length));
  if (needed <= job.memory_limit) return;
  throw UsageError(fmt::format(
      "{}: {} samples of {} tokens and {} evaluation windows need {} of hidden states, the limit "
      "is {}; raise it or lower calibration.samples or evaluate.windows",
      place(job, "memory_limit"), corpus.samples, corpus.sequence_length, windows,
      byte_size_text(needed), byte_size_text(job.memory_limit)));
}

std::vector<Tokens> JobInputs::samples(const Job& job) const {
  const CorpusOptions& corpus = job.calibration.corpus;
  check_length(model_, corpus.sequence_length, place(job, "calibration.sequence_length"));
  check_memory(job);
  return read_corpus(corpus,
                     corpus.random == CorpusOptions::Random::none ? tokenizer_.for_file(corpus.file)
                                                                  : &tokenizer_.get(),
                     static_cast<TokenId>(model_.architecture().vocabulary));
}

}  // namespace evenkeel
