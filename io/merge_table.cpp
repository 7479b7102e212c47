#include "io/merge_table.h"

#include <algorithm>
#include <array>
#include <functional>
#include <queue>
#include <span>
#include <tuple>
#include <utility>

namespace evenkeel {
namespace {

constexpr std::size_t fewest_slots = 16;
constexpr std::size_t few_symbols = 32;  // of a word of language

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
  std::size_t count = symbols.size() - first;
  if (count < 2) return;
  TokenId* const ids = symbols.data() + first;
  std::array<Merge, few_symbols> few;
  std::vector<Merge> many(count > few.size() ? count : 0);
  Merge* const pairs = many.empty() ? few.data() : many.data();  // of symbol i and the one after it
  const auto look_up = [&](std::size_t i) { pairs[i] = merges.find(ids[i], ids[i + 1]); };
  for (std::size_t i = 0; i + 1 < count; ++i) look_up(i);
  while (count > 1) {
    const Merge* best = std::min_element(
        pairs, pairs + count - 1, [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
    if (!best->exists()) break;
    const auto i = static_cast<std::size_t>(best - pairs);
    ids[i] = best->id;
    std::copy(ids + i + 2, ids + count, ids + i + 1);
    std::copy(pairs + i + 1, pairs + count - 1, pairs + i);
    --count;
    if (i > 0) look_up(i - 1);
    if (i + 1 < count) look_up(i);
  }
  symbols.resize(first + count);
}

void merge_by_heap(const MergeTable& merges, Tokens& symbols, std::size_t first) {
  const auto begin = symbols.begin() + static_cast<std::ptrdiff_t>(first);
  HeapMerger(merges, {begin, symbols.end()}).run();
  symbols.erase(std::remove(begin, symbols.end(), HeapMerger::merged_away), symbols.end());
}

}  // namespace evenkeel
