#include "calib/calibration_samples.h"

#include <utility>

#include <fmt/format.h>

#include "calib/encoded_texts.h"
#include "io/bounded_random.h"
#include "io/corpus_file.h"
#include "io/errors.h"
#include "io/labelled_text.h"

namespace evenkeel {
namespace {

std::vector<LabelledText> texts_of(const CorpusOptions& corpus, std::optional<std::int64_t> limit) {
  if (corpus.task.empty()) return read_labelled_texts(corpus.file, nullptr, limit);
  std::vector<LabelledText> texts;
  for (std::string& context : task_contexts(corpus.task_file())) {
    if (limit && static_cast<std::int64_t>(texts.size()) == *limit) break;
    texts.push_back({.text = std::move(context), .pair = std::nullopt, .line = texts.size() + 1});
  }
  return texts;
}

std::vector<Encoding> whole_texts(const LanguageModel& model, const Tokenizer& tokenizer,
                                  const CorpusOptions& corpus) {
  const bool shuffled = corpus.order == CorpusOptions::Order::random;
  auto texts = texts_of(corpus, shuffled ? std::nullopt : std::optional(corpus.samples));
  const auto samples = static_cast<std::size_t>(corpus.samples);
  if (texts.size() < samples) {
    throw InputError(fmt::format("{}: {} texts are in it, {} are asked; lower samples",
                                 corpus.file.string(), texts.size(), samples));
  }
  if (shuffled) texts = drawn(std::move(texts), samples, corpus.seed);
  return encode_texts(model, tokenizer, corpus.file, texts, corpus.sequence_length);
}

}  // namespace

Cut cut_of(const CalibrationOptions& options, HeadKind head) {
  const CorpusOptions& corpus = options.corpus;
  if (corpus.random != CorpusOptions::Random::none || holds_token_ids(corpus.file)) {
    return Cut::windows;
  }
  return options.cut.value_or(head == HeadKind::language ? Cut::windows : Cut::texts);
}

std::vector<Encoding> read_calibration_samples(const LanguageModel& model,
                                               const ModelTokenizer& tokenizer,
                                               const CalibrationOptions& options) {
  const CorpusOptions& corpus = options.corpus;
  if (cut_of(options, model.architecture().head.kind) == Cut::texts) {
    return whole_texts(model, tokenizer.get(), corpus);
  }
  const bool drawn_at_random = corpus.random != CorpusOptions::Random::none;
  return without_types(
      read_corpus(corpus, drawn_at_random ? &tokenizer.get() : tokenizer.for_file(corpus.file),
                  static_cast<TokenId>(model.architecture().vocabulary)));
}

}  // namespace evenkeel
