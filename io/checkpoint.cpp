#include "io/checkpoint.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "io/checkpoint_layout.h"
#include "io/errors.h"
#include "io/floats.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using WeightMap = std::map<std::string, std::string, std::less<>>;  // tensor to shard

// A shard lies in the folder itself: an index must not make us read elsewhere.
bool is_plain_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

WeightMap weight_map_of(const JsonReader& index) {
  const std::string path = index.path().string();
  const auto found = index.document().find("weight_map");
  if (found == index.document().end() || !found->is_object() || found->empty()) {
    throw InputError(path +
                     ": 'weight_map': expected an object that maps each tensor to its shard; "
                     "download or export it again");
  }
  WeightMap map;
  for (const auto& [tensor, shard] : found->items()) {
    if (!shard.is_string() || !is_plain_file_name(shard.get_ref<const std::string&>())) {
      throw InputError(
          fmt::format("{}: weight_map: tensor {} is in {}, which is not the name of a file in this "
                      "folder; download or export it again",
                      path, in_quotes(tensor), one_line(shard.dump())));
    }
    map.emplace(tensor, shard.get<std::string>());
  }
  return map;
}

std::vector<SafetensorsFile> open_shards(const std::filesystem::path& folder,
                                         const std::filesystem::path& index,
                                         const WeightMap& weight_map) {
  std::set<std::string> names;
  for (const auto& [tensor, shard] : weight_map) names.insert(shard);
  std::vector<SafetensorsFile> shards;
  shards.reserve(names.size());
  for (const std::string& name : names) {
    if (!std::filesystem::exists(folder / name)) {
      throw InputError(fmt::format("{}: names shard {}, which is not in the folder; download it",
                                   index.string(), in_quotes(name)));
    }
    shards.emplace_back(folder / name);
  }
  return shards;
}

// The index and the shards say the same.
void check_index(const std::filesystem::path& index, const WeightMap& weight_map,
                 const std::vector<SafetensorsFile>& shards) {
  std::map<std::string_view, std::string> holders;
  for (const SafetensorsFile& shard : shards) {
    const std::string file = shard.path().filename().string();
    for (const StoredTensor& tensor : shard.tensors()) {
      const auto [holder, first] = holders.emplace(tensor.name, file);
      if (!first) {
        throw InputError(fmt::format("{}: tensor {} is also in {}; remove one of the two",
                                     shard.path().string(), in_quotes(tensor.name),
                                     in_quotes(holder->second)));
      }
      const auto entry = weight_map.find(tensor.name);
      if (entry == weight_map.end() || entry->second != file) {
        throw InputError(
            fmt::format("{}: tensor {} is here, but {} {}; download or export the checkpoint again",
                        shard.path().string(), in_quotes(tensor.name), index.filename().string(),
                        entry == weight_map.end() ? "does not name it"
                                                  : "puts it in " + in_quotes(entry->second)));
      }
    }
  }
  for (const auto& [tensor, shard] : weight_map) {
    if (holders.contains(tensor)) continue;
    throw InputError(
        fmt::format("{}: puts tensor {} in {}, which does not hold it; download or "
                    "export the checkpoint again",
                    index.string(), in_quotes(tensor), in_quotes(shard)));
  }
}

std::vector<SafetensorsFile> shards_of(const std::filesystem::path& folder) {
  const std::filesystem::path single = folder / single_weights_name;
  const std::filesystem::path index = folder / weights_index_name;
  const bool has_single = std::filesystem::exists(single);
  const bool has_index = std::filesystem::exists(index);
  if (has_single && has_index) {
    throw InputError(fmt::format("{}: holds both {} and {}; remove the one that is not meant",
                                 folder.string(), single_weights_name, weights_index_name));
  }
  std::vector<SafetensorsFile> shards;
  if (has_single) {
    shards.emplace_back(single);
  } else if (has_index) {
    const WeightMap weight_map = weight_map_of(JsonReader(index));
    shards = open_shards(folder, index, weight_map);
    check_index(index, weight_map, shards);
  } else {
    throw InputError(fmt::format("{}: holds neither {} nor {}; convert the weights to safetensors",
                                 folder.string(), single_weights_name, weights_index_name));
  }
  return shards;
}

std::filesystem::path existing_config(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw InputError(folder.string() +
                     ": no such folder; give the folder that holds the model's config.json");
  }
  return folder / config_name;
}

