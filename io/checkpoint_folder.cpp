#include "io/checkpoint_folder.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "io/checkpoint_layout.h"
#include "io/checkpoint_shards.h"
#include "io/errors.h"
#include "io/file.h"

namespace evenkeel {
namespace {

// Tokenizer, generation settings and terms: what a reader of the checkpoint needs beside weights.
bool is_companion(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  const std::string extension = file.extension().string();
  if (name == config_name || name.ends_with(".index.json")) return false;
  return name.starts_with("LICENSE") || extension == ".json" || extension == ".txt" ||
         extension == ".model" || extension == ".jinja";
}

std::vector<std::filesystem::path> companions_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;  // such as a link to nothing
    if (!entry->is_regular_file(unreadable) || !is_companion(entry->path())) continue;
    files.push_back(entry->path());
  }
  if (error) {
    throw InputError(fmt::format("{}: cannot be listed: {}", folder.string(), error.message()));
  }
  return files;
}

}  // namespace

CheckpointFolder::CheckpointFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

JsonReader CheckpointFolder::config() const { return JsonReader(folder_ / config_name); }

std::vector<TensorFile> CheckpointFolder::shards() const { return open_shards(folder_); }

std::optional<JsonReader> CheckpointFolder::index() const {
  std::error_code error;
  if (!std::filesystem::exists(folder_ / weights_index_name, error)) return std::nullopt;
  return JsonReader(folder_ / weights_index_name);
}

Tokenizer CheckpointFolder::tokenizer() const { return Tokenizer(folder_ / tokenizer_name); }

void CheckpointFolder::write_companions(const std::filesystem::path& folder) const {
  for (const std::filesystem::path& file : companions_of(folder_)) {
    write_text(folder / file.filename(), MappedFile(file).text());
  }
}

std::vector<std::filesystem::path> CheckpointFolder::files() const {
  std::vector<std::filesystem::path> files = companions_of(folder_);
  files.push_back(folder_ / config_name);
  std::error_code error;
  if (std::filesystem::exists(folder_ / weights_index_name, error)) {
    files.push_back(folder_ / weights_index_name);
  }
  for (const TensorFile& shard : shards()) files.push_back(shard.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace evenkeel
