#include "model/proxy_columns.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/checkpoint.h"
#include "support/scratch_folder.h"
#include "support/stored_values.h"
#include "support/tiny_families.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::matrix_of;
using support::TinyFamily;
using Columns = std::vector<Index>;

struct Model {
  explicit Model(const TinyFamily& family)
      : checkpoint(support::write_tiny_family(folder.path(), family)) {}
  explicit Model(const support::TinyOpt& options)
      : checkpoint(support::write_tiny_opt(folder.path(), options)) {}

  StoredLinear linear(Index block, LinearPlace place) const {
    for (const StoredLinear& stored : stored_linears(architecture, block)) {
      for (const StoredPart& part : stored.parts) {
        if (part.place == place) return stored;
      }
    }
    throw std::out_of_range("no such linear");
  }
  std::optional<ProxyProducer> producer(Index block, LinearPlace place) const {
    return proxy_producer(architecture, block, linear(block, place));
  }
  Columns columns(Index block, LinearPlace place, Index count) const {
    return proxy_columns(checkpoint, architecture, block, linear(block, place), count);
  }
  Matrix stored(const std::string& name) const { return matrix_of(checkpoint.at(name)); }

  support::ScratchFolder folder;
  Checkpoint checkpoint;
  Architecture architecture = resolve_architecture(checkpoint);
};

void expect_producer(const Model& model, Index block, LinearRole reader, Index of_block,
                     LinearRole maker) {
  const auto producer = model.producer(block, reader);
  ASSERT_TRUE(producer.has_value());
  EXPECT_EQ(producer->block, of_block);
  EXPECT_EQ(producer->place, LinearPlace(maker));
}

// Of each row, by two sums in long double: another formula than the one under test.
std::vector<double> deviations(const Matrix& weight) {
  std::vector<double> all;
  for (Index row = 0; row < weight.rows(); ++row) {
    long double sum = 0.0L;
    long double squares = 0.0L;
    for (const float value : weight.row(row)) {
      sum += static_cast<long double>(value);
      squares += static_cast<long double>(value) * static_cast<long double>(value);
    }
    const auto count = static_cast<long double>(weight.cols());
    const long double mean = sum / count;
    all.push_back(static_cast<double>(std::sqrt(squares / count - mean * mean)));
  }
  return all;
}

// Takes the largest that is left, the first of two alike, so many times.
Columns largest(std::vector<double> values, Index count) {
  std::set<Index> found;
  for (Index i = 0; i < count; ++i) {
    const auto best = std::ranges::max_element(values);
    found.insert(best - values.begin());
    *best = -1.0;
  }
  return {found.begin(), found.end()};
}

void expect_largest(const Model& model, Index block, LinearPlace reader,
                    const std::vector<double>& of_rows) {
  ASSERT_EQ(static_cast<Index>(of_rows.size()), model.linear(block, reader).columns);
  for (Index count = 0; count <= static_cast<Index>(of_rows.size()); ++count) {
    EXPECT_EQ(model.columns(block, reader, count), largest(of_rows, count)) << count;
  }
}

TEST(ProxyProducer, OfABlockOneAfterTheOther) {
  const Model model{support::TinyOpt{}};
  for (const LinearRole role : {LinearRole::query, LinearRole::key, LinearRole::value}) {
    EXPECT_FALSE(model.producer(0, role).has_value());
    EXPECT_FALSE(model.linear(0, role).produced);
    expect_producer(model, 1, role, 0, LinearRole::down);
    EXPECT_TRUE(model.linear(1, role).produced);
  }
  for (const Index block : {0, 1}) {
    expect_producer(model, block, LinearRole::output, block, LinearRole::value);
    expect_producer(model, block, LinearRole::up, block, LinearRole::output);
    expect_producer(model, block, LinearRole::down, block, LinearRole::up);
    EXPECT_TRUE(model.linear(block, LinearRole::up).produced);
  }
}

TEST(ProxyProducer, AGateReadsWhatUpReadsAndDownReadsUp) {
  const Model model(support::tiny_llama());
  expect_producer(model, 0, LinearRole::gate, 0, LinearRole::output);
  expect_producer(model, 1, LinearRole::up, 1, LinearRole::output);
  expect_producer(model, 1, LinearRole::down, 1, LinearRole::up);
}

TEST(ProxyProducer, AnMlpBesideTheAttentionReadsThePreviousDown) {
  for (const TinyFamily& family : {support::tiny_gptj(), support::tiny_falcon()}) {
    const Model model(family);
    EXPECT_FALSE(model.producer(0, LinearRole::up).has_value());
    EXPECT_FALSE(model.linear(0, LinearRole::up).produced);
    expect_producer(model, 1, LinearRole::up, 0, LinearRole::down);
    expect_producer(model, 1, LinearRole::query, 0, LinearRole::down);
    expect_producer(model, 0, LinearRole::output, 0, LinearRole::value);
    expect_producer(model, 0, LinearRole::down, 0, LinearRole::up);
  }
}

