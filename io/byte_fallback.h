// Spelling what a vocabulary lacks by its bytes, "<0x0A>", as SentencePiece does.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "io/vocabulary.h"

namespace evenkeel {

/// Thread-safe after construction.
class ByteFallback {
 public:
  explicit ByteFallback(const Vocabulary& vocabulary);

  /// Appends the ids of the bytes of `text`; false, appending nothing, when the vocabulary lacks
  /// one of them.
  bool append_ids(std::string_view text, Tokens& ids) const;

 private:
  std::array<std::optional<TokenId>, 256> ids_;
};

}  // namespace evenkeel
