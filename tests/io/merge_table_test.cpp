#include "io/merge_table.h"

#include <map>
#include <random>
#include <utility>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

using Rules = std::map<std::pair<TokenId, TokenId>, Merge>;

MergeTable table_of(const Rules& rules) {
  MergeTable table;
  for (const auto& [pair, merge] : rules) table.set(pair.first, pair.second, merge);
  return table;
}

// The algorithm as it is told: look at all pairs, merge the best, begin again.
Tokens slowly_merged(const Rules& rules, Tokens symbols) {
  for (;;) {
    std::size_t best = symbols.size();
    Merge merge;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto rule = rules.find({symbols[i], symbols[i + 1]});
      if (rule != rules.end() && rule->second.rank < merge.rank) {
        best = i;
        merge = rule->second;
      }
    }
    if (!merge.exists()) return symbols;
    symbols[best] = merge.id;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(MergeTable, FindsWhatWasSetAmongMany) {
  MergeTable table(10);
  for (TokenId i = 0; i < 5000; ++i) {
    table.set(i % 71, i, {static_cast<std::uint32_t>(i), 2 * i});
  }
  for (TokenId i = 0; i < 5000; ++i) {
    EXPECT_EQ(table.find(i % 71, i).id, 2 * i);
    EXPECT_FALSE(table.find(i % 71 + 1, i).exists());
  }
  table.set(0, 0, {9, 7});
  EXPECT_EQ(table.find(0, 0).rank, 9U);
}

TEST(MergeTable, EmptyTableHasNothing) { EXPECT_FALSE(MergeTable().find(0, 0).exists()); }

TEST(MergeTable, BothWaysOfMergingAreTheSlowOne) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 300; ++trial) {
    const auto below = [&random](unsigned bound) { return static_cast<TokenId>(random() % bound); };
    Rules rules;
    const TokenId symbols = 2 + below(4);
    const TokenId made = below(20);
    for (TokenId i = 0; i < made; ++i) {
      const auto known = static_cast<unsigned>(symbols + i);
      // Ranks may tie: then the leftmost pair goes first.
      rules[{below(known), below(known)}] = {static_cast<std::uint32_t>(below(15)), symbols + i};
    }
    const MergeTable table = table_of(rules);
    Tokens word(static_cast<std::size_t>(below(80)));
    for (TokenId& symbol : word) symbol = below(static_cast<unsigned>(symbols));
    const Tokens expected = slowly_merged(rules, word);

    // What stands before `first` is not touched.
    Tokens scanned = {0, 1};
    scanned.insert(scanned.end(), word.begin(), word.end());
    Tokens heaped = scanned;
    merge_by_scan(table, scanned, 2);
    merge_by_heap(table, heaped, 2);
    EXPECT_EQ(Tokens(scanned.begin() + 2, scanned.end()), expected);
    EXPECT_EQ(heaped, scanned);
    EXPECT_EQ(Tokens(scanned.begin(), scanned.begin() + 2), (Tokens{0, 1}));
  }
}

TEST(MergeTable, RunsOfOneSymbolMergeFromTheLeft) {
  const MergeTable table = table_of({{{0, 0}, {0, 1}}, {{1, 1}, {1, 2}}});
  for (const auto merge : {merge_by_scan, merge_by_heap}) {
    Tokens seven(7, 0);
    merge(table, seven, 0);
    EXPECT_EQ(seven, (Tokens{2, 1, 0}));
    Tokens none;
    merge(table, none, 0);
    EXPECT_TRUE(none.empty());
    Tokens one = {0};
    merge(table, one, 0);
    EXPECT_EQ(one, Tokens{0});
  }
}

}  // namespace
}  // namespace evenkeel
