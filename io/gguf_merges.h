// The merges of a SentencePiece BPE vocabulary, which stores only what each merge gives.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace evenkeel {

struct GgufMerge {
  std::string_view left;
  std::string_view right;
};

/// Longest token, in bytes, that is looked at: what a longer one is merged from is not found (it
/// would take time in the square of its length; SentencePiece's have 16 characters).
inline constexpr std::size_t longest_merged_token = 512;

/// Every way to part a token (UTF-8) into two tokens, in order of descending score of the whole,
/// and of equal ones longer left parts first, as the published converter of SentencePiece's models
/// to tokenizer.json has it. Views into `tokens`. REQUIRES: tokens are unique; as many scores,
/// finite.
std::vector<GgufMerge> gguf_merges(std::span<const std::string_view> tokens,
                                   std::span<const double> scores);

}  // namespace evenkeel
