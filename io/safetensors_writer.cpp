#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/content_hash.h"
#include "io/errors.h"
#include "io/one_line.h"
#include "io/safetensors.h"
#include "io/safetensors_layout.h"

namespace evenkeel {
namespace {

std::uint64_t planned_bytes(const TensorPlan& tensor) {
  const auto bytes = bytes_of(tensor.dtype, tensor.shape);
  assert(bytes.has_value());
  return bytes.value_or(0);
}

bool aligned_in_order(const std::vector<TensorPlan>& plan) {
  std::uint64_t offset = 0;
  return std::ranges::all_of(plan, [&](const TensorPlan& tensor) {
    const std::uint64_t begin = std::exchange(offset, offset + planned_bytes(tensor));
    return begin % size_of(tensor.dtype) == 0;
  });
}

std::vector<TensorPlan> in_data_order(std::vector<TensorPlan> plan) {
  if (!aligned_in_order(plan)) {
    std::ranges::stable_sort(plan, std::ranges::greater{},
                             [](const TensorPlan& tensor) { return size_of(tensor.dtype); });
  }
  return plan;
}

// Whether a file is one of this beginning and size.
bool continues(const ReplacingFile& file, std::string_view beginning, std::uint64_t size) {
  if (file.size() != size) return false;
  std::string found(beginning.size(), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(found)));
  return found == beginning;
}

constexpr std::size_t piece_bytes = std::size_t{1} << 20U;

}  // namespace

SafetensorsWriter::SafetensorsWriter(std::filesystem::path path, std::vector<TensorPlan> plan,
                                     const std::map<std::string, std::string>& metadata,
                                     Leftovers leftovers)
    : path_(std::move(path)), plan_(in_data_order(std::move(plan))) {
  using Json = nlohmann::ordered_json;
  // Appended to the object's vector: adding by key would search all the keys before.
  Json::object_t header;
  if (!metadata.empty()) header.emplace_back(safetensors_layout::metadata_key, metadata);
  std::uint64_t size = 0;
  for (const TensorPlan& tensor : plan_) {
    const Place place{.offset = size, .size = planned_bytes(tensor)};
    size += place.size;
    header.emplace_back(tensor.name, Json{{"dtype", name_of(tensor.dtype)},
                                          {"shape", tensor.shape},
                                          {"data_offsets", {place.offset, size}}});
    [[maybe_unused]] const bool unique = places_.emplace(tensor.name, place).second;
    assert(unique);
  }
  std::string text = Json(std::move(header)).dump();
  constexpr std::uint64_t alignment = safetensors_layout::data_alignment;
  text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
  const auto length =
      std::bit_cast<std::array<char, safetensors_layout::length_size>>(std::uint64_t{text.size()});
  text.insert(text.begin(), length.begin(), length.end());
  for (auto& [name, place] : places_) place.offset += text.size();

  file_ = std::make_unique<ReplacingFile>(path_, leftovers);
  if (!continues(*file_, text, text.size() + size)) file_->resize(0);
  file_->reserve(text.size() + size);
  file_->write_at(0, std::as_bytes(std::span(text)));
  file_->resize(text.size() + size);
}

void SafetensorsWriter::write(std::string_view name, std::span<const std::byte> bytes) {
  const auto found = places_.find(name);
  assert(found != places_.end());
  Place& place = found->second;
  assert(bytes.size() == place.size && !place.written);
  file_->write_at(place.offset, bytes);
  place.written = true;
}

bool SafetensorsWriter::holds(std::string_view name, std::string_view hash) const {
  const auto found = places_.find(name);
  if (found == places_.end()) return false;
  const Place& place = found->second;
  ContentHash content;
  std::vector<std::byte> piece(std::min<std::uint64_t>(piece_bytes, place.size));
  for (std::uint64_t first = 0; first < place.size; first += piece.size()) {
    piece.resize(std::min<std::uint64_t>(piece.size(), place.size - first));
    file_->read_at(place.offset + first, piece);
    content.add(piece);
  }
  return content.text() == hash;
}

void SafetensorsWriter::adopt(std::string_view name) {
  const auto found = places_.find(name);
  assert(found != places_.end() && !found->second.written);
  found->second.written = true;
}

void SafetensorsWriter::commit() {
  for (const auto& [name, place] : places_) {
    if (!place.written) {
      throw MachineError(fmt::format(
          "{}: tensor {} was planned but never written; this is a fault of the program, report it",
          path_.string(), in_quotes(name)));
    }
  }
  file_->commit();
}

}  // namespace evenkeel
