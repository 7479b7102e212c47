#include "io/gguf_merges.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <tuple>
#include <unordered_map>

namespace evenkeel {
namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::size_t characters(std::string_view text) {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_character));
}

struct Candidate {
  double score;
  std::size_t left_length;  // in characters
  std::size_t right_length;
  std::size_t left;  // ids
  std::size_t right;
};

}  // namespace

std::vector<GgufMerge> gguf_merges(std::span<const std::string_view> tokens,
                                   std::span<const double> scores) {
  assert(tokens.size() == scores.size());
  std::unordered_map<std::string_view, std::size_t> ids;
  ids.reserve(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) ids.emplace(tokens[i], i);

  std::vector<Candidate> candidates;
  for (std::size_t whole = 0; whole < tokens.size(); ++whole) {
    const std::string_view token = tokens[whole];
    if (token.size() > longest_merged_token) continue;
    const std::size_t first = candidates.size();
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      if (continues_character(token[cut])) continue;
      const auto left = ids.find(token.substr(0, cut));
      if (left == ids.end()) continue;
      const auto right = ids.find(token.substr(cut));
      if (right == ids.end()) continue;
      candidates.push_back({scores[whole], characters(left->first), characters(right->first),
                            left->second, right->second});
    }
    std::ranges::sort(candidates.begin() + static_cast<std::ptrdiff_t>(first), candidates.end(), {},
                      [](const Candidate& c) { return std::pair(c.left, c.right); });
  }
  std::ranges::stable_sort(candidates, std::ranges::greater(), [](const Candidate& candidate) {
    return std::tuple(candidate.score, candidate.left_length, candidate.right_length);
  });
  std::vector<GgufMerge> merges;
  merges.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    merges.push_back({tokens[candidate.left], tokens[candidate.right]});
  }
  return merges;
}

}  // namespace evenkeel
