// Text to token ids, as tokenizer.json (Hugging Face `tokenizers`) describes it.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "io/matrix.h"

namespace evenkeel {

/// Thread-safe after construction.
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
  /// One more than the largest id.
  TokenId vocabulary_size() const;
  /// True for added tokens that are marked special.
  bool is_special(TokenId id) const;

 private:
  struct Pipeline;
  std::unique_ptr<const Pipeline> pipeline_;
};

}  // namespace evenkeel
