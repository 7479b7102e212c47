// Remembers what words became, as language repeats its words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "io/matrix.h"

namespace evenkeel {

/// Words of one call of `encode` and where their ids stand in its result: a word's ids are copied
/// from there when it comes again. One slot for each hash value, the newest word keeping it, so
/// memory is bounded (1 MiB) and nothing is ever searched. Not thread-safe.
class WordCache {
 public:
  /// `text_size`: bytes of the text to come; a small text gets a small cache.
  explicit WordCache(std::size_t text_size);

  /// Appends the ids of `word` if they are known.
  bool append_known(std::string_view word, Tokens& ids) const;
  /// The ids from `first` on are those of `word`.
  void remember(std::string_view word, std::size_t first, const Tokens& ids);

 private:
  // A cache line. Longer words are rare, and rarely come again.
  struct Slot {
    std::array<char, 48> word{};
    std::size_t first = 0;
    std::uint32_t ids = 0;
    std::uint32_t size = 0;  // of the word; 0 marks a free slot
  };
  std::size_t slot_of(std::string_view word) const;

  std::vector<Slot> slots_;  // a power of two
};

}  // namespace evenkeel
