#include "calib/block_part.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/content_hash.h"
#include "io/errors.h"
#include "io/safetensors.h"
#include "io/strict_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* block_key = "block";
constexpr const char* hash_key = "hash";

// What a part's file holds, in the order of its tensors' names.
struct Content {
  struct Tensor {
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;
  };
  std::map<std::string, Tensor, std::less<>> tensors;
  std::string block;

  std::string hash() const {
    ContentHash hash;
    hash.add(block);
    for (const auto& [name, tensor] : tensors) {
      hash.add(fmt::format("{} {} {}", name, name_of(tensor.dtype), shape_text(tensor.shape)));
      hash.add(tensor.bytes);
    }
    return hash.text();
  }

  template <class Value>
  void put(const std::string& name, std::span<const Value> values,
           std::vector<std::int64_t> shape = {}) {
    static_assert(std::is_same_v<Value, float> || std::is_same_v<Value, double>);
    if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
    const auto bytes = std::as_bytes(values);
    tensors[name] = {std::is_same_v<Value, float> ? DType::F32 : DType::F64,
                     std::move(shape),
                     {bytes.begin(), bytes.end()}};
  }

  // Throws: InputError when it is not there or of another type.
  template <class Value>
  std::vector<Value> get(const std::string& name) const {
    const auto found = tensors.find(name);
    constexpr DType dtype = std::is_same_v<Value, float> ? DType::F32 : DType::F64;
    if (found == tensors.end() || found->second.dtype != dtype) throw InputError(name);
    std::vector<Value> values(found->second.bytes.size() / sizeof(Value));
    if (!values.empty()) {
      std::memcpy(values.data(), found->second.bytes.data(), values.size() * sizeof(Value));
    }
    return values;
  }

  template <class Value>
  std::vector<Value> get(const std::string& name, std::size_t size) const {
    std::vector<Value> values = get<Value>(name);
    if (values.size() != size) throw InputError(name);
    return values;
  }
};

std::span<const float> values_of(const Vector& vector) {
  return {vector.data(), static_cast<std::size_t>(vector.size())};
}

Vector vector_of(const std::vector<float>& values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Index>(values.size()));
}

// By the names of their tensors.
template <class Node>
auto statistics_of(Node& node) {
  return std::array{std::pair{"min", &node.low}, std::pair{"max", &node.high},
                    std::pair{"absmax", &node.absmax}, std::pair{"mean", &node.mean},
                    std::pair{"variance", &node.variance}};
}

void put_node(const std::string& path, const NodeRecord& node, Content& content) {
  for (const auto& [name, values] : statistics_of(node)) {
    content.put(path + name, values_of(*values));
  }
  if (node.ranges.empty()) return;
  std::vector<float> ends;
  for (const Range& range : node.ranges) ends.insert(ends.end(), {range.low, range.high});
  content.put(path + "ranges", std::span<const float>(ends),
              {static_cast<std::int64_t>(node.ranges.size()), 2});
}

NodeRecord node_of(const std::string& path, const Content& content) {
  NodeRecord node;
  for (const auto& [name, values] : statistics_of(node)) {
    *values = vector_of(content.get<float>(path + name));
  }
  if (!content.tensors.contains(path + "ranges")) return node;
  const auto ends = content.get<float>(path + "ranges");
  for (std::size_t i = 0; i + 1 < ends.size(); i += 2) {
    node.ranges.push_back({ends[i], ends[i + 1]});
  }
  return node;
}

void put_site(const std::string& path, const SiteTransform& found, Content& content) {
  content.put(path + "shift", values_of(found.transform.shift));
  content.put(path + "scale", values_of(found.transform.scale));
  content.put(path + "thresholds", std::span(found.thresholds));
  content.put(path + "losses", std::span(found.losses));
  const std::array chosen{found.threshold, found.loss_before, found.loss_after};
  content.put(path + "chosen", std::span<const double>(chosen));
}

SiteTransform site_of(const std::string& path, const Content& content) {
  SiteTransform found;
  found.transform = {vector_of(content.get<float>(path + "shift")),
                     vector_of(content.get<float>(path + "scale"))};
  found.thresholds = content.get<double>(path + "thresholds");
  found.losses = content.get<double>(path + "losses");
  const auto chosen = content.get<double>(path + "chosen", 3);
  found.threshold = chosen[0];
  found.loss_before = chosen[1];
  found.loss_after = chosen[2];
  return found;
}

