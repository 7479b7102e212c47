#include "calib/job_inputs.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/errors.h"

namespace evenkeel {

bool holds_text(const std::filesystem::path& file) {
  return file.extension() != ".h5" && file.extension() != ".safetensors";
}

EvaluationText read_evaluation_text(const std::filesystem::path& file, std::int64_t length,
                                    std::optional<std::int64_t> limit, const Tokenizer* tokenizer,
                                    TokenId vocabulary_size) {
  return {file.filename().string(), read_windows(file, length, limit, tokenizer, vocabulary_size)};
}

JobInputs::JobInputs(const Job& job) : checkpoint_(job.model), model_(checkpoint_) {
  if (job.evaluate.perplexity.empty()) return;
  check_length(job, job.evaluate.sequence_length, "evaluate.sequence_length");
  for (const std::filesystem::path& file : job.evaluate.perplexity) {
    texts_.push_back(read_evaluation_text(file, job.evaluate.sequence_length, job.evaluate.windows,
                                          holds_text(file) ? &tokenizer() : nullptr,
                                          static_cast<TokenId>(model_.architecture().vocabulary)));
    const auto same = [&](const EvaluationText& text) { return text.label == texts_.back().label; };
    if (std::count_if(texts_.begin(), texts_.end(), same) > 1) {
      throw UsageError(
          fmt::format("{}: evaluate.perplexity: two files are named '{}', which names "
                      "them in the results; rename one",
                      job.file.string(), texts_.back().label));
    }
  }
}

const Tokenizer& JobInputs::tokenizer() const {
  if (!tokenizer_) {
    tokenizer_ = std::make_unique<const Tokenizer>(checkpoint_.folder() / "tokenizer.json");
    // The reverse is common: vocabularies are padded to a round size.
    if (tokenizer_->vocabulary_size() > model_.architecture().vocabulary) {
      throw InputError(fmt::format(
          "{}: the tokenizer gives ids up to {}, but config.json says "
          "'{}' is {}; they do not belong together",
          (checkpoint_.folder() / "tokenizer.json").string(), tokenizer_->vocabulary_size() - 1,
          model_.architecture().family->config_vocabulary, model_.architecture().vocabulary));
    }
  }
  return *tokenizer_;
}

void JobInputs::check_length(const Job& job, std::int64_t length, std::string_view key) const {
  if (length > model_.architecture().positions) {
    throw UsageError(fmt::format("{}: {}: {} is longer than the model's {} positions; lower it",
                                 job.file.string(), key, length, model_.architecture().positions));
  }
}

std::vector<Tokens> JobInputs::samples(const Job& job) const {
  const CorpusOptions& corpus = job.calibration.corpus;
  check_length(job, corpus.sequence_length, "calibration.sequence_length");
  std::uint64_t windows = 0;
  for (const EvaluationText& text : texts_) windows += text.windows.size();
  const std::uint64_t needed =
      hidden_state_bytes(model_.architecture(), static_cast<std::uint64_t>(corpus.samples),
                         static_cast<std::uint64_t>(corpus.sequence_length)) +
      hidden_state_bytes(model_.architecture(), windows,
                         static_cast<std::uint64_t>(job.evaluate.sequence_length));
  if (needed > job.memory_limit) {
    throw UsageError(fmt::format(
        "{}: memory_limit: {} samples of {} tokens and {} evaluation windows need {} MiB of "
        "hidden states, the limit is {} MiB; raise it or lower calibration.samples or "
        "evaluate.windows",
        job.file.string(), corpus.samples, corpus.sequence_length, windows, (needed >> 20U) + 1,
        job.memory_limit >> 20U));
  }
  const bool text = corpus.random == CorpusOptions::Random::ascii ||
                    (corpus.random == CorpusOptions::Random::none && holds_text(corpus.file));
  const bool vocabulary = corpus.random == CorpusOptions::Random::vocabulary;
  return read_corpus(corpus, text || vocabulary ? &tokenizer() : nullptr,
                     static_cast<TokenId>(model_.architecture().vocabulary));
}

}  // namespace evenkeel
