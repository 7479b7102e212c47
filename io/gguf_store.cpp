#include "io/gguf_store.h"

#include <map>
#include <string>

#include <fmt/format.h>

#include "io/checkpoint_layout.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/gguf_config.h"
#include "io/gguf_family.h"
#include "io/gguf_tensors.h"
#include "io/gguf_tokenizer.h"

namespace evenkeel {

GgufStore::GgufStore(const std::filesystem::path& file) : file_(file) {
  const auto parts = file_.integer("split.count");
  if (!parts || *parts <= 1) return;
  throw InputError(
      fmt::format("{}: is one of {} parts of a model ('split.count'); merge them, for "
                  "example with llama-gguf-split --merge",
                  file.string(), *parts));
}

JsonReader GgufStore::config() const {
  return {file_.path(), gguf_config(file_, gguf_family_of(file_))};
}

std::vector<TensorFile> GgufStore::shards() const {
  std::vector<TensorFile> shards;
  shards.emplace_back(file_.path(), single_weights_name, file_.mapping(),
                      gguf_tensors(file_, gguf_family_of(file_)),
                      std::map<std::string, std::string>{{"format", "pt"}});
  return shards;
}

std::optional<JsonReader> GgufStore::index() const { return std::nullopt; }

Tokenizer GgufStore::tokenizer() const { return {gguf_tokenizer(file_), file_.path()}; }

void GgufStore::write_companions(const std::filesystem::path& folder) const {
  if (!has_tokenizer(file_)) return;
  const nlohmann::ordered_json document = gguf_tokenizer(file_);
  // What is wrong is found here, not by who reads the copy.
  const Tokenizer readable(document, file_.path());
  write_text(folder / tokenizer_name, document.dump(2) + "\n");
}

}  // namespace evenkeel
