#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

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

}  // namespace

SafetensorsWriter::SafetensorsWriter(std::filesystem::path path, std::vector<TensorPlan> plan,
                                     const std::map<std::string, std::string>& metadata)
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
  const auto length = std::bit_cast<std::array<std::byte, safetensors_layout::length_size>>(
      std::uint64_t{text.size()});
  const std::uint64_t data_offset = length.size() + text.size();
  for (auto& [name, place] : places_) place.offset += data_offset;

  file_ = std::make_unique<ReplacingFile>(path_);
  file_->reserve(data_offset + size);
  file_->write_at(0, length);
  file_->append(text);
}

void SafetensorsWriter::write(std::string_view name, std::span<const std::byte> bytes) {
  const auto found = places_.find(name);
  assert(found != places_.end());
  Place& place = found->second;
  assert(bytes.size() == place.size && !place.written);
  file_->write_at(place.offset, bytes);
  place.written = true;
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
