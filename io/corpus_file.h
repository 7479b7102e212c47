// The files that a corpus may be: text, texts in JSON lines, or token ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/matrix.h"
#include "io/tokenizer.h"

namespace evenkeel {

/// Whether a file is of a kind that holds ids, for which no tokenizer is needed.
bool holds_token_ids(const std::filesystem::path& file);

/// The text of a file that holds no token ids, as it is tokenized: texts of one file joined.
/// Throws: InputError as `read_corpus` does.
std::string read_corpus_text(const std::filesystem::path& file);

/// At least the first `limit` ids of a text of `file`, if it has as many.
/// Throws: InputError as `read_corpus` does.
Tokens encode_corpus_text(const std::filesystem::path& file, std::string_view text,
                          std::size_t limit, const Tokenizer* tokenizer, TokenId vocabulary_size);

/// Rows of token ids: one row for a text, one for each sample of a file of ids.
/// At least the first `limit` ids where the file has as many; a text may stop there.
/// Throws: InputError as `read_corpus` does.
std::vector<Tokens> read_token_rows(const std::filesystem::path& file, std::size_t limit,
                                    const Tokenizer* tokenizer, TokenId vocabulary_size);

}  // namespace evenkeel
