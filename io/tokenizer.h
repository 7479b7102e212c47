// Text to token ids, as tokenizer.json (Hugging Face `tokenizers`) describes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include <nlohmann/json.hpp>

#include "io/encoding.h"
#include "io/matrix.h"

namespace evenkeel {

/// Normalizers, pre-tokenizers, models and post-processors are found by type in the tables of
/// io/normalizer.cpp, pretokenizer.cpp, token_model.cpp and post_processor.cpp. The file's
/// truncation and padding are left to the caller. Thread-safe after construction.
class Tokenizer {
 public:
  /// Throws: InputError when the file is absent or malformed, or names a component that is not
  /// supported (the message names the component and those that are).
  explicit Tokenizer(const std::filesystem::path& tokenizer_json);
  /// Of the document of a tokenizer.json that was not read from one; `path` is named in messages.
  Tokenizer(nlohmann::ordered_json document, const std::filesystem::path& path);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Ids of `text` (UTF-8; invalid bytes are an InputError with the offset). With
  /// `special_tokens`, those that the post-processor adds.
  Tokens encode(std::string_view text, bool special_tokens = false) const;
  /// The first `limit` ids of `encode(text)`, without the time for the others. The whole text is
  /// checked all the same.
  Tokens encode_first(std::string_view text, std::size_t limit) const;
  /// `text` with special tokens, at most `max_length` ids: its last ids go.
  /// Throws: InputError also when the special tokens alone are more.
  Encoding encode_single(std::string_view text, std::size_t max_length = SIZE_MAX) const;
  /// Two texts with special tokens, as for classifiers of sentence pairs; at most `max_length` ids,
  /// for which the longer text loses its last ones (io/encoding.h).
  /// Throws: InputError also when the post-processor has no template for pairs.
  Encoding encode_pair(std::string_view first, std::string_view second,
                       std::size_t max_length = SIZE_MAX) const;
  /// One more than the largest id.
  TokenId vocabulary_size() const;
  /// True for added tokens that are marked special.
  bool is_special(TokenId id) const;

 private:
  struct Pipeline;
  std::unique_ptr<const Pipeline> pipeline_;
};

}  // namespace evenkeel
