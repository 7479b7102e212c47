#include "model/stored_linears.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "model/proxy_columns.h"

namespace evenkeel {
namespace {

// Rows of query, key or value in the fused tensor, by heads.
std::vector<Index> fused_rows(const Architecture& architecture, LinearRole role) {
  const Index width = architecture.head_channels;
  const Index groups = architecture.key_value_heads;
  const Index queries = architecture.heads / groups;  // heads of a group
  const Index own = role == LinearRole::query ? queries : 1;
  Index before = 0;  // heads that stand before the role's, in a group
  if (role == LinearRole::key) before = queries;
  if (role == LinearRole::value) before = queries + 1;
  const bool by_group = architecture.fused_layout == FusedLayout::by_group;
  std::vector<Index> rows;
  for (Index group = 0; group < groups; ++group) {
    for (Index head = 0; head < own; ++head) {
      const Index place =
          by_group ? group * (queries + 2) + before + head : groups * before + group * own + head;
      for (Index channel = 0; channel < width; ++channel) rows.push_back(place * width + channel);
    }
  }
  return rows;
}

}  // namespace

bool StoredLinear::holds_any(std::span<const LinearPlace> places) const {
  return std::ranges::any_of(parts, [&](const StoredPart& part) {
    return std::ranges::find(places, part.place) != places.end();
  });
}

std::vector<StoredLinear> stored_linears(const Architecture& architecture, Index number) {
  std::vector<StoredLinear> all;
  const bool fused = !architecture.fused_attention.empty();
  if (fused) {
    StoredLinear& attention = all.emplace_back();
    attention.module = architecture.block_module(number, architecture.fused_attention);
    attention.rows = architecture.query_channels() + 2 * architecture.key_value_channels();
    attention.columns = architecture.channels;
    attention.bias = architecture.linear(LinearRole::query).bias;
    for (const LinearRole role : {LinearRole::query, LinearRole::key, LinearRole::value}) {
      attention.parts.push_back({role, fused_rows(architecture, role)});
    }
  }
  for (const LinearPlace place : architecture.linear_places()) {
    if (fused && input_of(place.role) == Node::attention_input) continue;
    const LinearModule& module = architecture.linear(place.role);
    all.push_back({architecture.linear_name(number, place),
                   module.rows,
                   module.columns,
                   module.bias,
                   true,
                   {{place, {}}}});
  }
  for (StoredLinear& stored : all) {
    stored.produced = proxy_producer(architecture, number, stored).has_value();
  }
  return all;
}

Matrix joined_weight(const StoredLinear& stored, const Block& block) {
  Matrix room;
  const Matrix& weight = joined_weight(stored, block, room);
  return &weight == &room ? std::move(room) : weight;
}

const Matrix& joined_weight(const StoredLinear& stored, const Block& block, Matrix& room) {
  if (stored.parts.front().rows.empty()) return block.linear(stored.parts.front().place).weight;
  room.resize(stored.rows, stored.columns);
  for (const StoredPart& part : stored.parts) {
    room(part.rows, Eigen::all) = block.linear(part.place).weight;
  }
  return room;
}

Vector joined_bias(const StoredLinear& stored, const Block& block) {
  if (stored.parts.front().rows.empty()) return block.linear(stored.parts.front().place).bias;
  Vector bias(stored.rows);
  for (const StoredPart& part : stored.parts) bias(part.rows) = block.linear(part.place).bias;
  return bias;
}

void split_weight(const StoredLinear& stored, Matrix weight, Block& block) {
  for (const StoredPart& part : stored.parts) block.linear(part.place).codes.reset();
  if (stored.parts.front().rows.empty()) {
    block.linear(stored.parts.front().place).weight = std::move(weight);
    return;
  }
  for (const StoredPart& part : stored.parts) {
    block.linear(part.place).weight = weight(part.rows, Eigen::all);
  }
}

std::vector<PartCodes> split_codes(const StoredLinear& stored, const QuantizedWeight& weight) {
  std::vector<PartCodes> parts;
  if (!has_integer_weights(weight.scheme, weight.columns)) return parts;
  for (const StoredPart& part : stored.parts) {
    parts.push_back({part.place, std::make_shared<const IntegerLinear>(weight, part.rows)});
  }
  return parts;
}

void give_codes(const std::vector<PartCodes>& parts, Block& block) {
  for (const PartCodes& part : parts) block.linear(part.place).codes = part.codes;
}

void split_weight(const StoredLinear& stored, const QuantizedWeight& weight, Block& block) {
  split_weight(stored, dequantize_weight(weight), block);
  give_codes(split_codes(stored, weight), block);
}

void split_bias(const StoredLinear& stored, const Vector& bias, Block& block) {
  for (const StoredPart& part : stored.parts) {
    block.linear(part.place).bias = part.rows.empty() ? bias : Vector(bias(part.rows));
  }
}

}  // namespace evenkeel
