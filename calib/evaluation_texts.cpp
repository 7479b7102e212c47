#include "calib/evaluation_texts.h"

#include <algorithm>

#include <fmt/format.h>

#include "calib/encoded_texts.h"
#include "io/corpus.h"
#include "io/corpus_file.h"
#include "io/errors.h"
#include "io/label_names.h"
#include "io/labelled_text.h"
#include "io/one_line.h"

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
        checkpoint.folder().string(), tokenizer->vocabulary_size() - 1, architecture.vocabulary_key,
        architecture.vocabulary));
  }
  tokenizer_ = std::move(tokenizer);
  return *tokenizer_;
}

const Tokenizer* ModelTokenizer::for_file(const std::filesystem::path& file) const {
  return holds_token_ids(file) ? nullptr : &get();
}

EvaluationText read_evaluation_text(const std::filesystem::path& file, std::int64_t length,
                                    std::optional<std::int64_t> limit, const Tokenizer* tokenizer,
                                    TokenId vocabulary_size) {
  return {file.filename().string(),
          without_types(read_windows(file, length, limit, tokenizer, vocabulary_size))};
}

namespace {

void check_metric(const LanguageModel& model, Metric asked, const EvaluationPlaces& places) {
  const auto metric = metric_of(model.architecture().head.kind);
  if (metric == asked) return;
  const std::string folder = model.checkpoint().folder().string();
  if (!metric) {
    throw UsageError(fmt::format(
        "{}: {} predicts masked tokens, for which there is neither perplexity nor accuracy; "
        "evaluate a language model or a classifier",
        places.texts, folder));
  }
  throw UsageError(*metric == Metric::accuracy
                       ? fmt::format("{}: {} is a classifier, which has no perplexity; give "
                                     "labelled texts (.tsv, .jsonl) under evaluate.accuracy",
                                     places.texts, folder)
                       : fmt::format("{}: {} is a language model, not a classifier; give texts "
                                     "under evaluate.perplexity",
                                     places.texts, folder));
}

// Where a class is one label of a text and the largest logit names it.
LabelNames label_names(const LanguageModel& model) {
  const JsonReader& config = model.checkpoint().config();
  constexpr const char* single = "single_label_classification";
  const std::string problem = config.text("problem_type", single);
  if (problem != single || model.architecture().head.labels < 2) {
    throw InputError(fmt::format(
        "{}: 'problem_type' is {} with {} labels; accuracy needs {} with two or more",
        config.path().string(), in_quotes(problem), model.architecture().head.labels, single));
  }
  return {config, model.architecture().head.labels};
}

EvaluationText read_labelled_text(const LanguageModel& model, const Tokenizer& tokenizer,
                                  const LabelNames& labels, const std::filesystem::path& file,
                                  const EvaluationOptions& options) {
  const auto texts = read_labelled_texts(file, &labels, options.examples);
  EvaluationText result{file.filename().string(),
                        encode_texts(model, tokenizer, file, texts, options.length())};
  for (const LabelledText& text : texts) result.classes.push_back(text.label);
  return result;
}

void check_names(const std::vector<std::filesystem::path>& files, const EvaluationPlaces& places) {
  for (auto file = files.begin(); file != files.end(); ++file) {
    const auto name = file->filename();
    if (std::none_of(files.begin(), file,
                     [&](const auto& earlier) { return earlier.filename() == name; })) {
      continue;
    }
    throw UsageError(
        fmt::format("{}: two files are named '{}', which names them in the results; rename one",
                    places.texts, name.string()));
  }
}

}  // namespace

std::vector<EvaluationText> read_evaluation_texts(const LanguageModel& model,
                                                  const ModelTokenizer& tokenizer,
                                                  const EvaluationOptions& options,
                                                  const EvaluationPlaces& places) {
  if (options.files().empty()) return {};
  check_metric(model, options.metric(), places);
  check_names(options.files(), places);
  std::vector<EvaluationText> texts;
  if (options.metric() == Metric::accuracy) {
    const LabelNames labels = label_names(model);
    for (const std::filesystem::path& file : options.accuracy) {
      texts.push_back(read_labelled_text(model, tokenizer.get(), labels, file, options));
    }
    return texts;
  }
  check_length(model, options.length(), places.sequence_length);
  for (const std::filesystem::path& file : options.perplexity) {
    texts.push_back(read_evaluation_text(file, options.length(), options.windows,
                                         tokenizer.for_file(file),
                                         static_cast<TokenId>(model.architecture().vocabulary)));
  }
  return texts;
}

void check_length(const LanguageModel& model, std::int64_t length, std::string_view place) {
  const Index positions = model.architecture().positions;  // 0: no limit
  if (positions == 0 || length <= positions) return;
  throw UsageError(fmt::format("{}: {} is longer than the model's {} positions; lower it", place,
                               length, positions));
}

}  // namespace evenkeel
