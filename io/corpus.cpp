#include "io/corpus.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "io/bounded_random.h"
#include "io/corpus_file.h"
#include "io/errors.h"
#include "io/random_corpus.h"

namespace evenkeel {
namespace {

// The ids of all windows are held at once.
constexpr std::int64_t most_ids = std::numeric_limits<std::int32_t>::max();

std::vector<Tokens> cut(const std::vector<Tokens>& rows, std::size_t length, std::size_t limit) {
  std::vector<Tokens> windows;
  for (const Tokens& row : rows) {
    for (std::size_t begin = 0; row.size() - begin >= length; begin += length) {
      if (windows.size() == limit) return windows;
      const auto first = row.begin() + static_cast<std::ptrdiff_t>(begin);
      windows.emplace_back(first, first + static_cast<std::ptrdiff_t>(length));
    }
  }
  return windows;
}

std::vector<Tokens> random_windows(const CorpusOptions& options, const Tokenizer* tokenizer,
                                   TokenId vocabulary_size) {
  if (tokenizer == nullptr) {
    throw InputError(
        fmt::format("{} needs the tokenizer.json of the checkpoint; add it, or give "
                    "token ids (.h5, .safetensors)",
                    options.label()));
  }
  const auto length = static_cast<std::size_t>(options.sequence_length);
  const std::size_t count = static_cast<std::size_t>(options.samples) * length;
  const Tokens ids =
      options.random == CorpusOptions::Random::ascii
          ? random_ascii_tokens(count, options.seed, *tokenizer)
          : random_vocabulary_tokens(count, options.seed, *tokenizer, vocabulary_size);
  for (const TokenId id : ids) {
    if (id >= vocabulary_size) {
      throw InputError(
          fmt::format("{}: id {} is outside the model's vocabulary [0, {}); the "
                      "tokenizer is not this model's",
                      options.label(), id, vocabulary_size));
    }
  }
  return cut({ids}, length, static_cast<std::size_t>(options.samples));
}

// How many ids so many windows need; all where every window may be drawn.
std::size_t ids_of(std::size_t windows, std::size_t length) {
  return windows > SIZE_MAX / length ? SIZE_MAX : windows * length;
}

std::vector<Tokens> file_windows(const std::filesystem::path& file, std::int64_t sequence_length,
                                 std::size_t limit, const Tokenizer* tokenizer,
                                 TokenId vocabulary_size) {
  const auto length = static_cast<std::size_t>(sequence_length);
  return cut(read_token_rows(file, ids_of(limit, length), tokenizer, vocabulary_size), length,
             limit);
}

std::vector<Tokens> task_windows(const CorpusOptions& options, std::size_t limit,
                                 const Tokenizer* tokenizer, TokenId vocabulary_size) {
  const auto length = static_cast<std::size_t>(options.sequence_length);
  return cut({encode_corpus_text(options.file, task_text(options.task_file()),
                                 ids_of(limit, length), tokenizer, vocabulary_size)},
             length, limit);
}

}  // namespace

std::string CorpusOptions::label() const {
  switch (random) {
    case Random::ascii:
      return "random: ascii";
    case Random::vocabulary:
      return "random: vocabulary";
    case Random::none:
      break;
  }
  if (!task.empty()) return task_file().label();
  return file.filename().string();
}

std::vector<Tokens> read_corpus(const CorpusOptions& options, const Tokenizer* tokenizer,
                                TokenId vocabulary_size) {
  if (options.samples < 1 || options.sequence_length < 2 ||
      options.samples > most_ids / options.sequence_length) {
    throw InputError(fmt::format(
        "{}: {} samples of {} tokens are asked; at least one of two tokens, and less than 2^31 "
        "tokens in all, can be",
        options.label(), options.samples, options.sequence_length));
  }
  if (options.random != CorpusOptions::Random::none) {
    return random_windows(options, tokenizer, vocabulary_size);
  }
  const auto samples = static_cast<std::size_t>(options.samples);
  const bool shuffled = options.order == CorpusOptions::Order::random;
  const std::size_t limit = shuffled ? SIZE_MAX : samples;
  std::vector<Tokens> windows =
      options.task.empty()
          ? file_windows(options.file, options.sequence_length, limit, tokenizer, vocabulary_size)
          : task_windows(options, limit, tokenizer, vocabulary_size);
  if (windows.size() < samples) {
    throw InputError(fmt::format(
        "{}: {} windows of {} tokens are in it, {} are asked; lower samples or sequence_length",
        options.file.string(), windows.size(), options.sequence_length, samples));
  }
  return shuffled ? drawn(std::move(windows), samples, options.seed) : windows;
}

std::vector<Tokens> read_windows(const std::filesystem::path& file, std::int64_t sequence_length,
                                 std::optional<std::int64_t> limit, const Tokenizer* tokenizer,
                                 TokenId vocabulary_size) {
  if (sequence_length < 2 || (limit && *limit < 1)) {
    throw InputError(
        fmt::format("{}: {} windows of {} tokens are asked; at least one of two "
                    "tokens must be",
                    file.string(), limit.value_or(1), sequence_length));
  }
  std::vector<Tokens> windows =
      file_windows(file, sequence_length, limit ? static_cast<std::size_t>(*limit) : SIZE_MAX,
                   tokenizer, vocabulary_size);
  if (windows.empty()) {
    throw InputError(fmt::format("{}: fewer than {} tokens, so no window; lower sequence_length",
                                 file.string(), sequence_length));
  }
  return windows;
}

}  // namespace evenkeel
