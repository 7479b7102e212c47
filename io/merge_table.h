// The merges of byte-pair encoding, and applying them to a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/matrix.h"

namespace evenkeel {

/// What a pair of neighbouring symbols merges into. Lower ranks merge first.
struct Merge {
  std::uint32_t rank = no_rank;
  TokenId id = 0;

  static constexpr std::uint32_t no_rank = UINT32_MAX;
  bool exists() const { return rank != no_rank; }
};

/// Pairs of ids to merges: an open-addressing hash table, as this is BPE's inner loop.
/// Thread-safe once filled.
class MergeTable {
 public:
  explicit MergeTable(std::size_t expected_merges = 0);
  /// REQUIRES: ids not negative, merge.exists(). A pair that is there already is replaced.
  void set(TokenId left, TokenId right, Merge merge);
  /// The pair's merge; one that does not exist when there is none.
  Merge find(TokenId left, TokenId right) const;

 private:
  struct Slot {
    std::uint64_t pair = 0;
    Merge merge;  // one that does not exist marks a free slot
  };
  std::size_t slot_of(std::uint64_t pair) const;
  void grow();

  std::vector<Slot> slots_;  // a power of two of them, at most half taken
  std::size_t taken_ = 0;
};

/// Merges the symbols from `first` on until no pair of neighbours has a merge: always the pair of
/// lowest rank, the leftmost of several (Sennrich et al. 2016). Both give the same; by scanning is
/// quadratic and best for the short words of language, by a heap takes n log n.
void merge_by_scan(const MergeTable& merges, Tokens& symbols, std::size_t first);
void merge_by_heap(const MergeTable& merges, Tokens& symbols, std::size_t first);

}  // namespace evenkeel
