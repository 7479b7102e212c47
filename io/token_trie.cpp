#include "io/token_trie.h"

namespace evenkeel {
namespace {

std::uint64_t edge_of(std::uint32_t node, char byte) {
  return (std::uint64_t{node} << 8U) | static_cast<std::uint8_t>(byte);
}

}  // namespace

void TokenTrie::add(std::string_view token, TokenId id) {
  begins_.at(static_cast<std::uint8_t>(token.front())) = true;
  std::uint32_t node = 0;
  for (const char byte : token) {
    const auto next = static_cast<std::uint32_t>(tokens_.size());
    const auto [edge, is_new] = children_.emplace(edge_of(node, byte), next);
    if (is_new) tokens_.push_back(no_token);
    node = edge->second;
  }
  tokens_[node] = id;
}

std::optional<std::uint32_t> TokenTrie::child(std::uint32_t node, char byte) const {
  const auto edge = children_.find(edge_of(node, byte));
  if (edge == children_.end()) return std::nullopt;
  return edge->second;
}

std::optional<TokenTrie::Match> TokenTrie::find(std::string_view text, std::size_t from) const {
  if (children_.empty()) return std::nullopt;
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    if (!begins_[static_cast<std::uint8_t>(text[begin])]) continue;
    std::optional<Match> longest;
    std::optional<std::uint32_t> node = 0;
    for (std::size_t end = begin; end < text.size(); ++end) {
      node = child(*node, text[end]);
      if (!node) break;
      if (tokens_[*node] != no_token) longest = Match{begin, end + 1, tokens_[*node]};
    }
    if (longest) return longest;
  }
  return std::nullopt;
}

void TokenTrie::find_at(std::string_view text, std::size_t begin,
                        std::vector<Match>& matches) const {
  matches.clear();
  std::optional<std::uint32_t> node = 0;
  for (std::size_t end = begin; end < text.size(); ++end) {
    node = child(*node, text[end]);
    if (!node) return;
    if (tokens_[*node] != no_token) matches.push_back({begin, end + 1, tokens_[*node]});
  }
}

}  // namespace evenkeel