// One tensor being decoded: where it is, for messages.
struct Source {
  const SafetensorsFile& file;
  const StoredTensor& tensor;

  [[noreturn]] void fail(std::string_view what) const {
    throw InputError(
        fmt::format("{}: tensor {}: {}", file.path().string(), in_quotes(tensor.name), what));
  }

  void require(const std::vector<std::int64_t>& shape) const {
    if (tensor.shape != shape) {
      fail(
          fmt::format("expected shape {} (from config.json), got {}; config.json and weights do "
                      "not belong together",
                      shape_text(shape), tensor.shape_text()));
    }
    if (!is_float(tensor.dtype)) {
      fail(fmt::format("expected dtype F32, F16 or BF16, got {}; export the model in one of these",
                       name_of(tensor.dtype)));
    }
  }

  // Elements [first, first + out.size()).
  void decode(Index first, std::span<float> out) const {
    const std::size_t size = size_of(tensor.dtype);
    decode_floats(tensor.dtype,
                  tensor.bytes.subspan(static_cast<std::size_t>(first) * size, out.size() * size),
                  out);
    if (const auto bad = first_not_finite(out)) {
      refuse(first + static_cast<Index>(*bad), out[*bad]);
    }
  }

  [[noreturn]] void refuse(Index element, float value) const {
    const auto position = static_cast<std::uint64_t>(element);
    fail(fmt::format(
        "{} (byte {} of the file) is {}; no range can be found with such a weight, "
        "download or export it again",
        element_text(tensor.shape, position), tensor.file_offset + position * size_of(tensor.dtype),
        std::isnan(value) ? "NaN" : "infinite"));
  }
};

std::span<float> elements_of(Matrix& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

}  // namespace

Checkpoint::Checkpoint(const std::filesystem::path& folder)
    : folder_(folder), config_(existing_config(folder)), shards_(shards_of(folder)) {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    for (const StoredTensor& tensor : shards_[i].tensors()) {
      tensors_.emplace(tensor.name, std::pair(i, &tensor));
    }
  }
}

std::int64_t Checkpoint::parameters() const {
  std::int64_t count = 0;
  for (const auto& [name, place] : tensors_) {
    if (is_float(place.second->dtype)) count += place.second->elements();
  }
  return count;
}

const StoredTensor* Checkpoint::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : found->second.second;
}

const StoredTensor& Checkpoint::at(std::string_view name) const { return *place(name).second; }

const Checkpoint::Place& Checkpoint::place(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  throw InputError(fmt::format("{}: tensor {} is missing", folder_.string(), in_quotes(name)));
}

Matrix Checkpoint::matrix(std::string_view name, Index rows, Index columns) const {
  return row_range(name, rows, columns, 0, rows);
}

Vector Checkpoint::vector(std::string_view name, Index size) const {
  const auto& [shard, tensor] = place(name);
  const Source source{shards_[shard], *tensor};
  source.require({size});
  Vector values(size);
  source.decode(0, {values.data(), static_cast<std::size_t>(size)});
  return values;
}

Matrix Checkpoint::gather(std::string_view name, Index rows, Index columns,
                          std::span<const TokenId> ids) const {
  const auto& [shard, tensor] = place(name);
  const Source source{shards_[shard], *tensor};
  source.require({rows, columns});
  Matrix values(static_cast<Index>(ids.size()), columns);
  std::span<float> rest = elements_of(values);
  for (const TokenId id : ids) {
    assert(id >= 0 && id < rows);
    const auto width = static_cast<std::size_t>(columns);
    source.decode(id * columns, rest.first(width));
    rest = rest.subspan(width);
  }
  return values;
}

Matrix Checkpoint::row_range(std::string_view name, Index rows, Index columns, Index first,
                             Index count) const {
  const auto& [shard, tensor] = place(name);
  const Source source{shards_[shard], *tensor};
  source.require({rows, columns});
  assert(first >= 0 && count >= 0 && first <= rows && count <= rows - first);
  Matrix values(count, columns);
  source.decode(first * columns, elements_of(values));
  return values;
}

void Checkpoint::release(std::string_view name) const {
  const auto& [shard, tensor] = place(name);
  shards_[shard].release(*tensor);
}

}  // namespace evenkeel
