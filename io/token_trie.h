// Finding any of a set of strings in a text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/matrix.h"

namespace evenkeel {

/// A set of strings, each with an id. Thread-safe once filled.
class TokenTrie {
 public:
  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    TokenId id = 0;
  };

  /// REQUIRES: `token` not empty and not added before, `id` not negative.
  void add(std::string_view token, TokenId id);
  /// The leftmost occurrence that begins at or after `from`; of several there, the longest.
  std::optional<Match> find(std::string_view text, std::size_t from) const;
  /// All tokens that `text` has at `begin`, shortest first, in place of what `matches` held.
  void find_at(std::string_view text, std::size_t begin, std::vector<Match>& matches) const;

 private:
  static constexpr TokenId no_token = -1;
  std::optional<std::uint32_t> child(std::uint32_t node, char byte) const;

  std::vector<TokenId> tokens_ = {no_token};                   // of each node; node 0 is the root
  std::unordered_map<std::uint64_t, std::uint32_t> children_;  // by node and byte
  std::array<bool, 256> begins_{};                             // bytes that a token begins with
};

}  // namespace evenkeel
