// Text to token ids, as tokenizer.json (Hugging Face `tokenizers`) describes it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string_view>

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
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Ids of `text` (UTF-8; invalid bytes are an InputError with the offset). With
  /// `special_tokens`, those that the post-processor adds.
  Tokens encode(std::string_view text, bool special_tokens = false) const;
  /// The first `limit` ids of `encode(text)`, without the time for the others. The whole text is
  /// checked all the same.
  Tokens encode_first(std::string_view text, std::size_t limit) const;
  /// One more than the largest id.
  TokenId vocabulary_size() const;
  /// True for added tokens that are marked special.
  bool is_special(TokenId id) const;

 private:
  struct Pipeline;
  std::unique_ptr<const Pipeline> pipeline_;
};

}  // namespace evenkeel
