#include "calib/evaluation_texts.h"

#include <algorithm>

#include <fmt/format.h>

#include "calib/encoded_texts.h"
#include "calib/task_texts.h"
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

void check_head(const LanguageModel& model, const EvaluationOptions& options,
                const EvaluationPlaces& places) {
  const HeadKind asked = options.accuracy.empty() ? HeadKind::language : HeadKind::classification;
  const HeadKind head = model.architecture().head.kind;
  if (head == asked) return;
  const std::string folder = model.checkpoint().folder().string();
  const std::string& place = options.files().empty() ? places.tasks : places.texts;
  if (head == HeadKind::masked_language) {
    throw UsageError(fmt::format(
        "{}: {} predicts masked tokens, for which there is neither perplexity nor accuracy; "
        "evaluate a language model or a classifier",
        place, folder));
  }
  throw UsageError(head == HeadKind::classification
                       ? fmt::format("{}: {} is a classifier, which has no perplexity{}; give "
                                     "labelled texts (.tsv, .jsonl) under evaluate.accuracy",
                                     place, folder, options.tasks.empty() ? "" : " and no tasks")
                       : fmt::format("{}: {} is a language model, not a classifier; give texts "
                                     "under evaluate.perplexity",
                                     place, folder));
}

// A class is one label of a text, which the largest logit names, or one logit is a value.
void check_problem(const LanguageModel& model) {
  const JsonReader& config = model.checkpoint().config();
  constexpr const char* single = "single_label_classification";
  constexpr const char* regression = "regression";
  const Index labels = model.architecture().head.labels;
  const char* expected = labels == 1 ? regression : single;
  const std::string problem = config.text("problem_type", expected);
  if (problem == expected && labels > 0) return;
  throw InputError(fmt::format(
      "{}: 'problem_type' is {} with {} labels; accuracy needs {} with two or more, or {} with one",
      config.path().string(), in_quotes(problem), labels, single, regression));
}

std::vector<EvaluationText> read_labelled(const LanguageModel& model, const Tokenizer& tokenizer,
                                          const EvaluationOptions& options) {
  check_problem(model);
  const HeadModules& head = model.architecture().head;
  std::optional<LabelNames> names;
  if (head.labels > 1) names.emplace(model.checkpoint().config(), head.labels);
  std::vector<EvaluationText> all;
  for (const std::filesystem::path& file : options.accuracy) {
    const auto texts = names ? read_labelled_texts(file, &*names, options.examples)
                             : read_valued_texts(file, options.examples);
    EvaluationText& read = all.emplace_back();
    read.label = file.filename().string();
    read.windows = encode_texts(model, tokenizer, file, texts, options.length());
    for (const LabelledText& text : texts) {
      if (names) {
        read.classes.push_back(text.label);
      } else {
        read.values.push_back(text.value);
      }
    }
  }
  return all;
}

void check_names(const EvaluationOptions& options, const EvaluationPlaces& places) {
  std::vector<std::string> names;
  const auto add = [&](std::string name, const std::string& place, std::string_view what) {
    if (std::ranges::find(names, name) != names.end()) {
      throw UsageError(fmt::format(
          "{}: two {} named '{}', which names them in the results; rename one", place, what, name));
    }
    names.push_back(std::move(name));
  };
  for (const auto& file : options.files()) add(file.filename().string(), places.texts, "files are");
  for (const EvaluatedTask& task : options.tasks)
    add(task.label, places.tasks, "tasks or texts are");
}

}  // namespace

std::vector<EvaluationText> read_evaluation_texts(const LanguageModel& model,
                                                  const ModelTokenizer& tokenizer,
                                                  const EvaluationOptions& options,
                                                  const EvaluationPlaces& places) {
  if (options.empty()) return {};
  check_head(model, options, places);
  check_names(options, places);
  if (!options.accuracy.empty()) return read_labelled(model, tokenizer.get(), options);
  std::vector<EvaluationText> texts;
  if (!options.perplexity.empty() || options.sequence_length) {
    check_length(model, options.length(), places.sequence_length);
  }
  for (const std::filesystem::path& file : options.perplexity) {
    texts.push_back(read_evaluation_text(file, options.length(), options.windows,
                                         tokenizer.for_file(file),
                                         static_cast<TokenId>(model.architecture().vocabulary)));
  }
  for (const EvaluatedTask& task : options.tasks) {
    texts.push_back(encode_task(model, tokenizer.get(), task.task, task.label,
                                options.sequence_length, options.examples));
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
