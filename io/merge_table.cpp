#include "io/merge_table.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <span>
#include <tuple>
#include <utility>

namespace evenkeel {
namespace {

constexpr std::size_t fewest_slots = 16;

std::uint64_t pair_of(TokenId left, TokenId right) {
  return (std::uint64_t{static_cast<std::uint32_t>(left)} << 32U) |
         static_cast<std::uint32_t>(right);
}

// The symbols of a word as a doubly linked list in one array.
struct Link {
  std::size_t previous;
  std::size_t next;
};
constexpr std::size_t no_symbol = SIZE_MAX;

// A merge that was possible when it was queued; rank and position order the queue.
struct Candidate {
  std::uint32_t rank;
  std::size_t position;
  TokenId left;
  TokenId right;

  bool operator>(const Candidate& other) const {
    return std::tie(rank, position) > std::tie(other.rank, other.position);
  }
};

class HeapMerger {
 public:
  HeapMerger(const MergeTable& merges, std::span<TokenId> symbols)
      : merges_(merges), symbols_(symbols), links_(symbols.size()) {
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      links_[i] = {i == 0 ? no_symbol : i - 1, i + 1 == symbols.size() ? no_symbol : i + 1};
    }
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) offer(i);
  }

  void run() {
    while (!queue_.empty()) {
      const Candidate candidate = queue_.top();
      queue_.pop();
      if (still_there(candidate)) merge(candidate.position);
    }
  }

 private:
  void offer(std::size_t left) {
    const std::size_t right = links_[left].next;
    const Merge merge = merges_.find(symbols_[left], symbols_[right]);
    if (merge.exists()) queue_.push({merge.rank, left, symbols_[left], symbols_[right]});
  }

  bool still_there(const Candidate& candidate) const {
    const std::size_t right = links_[candidate.position].next;
    return symbols_[candidate.position] == candidate.left && right != no_symbol &&
           symbols_[right] == candidate.right;
  }

  void merge(std::size_t left) {
    const std::size_t right = links_[left].next;
    symbols_[left] = merges_.find(symbols_[left], symbols_[right]).id;
    symbols_[right] = merged_away;
    links_[left].next = links_[right].next;
    if (links_[left].next != no_symbol) {
      links_[links_[left].next].previous = left;
      offer(left);
    }
    if (links_[left].previous != no_symbol) offer(links_[left].previous);
  }

 public:
  static constexpr TokenId merged_away = -1;

 private:
  const MergeTable& merges_;
  std::span<TokenId> symbols_;
  std::vector<Link> links_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue_;
};

}  // namespace

MergeTable::MergeTable(std::size_t expected_merges) {
  std::size_t slots = fewest_slots;
  while (slots < 2 * expected_merges) slots *= 2;
  slots_.resize(slots);
}

std::size_t MergeTable::slot_of(std::uint64_t pair) const {
  // Fibonacci hashing; the upper half of the product depends on all of the pair's bits.
  const std::uint64_t hash = (pair ^ (pair >> 29U)) * 0x9E3779B97F4A7C15U;
  std::size_t slot = static_cast<std::size_t>(hash >> 32U) & (slots_.size() - 1);
  while (slots_[slot].merge.exists() && slots_[slot].pair != pair) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slot;
}

void MergeTable::set(TokenId left, TokenId right, Merge merge) {
  if (2 * (taken_ + 1) > slots_.size()) grow();
  const std::uint64_t pair = pair_of(left, right);
  Slot& slot = slots_[slot_of(pair)];
  if (!slot.merge.exists()) ++taken_;
  slot = {pair, merge};
}

void MergeTable::grow() {
  std::vector<Slot> old(2 * slots_.size());
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.merge.exists()) slots_[slot_of(slot.pair)] = slot;
  }
}

Merge MergeTable::find(TokenId left, TokenId right) const {
  return slots_[slot_of(pair_of(left, right))].merge;
}

void merge_by_scan(const MergeTable& merges, Tokens& symbols, std::size_t first) {
  const auto at = [first](std::size_t i) { return static_cast<std::ptrdiff_t>(first + i); };
  std::vector<Merge> pairs;  // of symbol i and the one after it
  pairs.reserve(symbols.size() - first);
  for (std::size_t i = first; i + 1 < symbols.size(); ++i) {
    pairs.push_back(merges.find(symbols[i], symbols[i + 1]));
  }
  while (!pairs.empty()) {
    const auto best = std::min_element(
        pairs.begin(), pairs.end(), [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
    if (!best->exists()) return;
    const auto i = static_cast<std::size_t>(best - pairs.begin());
    symbols[first + i] = best->id;
    symbols.erase(symbols.begin() + at(i + 1));
    pairs.erase(best);
    if (i > 0) pairs[i - 1] = merges.find(symbols[first + i - 1], symbols[first + i]);
    if (i < pairs.size()) pairs[i] = merges.find(symbols[first + i], symbols[first + i + 1]);
  }
}

void merge_by_heap(const MergeTable& merges, Tokens& symbols, std::size_t first) {
  const auto begin = symbols.begin() + static_cast<std::ptrdiff_t>(first);
  HeapMerger(merges, {begin, symbols.end()}).run();
  symbols.erase(std::remove(begin, symbols.end(), HeapMerger::merged_away), symbols.end());
}

}  // namespace evenkeel
