// Where calibration and evaluation tokens come from: files of text or ids, or randomness.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/matrix.h"
#include "io/tasks/task_file.h"
#include "io/tokenizer.h"

namespace evenkeel {

/// Text becomes tokens as follows: a .txt file is one text; the texts of a .jsonl are joined by
/// one blank line ("\n\n"), as are those of a .tsv (io/labelled_text.h); the whole is tokenized
/// without special tokens and cut into windows of `sequence_length`; a last part that is shorter is
/// left out. Of a task's file the text is the contexts of its questions, joined likewise
/// (io/tasks/task_file.h). Token ids come from a .h5 (dataset "input_ids") or .safetensors (tensor
/// "input_ids", I32 or I64), [samples, length]: each row is cut into windows of its own.
struct CorpusOptions {
  enum class Random {
    none,
    ascii,       // characters uniform over the 32 ASCII punctuation characters and the six
                 // whitespace characters (Paglieri et al. 2024), tokenized
    vocabulary,  // ids uniform over the vocabulary, special tokens left out
  };
  enum class Order { first, random };

  std::filesystem::path file;      // empty when random is not none
  std::string task{};              // the kind of task whose file it is; empty: none
  std::filesystem::path labels{};  // of the task, where they are a file of their own
  Random random = Random::none;
  Order order = Order::first;
  std::int64_t samples = 128;          // windows wanted; at least 1
  std::int64_t sequence_length = 512;  // tokens of a window; at least 2
  std::uint64_t seed = 0;              // of random text and random order

  /// "text.txt", "hellaswag: hellaswag_val.jsonl", "random: ascii": for tables and messages.
  std::string label() const;
  /// REQUIRES: `task` not empty.
  TaskFile task_file() const { return {.kind = task, .file = file, .labels = labels}; }

  bool operator==(const CorpusOptions&) const = default;
};

/// Exactly `options.samples` windows of exactly `options.sequence_length` ids each.
/// The tokenizer may be absent where ids are read from a file.
/// Throws: InputError when the file is absent, of an unknown kind, empty, malformed (with line),
/// not UTF-8, holds an id outside [0, vocabulary_size), or has fewer windows than asked (says how
/// many there are and what to lower).
std::vector<Tokens> read_corpus(const CorpusOptions& options, const Tokenizer* tokenizer,
                                TokenId vocabulary_size);

/// Every window of a file, in order, at most `limit` of them (no limit when empty). Errors as
/// above; no window at all is one.
std::vector<Tokens> read_windows(const std::filesystem::path& file, std::int64_t sequence_length,
                                 std::optional<std::int64_t> limit, const Tokenizer* tokenizer,
                                 TokenId vocabulary_size);

}  // namespace evenkeel
