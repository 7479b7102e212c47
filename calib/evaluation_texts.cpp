#include "calib/evaluation_texts.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/errors.h"

namespace evenkeel {

const Tokenizer& ModelTokenizer::get() const {
  if (tokenizer_) return *tokenizer_;
  const Architecture& architecture = model_.architecture();
  const Checkpoint& checkpoint = model_.checkpoint();
  auto tokenizer = std::make_unique<const Tokenizer>(checkpoint.store().tokenizer());
  // The reverse is common: vocabularies are padded to a round size.
  if (tokenizer->vocabulary_size() > architecture.vocabulary) {
    throw InputError(fmt::format(
        "{}: the tokenizer gives ids up to {}, but config.json says '{}' is {}; they do not belong "
        "together",
        checkpoint.folder().string(), tokenizer->vocabulary_size() - 1,
        architecture.family->config_vocabulary, architecture.vocabulary));
  }
  tokenizer_ = std::move(tokenizer);
  return *tokenizer_;
}

const Tokenizer* ModelTokenizer::for_file(const std::filesystem::path& file) const {
  const bool holds_ids = file.extension() == ".h5" || file.extension() == ".safetensors";
  return holds_ids ? nullptr : &get();
}

EvaluationText read_evaluation_text(const std::filesystem::path& file, std::int64_t length,
                                    std::optional<std::int64_t> limit, const Tokenizer* tokenizer,
                                    TokenId vocabulary_size) {
  return {file.filename().string(), read_windows(file, length, limit, tokenizer, vocabulary_size)};
}

std::vector<EvaluationText> read_evaluation_texts(const LanguageModel& model,
                                                  const ModelTokenizer& tokenizer,
                                                  const EvaluationOptions& options,
                                                  const EvaluationPlaces& places) {
  if (options.perplexity.empty()) return {};
  check_length(model, options.sequence_length, places.sequence_length);
  std::vector<EvaluationText> texts;
  for (const std::filesystem::path& file : options.perplexity) {
    const std::string label = file.filename().string();
    if (std::any_of(texts.begin(), texts.end(),
                    [&](const EvaluationText& text) { return text.label == label; })) {
      throw UsageError(
          fmt::format("{}: two files are named '{}', which names them in the results; rename one",
                      places.texts, label));
    }
    texts.push_back(read_evaluation_text(file, options.sequence_length, options.windows,
                                         tokenizer.for_file(file),
                                         static_cast<TokenId>(model.architecture().vocabulary)));
  }
  return texts;
}

void check_length(const LanguageModel& model, std::int64_t length, std::string_view place) {
  if (length <= model.architecture().positions) return;
  throw UsageError(fmt::format("{}: {} is longer than the model's {} positions; lower it", place,
                               length, model.architecture().positions));
}

}  // namespace evenkeel
