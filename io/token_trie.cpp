#include "io/token_trie.h"

namespace evenkeel {
namespace {

constexpr std::size_t fewest_slots = 16;

std::uint64_t place_of(std::uint32_t node, char byte) {
  return (std::uint64_t{node} << 8U) | static_cast<std::uint8_t>(byte);
}

}  // namespace

std::size_t TokenTrie::slot_of(std::uint64_t place) const {
  // Fibonacci hashing; the upper half of the product depends on all of the place's bits.
  const std::uint64_t hash = (place ^ (place >> 29U)) * 0x9E3779B97F4A7C15U;
  std::size_t slot = static_cast<std::size_t>(hash >> 32U) & (edges_.size() - 1);
  while (edges_[slot].child != root && edges_[slot].place != place) {
    slot = (slot + 1) & (edges_.size() - 1);
  }
  return slot;
}

TokenTrie::Node TokenTrie::child(Node node, char byte) const {
  return edges_.empty() ? root : edges_[slot_of(place_of(node, byte))].child;
}

TokenTrie::Node TokenTrie::add_child(Node node, char byte) {
  if (2 * (tokens_.size() + 1) > edges_.size()) {
    std::vector<Edge> old(edges_.empty() ? fewest_slots : 2 * edges_.size());
    old.swap(edges_);
    for (const Edge& edge : old) {
      if (edge.child != root) edges_[slot_of(edge.place)] = edge;
    }
  }
  Edge& edge = edges_[slot_of(place_of(node, byte))];
  if (edge.child == root) {
    edge = {place_of(node, byte), static_cast<Node>(tokens_.size())};
    tokens_.push_back(no_token);
  }
  return edge.child;
}

void TokenTrie::add(std::string_view token, TokenId id) {
  begins_.at(static_cast<std::uint8_t>(token.front())) = true;
  Node node = root;
  for (const char byte : token) node = add_child(node, byte);
  tokens_[node] = id;
}

std::optional<TokenTrie::Match> TokenTrie::find(std::string_view text, std::size_t from) const {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    if (!begins_[static_cast<std::uint8_t>(text[begin])]) continue;
    if (const std::optional<Match> longest = longest_at(text, begin)) return longest;
  }
  return std::nullopt;
}

std::optional<TokenTrie::Match> TokenTrie::longest_at(std::string_view text, std::size_t begin,
                                                      std::string_view prefix) const {
  Node node = root;
  for (const char byte : prefix) {
    node = child(node, byte);
    if (node == root) return std::nullopt;
  }
  std::optional<Match> longest;
  for (std::size_t end = begin; end < text.size(); ++end) {
    node = child(node, text[end]);
    if (node == root) break;
    if (tokens_[node] != no_token) longest = Match{begin, end + 1, tokens_[node]};
  }
  return longest;
}

void TokenTrie::find_at(std::string_view text, std::size_t begin,
                        std::vector<Match>& matches) const {
  matches.clear();
  Node node = root;
  for (std::size_t end = begin; end < text.size(); ++end) {
    node = child(node, text[end]);
    if (node == root) return;
    if (tokens_[node] != no_token) matches.push_back({begin, end + 1, tokens_[node]});
  }
}

}  // namespace evenkeel
