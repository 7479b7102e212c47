#include "io/gguf_config.h"

#include <string>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/gguf_rope.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view embedding = "token_embd.weight";

}  // namespace

Json gguf_config(const GgufFile& file, const GgufFamily& family) {
  Json config{{"architectures", {family.class_name}}, {"model_type", family.model_type}};
  for (const GgufKey& rule : family.keys) {
    const std::string key = gguf_key(file, rule.gguf);
    if (file.find(key) == nullptr) {
      if (rule.required) file.missing(key);
      continue;
    }
    switch (rule.kind) {
      case GgufKey::Kind::count:
        config[rule.config] = *file.count(key);
        break;
      case GgufKey::Kind::number:
        config[rule.config] = *file.number(key);
        break;
      case GgufKey::Kind::flag:
        config[rule.config] = *file.boolean(key);
        break;
    }
  }
  for (const GgufConstant& rule : family.constants) {
    config[rule.config] = Json::parse(rule.value);
  }
  for (const GgufPresence& rule : family.presences) {
    config[rule.config] = (file.find_tensor(rule.tensor) != nullptr) == rule.when_present;
  }
  const StoredTensor* const tokens = file.find_tensor(embedding);
  if (tokens == nullptr) {
    throw InputError(fmt::format("{}: tensor '{}' is missing; the file holds no whole model",
                                 file.path().string(), embedding));
  }
  config["vocab_size"] = tokens->shape.front();
  add_rope(file, family, config);
  if (family.derive != nullptr) family.derive(config);
  return config;
}

}  // namespace evenkeel
