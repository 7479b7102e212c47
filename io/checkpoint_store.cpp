#include "io/checkpoint_store.h"

#include <system_error>

#include <fmt/format.h>

#include "io/checkpoint_folder.h"
#include "io/errors.h"
#include "io/gguf.h"
#include "io/gguf_store.h"

namespace evenkeel {
namespace {

bool is_folder(const std::filesystem::path& path) {
  std::error_code refused;
  return std::filesystem::is_directory(path, refused);
}

}  // namespace

bool is_checkpoint(const std::filesystem::path& path) {
  return is_folder(path) || GgufFile::is_one(path) || path.extension() == ".gguf";
}

std::unique_ptr<const CheckpointStore> open_checkpoint_store(const std::filesystem::path& path) {
  if (is_folder(path)) return std::make_unique<const CheckpointFolder>(path);
  if (!is_checkpoint(path)) {
    throw InputError(fmt::format(
        "{}: no such folder or GGUF file; give the folder that holds the model's config.json, or "
        "a GGUF file",
        path.string()));
  }
  return std::make_unique<const GgufStore>(path);
}

}  // namespace evenkeel