TEST(ProxyProducer, AnExpertsDownReadsItsOwnUp) {
  const Model model(support::tiny_mixtral());
  for (Index expert = 0; expert < 5; ++expert) {
    const auto producer = model.producer(1, {LinearRole::down, expert});
    ASSERT_TRUE(producer.has_value());
    EXPECT_EQ(producer->block, 1);
    EXPECT_EQ(producer->place, LinearPlace(LinearRole::up, expert));
    const std::string module = "model.layers.1.block_sparse_moe.experts." + std::to_string(expert);
    expect_largest(model, 1, {LinearRole::down, expert},
                   deviations(model.stored(module + ".w3.weight")));
  }
}

TEST(ProxyColumns, AreThoseOfTheRowsThatVaryMost) {
  const Model model{support::TinyOpt{}};
  const std::string first = "model.decoder.layers.0.";
  const std::string second = "model.decoder.layers.1.";
  expect_largest(model, 0, LinearRole::down, deviations(model.stored(first + "fc1.weight")));
  expect_largest(model, 1, LinearRole::query, deviations(model.stored(first + "fc2.weight")));
  expect_largest(model, 1, LinearRole::value, deviations(model.stored(first + "fc2.weight")));
  expect_largest(model, 1, LinearRole::output,
                 deviations(model.stored(second + "self_attn.v_proj.weight")));
  expect_largest(model, 1, LinearRole::up,
                 deviations(model.stored(second + "self_attn.out_proj.weight")));
}

// A row whose values are large but alike is no outlier; of rows that are alike the first are taken.
TEST(ProxyColumns, CountDeviationsAndTakeTheFirstOfEqualRows) {
  support::TinyOpt options;
  options.change = [](const std::string& name, std::vector<float>& values) {
    if (!name.ends_with("layers.0.fc1.weight")) return;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t row = i / 16;
      const float sign = i % 2 == 0 ? 1.0F : -1.0F;
      values[i] = row == 3 ? 100.0F : sign * (row == 20 ? 0.5F : 0.25F);
    }
  };
  const Model model(options);
  EXPECT_EQ(model.columns(0, LinearRole::down, 1), (Columns{20}));
  EXPECT_EQ(model.columns(0, LinearRole::down, 4), (Columns{0, 1, 2, 20}));
  EXPECT_EQ(model.columns(0, LinearRole::down, 5), (Columns{0, 1, 2, 4, 20}));
}

TEST(ProxyColumns, ARowOfValueCountsForEachQueryHead) {
  // Four heads of four channels, two of keys and values: rows 0 to 3 are read by two heads.
  const Model model(support::tiny_llama());
  const auto rows = deviations(model.stored("model.layers.1.self_attn.v_proj.weight"));
  ASSERT_EQ(rows.size(), 8U);
  std::vector<double> by_head;
  for (std::size_t head = 0; head < 4; ++head) {
    for (std::size_t channel = 0; channel < 4; ++channel) {
      by_head.push_back(rows[head / 2 * 4 + channel]);
    }
  }
  expect_largest(model, 1, LinearRole::output, by_head);
}

// The tensor is [in, out], and its last third makes the values.
TEST(ProxyColumns, OfAttentionFusedInBlocks) {
  const Model model(support::tiny_gpt2());
  const Matrix fused = model.stored("transformer.h.1.attn.c_attn.weight").transpose();
  ASSERT_EQ(fused.rows(), 48);
  expect_largest(model, 1, LinearRole::output, deviations(fused.bottomRows(16)));
  expect_largest(model, 1, LinearRole::key,
                 deviations(model.stored("transformer.h.0.mlp.c_proj.weight").transpose()));
}

// Two groups of two queries, their key and their value, of four rows each.
TEST(ProxyColumns, OfAttentionFusedByGroup) {
  const Model model(support::tiny_falcon());
  const auto rows =
      deviations(model.stored("transformer.h.1.self_attention.query_key_value.weight"));
  ASSERT_EQ(rows.size(), 32U);
  std::vector<double> by_head;
  for (const std::size_t first : {12U, 12U, 28U, 28U}) {
    for (std::size_t channel = 0; channel < 4; ++channel) by_head.push_back(rows[first + channel]);
  }
  expect_largest(model, 1, LinearRole::output, by_head);
}

}  // namespace
}  // namespace evenkeel
