// Fused query, key and value: which rows are whose.
#include "model/stored_linears.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/random_matrix.h"

namespace evenkeel {
namespace {

using support::random_matrix;

// Two channels a head, three input channels; sizes as resolve_architecture would fill them.
Architecture attention(Index heads, Index key_value_heads, FusedLayout layout) {
  Architecture model;
  model.prefix = "p.";
  model.block = "h.";
  model.channels = 3;
  model.heads = heads;
  model.key_value_heads = key_value_heads;
  model.head_channels = 2;
  model.fused_layout = layout;
  if (layout != FusedLayout::separate) model.fused_attention = "qkv";
  const auto linear = [&](LinearRole role, const std::string& name, Index rows, Index columns) {
    model.linears[index_of(role)] = {name, rows, columns, true};
  };
  linear(LinearRole::query, "q", heads * 2, 3);
  linear(LinearRole::key, "k", key_value_heads * 2, 3);
  linear(LinearRole::value, "v", key_value_heads * 2, 3);
  linear(LinearRole::output, "o", 3, heads * 2);
  linear(LinearRole::up, "up", 5, 3);
  linear(LinearRole::down, "down", 3, 5);
  return model;
}

Block block_for(const Architecture& architecture) {
  Block block;
  for (const LinearRole role : all_linears) {
    block.linears[index_of(role)].resize(static_cast<std::size_t>(architecture.copies(role)));
  }
  return block;
}

const std::vector<Index>& rows_of(const StoredLinear& stored, LinearRole role) {
  for (const StoredPart& part : stored.parts) {
    if (part.place.role == role) return part.rows;
  }
  return stored.parts.at(stored.parts.size()).rows;
}

using Rows = std::vector<Index>;

// All queries, all keys, all values (GPT-2).
TEST(StoredLinears, BlocksStandOneAfterTheOther) {
  const auto all = stored_linears(attention(2, 2, FusedLayout::blocks), 7);
  ASSERT_EQ(all.size(), 4U);
  const StoredLinear& fused = all.front();
  EXPECT_EQ(fused.module, "p.h.7.qkv");
  EXPECT_EQ(fused.rows, 12);
  EXPECT_EQ(fused.columns, 3);
  EXPECT_TRUE(fused.bias);
  EXPECT_EQ(rows_of(fused, LinearRole::query), (Rows{0, 1, 2, 3}));
  EXPECT_EQ(rows_of(fused, LinearRole::key), (Rows{4, 5, 6, 7}));
  EXPECT_EQ(rows_of(fused, LinearRole::value), (Rows{8, 9, 10, 11}));
}

// Each head's query, key, value (BLOOM, GPT-NeoX).
TEST(StoredLinears, GroupsOfOneHead) {
  const StoredLinear fused = stored_linears(attention(2, 2, FusedLayout::by_group), 0).front();
  EXPECT_EQ(rows_of(fused, LinearRole::query), (Rows{0, 1, 6, 7}));
  EXPECT_EQ(rows_of(fused, LinearRole::key), (Rows{2, 3, 8, 9}));
  EXPECT_EQ(rows_of(fused, LinearRole::value), (Rows{4, 5, 10, 11}));
}

// Two queries, their key, their value, twice (Falcon-40b).
TEST(StoredLinears, GroupsOfTwoHeads) {
  const StoredLinear fused = stored_linears(attention(4, 2, FusedLayout::by_group), 0).front();
  EXPECT_EQ(fused.rows, 16);
  EXPECT_EQ(rows_of(fused, LinearRole::query), (Rows{0, 1, 2, 3, 8, 9, 10, 11}));
  EXPECT_EQ(rows_of(fused, LinearRole::key), (Rows{4, 5, 12, 13}));
  EXPECT_EQ(rows_of(fused, LinearRole::value), (Rows{6, 7, 14, 15}));
}

// All queries, then the one key and value (Falcon-7b).
TEST(StoredLinears, OneGroup) {
  const StoredLinear fused = stored_linears(attention(3, 1, FusedLayout::by_group), 0).front();
  EXPECT_EQ(rows_of(fused, LinearRole::query), (Rows{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(rows_of(fused, LinearRole::key), (Rows{6, 7}));
  EXPECT_EQ(rows_of(fused, LinearRole::value), (Rows{8, 9}));
}

TEST(StoredLinears, SeparateOnesAreWhole) {
  const auto all = stored_linears(attention(2, 1, FusedLayout::separate), 1);
  std::vector<std::string> names;
  for (const StoredLinear& stored : all) {
    names.push_back(stored.module);
    ASSERT_EQ(stored.parts.size(), 1U);
    EXPECT_TRUE(stored.parts.front().rows.empty());
    EXPECT_EQ(stored.role(), stored.parts.front().place.role);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"p.h.1.q", "p.h.1.k", "p.h.1.v", "p.h.1.o", "p.h.1.up",
                                             "p.h.1.down"}));
}

TEST(StoredLinears, EveryExpertIsItsOwn) {
  Architecture model = attention(2, 1, FusedLayout::separate);
  model.linears[index_of(LinearRole::router)] = {"router", 3, 3, false};
  model.experts = "experts.";
  model.expert_count = 3;
  std::vector<std::string> names;
  for (const StoredLinear& stored : stored_linears(model, 0)) {
    if (input_of(stored.role()) != Node::attention_input) names.push_back(stored.module);
  }
  const std::string place = "p.h.0.experts.";
  EXPECT_EQ(names, (std::vector<std::string>{"p.h.0.o", place + "0.up", place + "1.up",
                                             place + "2.up", place + "0.down", place + "1.down",
                                             place + "2.down", "p.h.0.router"}));
}

struct Shape {
  Index heads, key_value_heads;
  FusedLayout layout;
};

TEST(StoredLinears, EveryRowIsOnesAndJoiningUndoesSplitting) {
  for (const auto& [heads, shared, layout] :
       {Shape{2, 2, FusedLayout::blocks}, Shape{6, 2, FusedLayout::blocks},
        Shape{4, 4, FusedLayout::by_group}, Shape{6, 2, FusedLayout::by_group},
        Shape{5, 1, FusedLayout::by_group}, Shape{4, 2, FusedLayout::separate}}) {
    const Architecture model = attention(heads, shared, layout);
    Block block = block_for(model);
    std::uint32_t seed = 1;
    for (const StoredLinear& stored : stored_linears(model, 0)) {
      if (layout != FusedLayout::separate && stored.parts.size() > 1) {
        std::multiset<Index> rows;
        for (const StoredPart& part : stored.parts) rows.insert(part.rows.begin(), part.rows.end());
        Rows whole;
        for (Index row = 0; row < stored.rows; ++row) whole.push_back(row);
        EXPECT_EQ(Rows(rows.begin(), rows.end()), whole);
      }
      const Matrix weight = random_matrix(stored.rows, stored.columns, seed++);
      const Vector bias = support::random_vector(stored.rows, seed++);
      split_weight(stored, weight, block);
      split_bias(stored, bias, block);
      EXPECT_EQ(joined_weight(stored, block), weight);
      EXPECT_EQ(joined_bias(stored, block), bias);
      for (const StoredPart& part : stored.parts) {
        EXPECT_EQ(block.linear(part.place).weight.rows(), model.rows(part.place.role));
        for (std::size_t row = 0; row < part.rows.size(); ++row) {
          EXPECT_EQ(Vector(block.linear(part.place).weight.row(static_cast<Index>(row))),
                    Vector(weight.row(part.rows[row])));
          EXPECT_EQ(block.linear(part.place).bias(static_cast<Index>(row)), bias(part.rows[row]));
        }
      }
    }
  }
}

}  // namespace
}  // namespace evenkeel