std::string node_prefix(Node node) { return fmt::format("nodes.{}.", name_of(node)); }
std::string site_prefix(std::size_t site) { return fmt::format("sites.{}.", site); }

Content content_of(Index number, const BlockPart& part) {
  Content content;
  const BlockRecord& record = part.record;
  Json sites = Json::array();
  for (std::size_t i = 0; i < record.sites.size(); ++i) {
    sites.push_back(record.sites[i].name);
    put_site(site_prefix(i), record.sites[i].found, content);
  }
  for (const Node node : all_nodes) {
    put_node(node_prefix(node), record.nodes[index_of(node)], content);
  }
  if (record.clip) content.put("clip", std::span<const double>(&*record.clip, 1));
  content.put("seconds", std::span<const double>(part.seconds));
  content.block = Json{{"number", number},
                       {"sites", sites},
                       {"untouched_sites", record.untouched_sites},
                       {"without_tokens", record.without_tokens},
                       {"choices", record.choices},
                       {"model", part.folded},
                       {"quantized", part.quantized}}
                      .dump();
  return content;
}

BlockPart part_of(Index number, const Content& content, const std::filesystem::path& path) {
  const Json block = parse_json(path, content.block);
  if (block.at("number").get<Index>() != number) throw InputError("number");
  BlockPart part;
  BlockRecord& record = part.record;
  for (const auto& name : block.at("sites").get<std::vector<std::string>>()) {
    record.sites.push_back({name, site_of(site_prefix(record.sites.size()), content)});
  }
  for (const Node node : all_nodes) {
    record.nodes[index_of(node)] = node_of(node_prefix(node), content);
  }
  if (content.tensors.contains("clip")) record.clip = content.get<double>("clip", 1).front();
  block.at("untouched_sites").get_to(record.untouched_sites);
  block.at("without_tokens").get_to(record.without_tokens);
  block.at("choices").get_to(record.choices);
  block.at("model").get_to(part.folded);
  block.at("quantized").get_to(part.quantized);
  std::ranges::copy(content.get<double>("seconds", part.seconds.size()), part.seconds.begin());
  return part;
}

// Throws: InputError.
Content read_content(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  Content content;
  for (const StoredTensor& tensor : file.tensors()) {
    content.tensors[tensor.name] = {
        tensor.dtype, tensor.shape, {tensor.bytes.begin(), tensor.bytes.end()}};
  }
  const auto block = file.metadata().find(block_key);
  const auto hash = file.metadata().find(hash_key);
  if (block == file.metadata().end() || hash == file.metadata().end()) throw InputError(block_key);
  content.block = block->second;
  if (content.hash() != hash->second) throw InputError(hash_key);
  return content;
}

}  // namespace

std::filesystem::path BlockParts::path(Index number) const {
  return folder_ / fmt::format("{}.safetensors", number);
}

bool BlockParts::has(Index number) const {
  std::error_code error;
  return std::filesystem::exists(path(number), error);
}

void BlockParts::write(Index number, const BlockPart& part) const {
  std::error_code error;
  std::filesystem::create_directory(folder_, error);
  const Content content = content_of(number, part);
  std::vector<TensorPlan> plan;
  for (const auto& [name, tensor] : content.tensors) {
    plan.push_back({name, tensor.dtype, tensor.shape});
  }
  SafetensorsWriter writer(path(number), std::move(plan),
                           {{block_key, content.block}, {hash_key, content.hash()}});
  for (const auto& [name, tensor] : content.tensors) writer.write(name, tensor.bytes);
  writer.commit();
  if (number == 0) sync_folder(folder_.parent_path());
}

std::optional<BlockPart> BlockParts::read(Index number) const {
  try {
    return part_of(number, read_content(path(number)), path(number));
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

BlockPart BlockParts::at(Index number) const {
  if (auto part = read(number)) return std::move(*part);
  throw MachineError(fmt::format("{}: has been changed or removed while the job ran; run it again",
                                 path(number).string()));
}

void BlockParts::remove_from(Index first, Index blocks) const {
  for (Index number = first; number < blocks; ++number) {
    std::error_code error;
    std::filesystem::remove(path(number), error);
    if (error) {
      throw MachineError(
          fmt::format("{}: cannot be removed: {}", path(number).string(), error.message()));
    }
  }
}

}  // namespace evenkeel
