#include "io/checkpoint_shards.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "io/checkpoint_layout.h"
#include "io/errors.h"
#include "io/json_reader.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using WeightMap = std::map<std::string, std::string, std::less<>>;  // tensor to shard

// A name that the system refuses (too long, say) is not there.
bool is_there(const std::filesystem::path& path) {
  std::error_code refused;
  return std::filesystem::exists(path, refused);
}

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

std::vector<TensorFile> open_named_shards(const std::filesystem::path& folder,
                                          const std::filesystem::path& index,
                                          const WeightMap& weight_map) {
  std::set<std::string> names;
  for (const auto& [tensor, shard] : weight_map) names.insert(shard);
  std::vector<TensorFile> shards;
  shards.reserve(names.size());
  for (const std::string& name : names) {
    if (!is_there(folder / name)) {
      throw InputError(
          fmt::format("{}: names shard {}, which is not in the folder; download it or export the "
                      "checkpoint again",
                      index.string(), in_quotes(name)));
    }
    shards.push_back(SafetensorsFile(folder / name));
  }
  return shards;
}

// The index and the shards say the same.
void check_index(const std::filesystem::path& index, const WeightMap& weight_map,
                 const std::vector<TensorFile>& shards) {
  std::map<std::string_view, std::string> holders;
  for (const TensorFile& shard : shards) {
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

}  // namespace

std::vector<TensorFile> open_shards(const std::filesystem::path& folder) {
  const std::filesystem::path single = folder / single_weights_name;
  const std::filesystem::path index = folder / weights_index_name;
  const bool has_single = is_there(single);
  const bool has_index = is_there(index);
  if (has_single && has_index) {
    throw InputError(fmt::format("{}: holds both {} and {}; remove the one that is not meant",
                                 folder.string(), single_weights_name, weights_index_name));
  }
  std::vector<TensorFile> shards;
  if (has_single) {
    shards.push_back(SafetensorsFile(single));
  } else if (has_index) {
    const WeightMap weight_map = weight_map_of(JsonReader(index));
    shards = open_named_shards(folder, index, weight_map);
    check_index(index, weight_map, shards);
  } else {
    throw InputError(fmt::format("{}: holds neither {} nor {}; convert the weights to safetensors",
                                 folder.string(), single_weights_name, weights_index_name));
  }
  return shards;
}

}  // namespace evenkeel
