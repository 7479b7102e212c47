#include "model/proxy_columns.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <span>

namespace evenkeel {
namespace {

std::vector<double> deviations_of(const Matrix& weight, const StoredPart& part) {
  std::vector<double> deviations;
  const Index rows = part.rows.empty() ? weight.rows() : static_cast<Index>(part.rows.size());
  for (Index i = 0; i < rows; ++i) {
    const Index row = part.rows.empty() ? i : part.rows[static_cast<std::size_t>(i)];
    const auto values = weight.row(row).cast<double>().array();
    deviations.push_back(std::sqrt((values - values.mean()).square().mean()));
  }
  return deviations;
}

// Of each channel of attention.output, which heads of queries make out of the value's.
std::vector<double> by_query_heads(const std::vector<double>& values,
                                   const Architecture& architecture) {
  const Index width = architecture.head_channels;
  const Index sharing = architecture.heads / architecture.key_value_heads;
  std::vector<double> all;
  for (Index head = 0; head < architecture.heads; ++head) {
    const auto first = static_cast<std::size_t>(head / sharing * width);
    const auto own = std::span(values).subspan(first, static_cast<std::size_t>(width));
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

}  // namespace

std::optional<ProxyProducer> proxy_producer(const Architecture& architecture, Index number,
                                            const StoredLinear& reader) {
  const LinearPlace place = reader.parts.front().place;
  const Node node = input_of(place.role);
  if (node == Node::attention_output) return ProxyProducer{number, {LinearRole::value}};
  if (node == Node::mlp_hidden) return ProxyProducer{number, {LinearRole::up, place.expert}};
  if (node == Node::mlp_input && !architecture.parallel_residual) {
    return ProxyProducer{number, {LinearRole::output}};
  }
  if (number == 0) return std::nullopt;
  return ProxyProducer{number - 1, {LinearRole::down}};
}

std::vector<double> proxy_deviations(const Checkpoint& checkpoint, const Architecture& architecture,
                                     Index number, const StoredLinear& reader) {
  const auto producer = proxy_producer(architecture, number, reader);
  assert(producer);
  std::vector<double> deviations;
  for (const StoredLinear& stored : stored_linears(architecture, producer->block)) {
    for (const StoredPart& part : stored.parts) {
      if (part.place != producer->place) continue;
      deviations = deviations_of(load_weight(checkpoint, architecture, stored), part);
    }
  }
  if (producer->place.role == LinearRole::value) {
    deviations = by_query_heads(deviations, architecture);
  }
  assert(static_cast<Index>(deviations.size()) == reader.columns);
  return deviations;
}

std::vector<Index> proxy_columns(const Checkpoint& checkpoint, const Architecture& architecture,
                                 Index number, const StoredLinear& reader, Index count) {
  const std::vector<double> deviations = proxy_deviations(checkpoint, architecture, number, reader);
  assert(count <= reader.columns);
  std::vector<Index> columns(deviations.size());
  std::iota(columns.begin(), columns.end(), Index{0});
  std::ranges::stable_sort(columns, [&](Index a, Index b) {
    return deviations[static_cast<std::size_t>(a)] > deviations[static_cast<std::size_t>(b)];
  });
  columns.resize(static_cast<std::size_t>(count));
  std::ranges::sort(columns);
  return columns;
}

}  // namespace evenkeel
