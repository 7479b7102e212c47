// Finding any of a set of strings in a text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
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
  /// The longest token that is `prefix` and one byte or more that `text` has at `begin`; the match
  /// is of the latter.
  std::optional<Match> longest_at(std::string_view text, std::size_t begin,
                                  std::string_view prefix = {}) const;

 private:
  using Node = std::uint32_t;
  static constexpr TokenId no_token = -1;
  static constexpr Node root = 0;  // which is nobody's child, so that it also means none

  // An edge, in an open-addressing hash table: a walk is a look-up for each byte of a text.
  struct Edge {
    std::uint64_t place = 0;  // the node that it leaves and the byte
    Node child = root;        // root marks a free slot
  };
  std::size_t slot_of(std::uint64_t place) const;
  Node child(Node node, char byte) const;
  Node add_child(Node node, char byte);

  std::vector<TokenId> tokens_ = {no_token};  // of each node
  std::vector<Edge> edges_;                   // a power of two of them, at most half taken
  std::array<bool, 256> begins_{};            // bytes that a token begins with
};

}  // namespace evenkeel
