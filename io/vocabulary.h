// Tokens by text and how many there are: what a tokenizer's model and its added tokens share.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "io/matrix.h"

namespace evenkeel {

/// A map of token text to id, one to one. Thread-safe once filled.
class Vocabulary {
 public:
  /// Throws: InputError "WHERE: id 7 is given to 'a' and again to 'b'" when `id` is taken, and
  /// likewise when `token` has another id.
  void add(std::string_view token, TokenId id, std::string_view where);

  std::optional<TokenId> find(std::string_view token) const;
  std::size_t tokens() const { return ids_.size(); }
  /// One more than the largest id; 0 when empty.
  TokenId size() const { return size_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids_;
  std::unordered_set<TokenId> taken_;
  TokenId size_ = 0;
};

}  // namespace evenkeel
