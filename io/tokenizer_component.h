// The components that tokenizer.json names by "type": one way to read them all. Each kind of
// component (normalizer, pre-tokenizer, model, post-processor) has a table of the types known.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/errors.h"
#include "io/json_reader.h"
#include "io/matrix.h"
#include "io/one_line.h"

namespace evenkeel {

/// The settings of one component. Their `path()` is the file's path and the component's place in
/// it ("tokenizer.json: pre_tokenizer"), so that a message tells both.
using ComponentSettings = JsonReader;

/// Takes the object at `key` out of `document`; nothing when it is absent or null.
/// Throws: InputError when it is anything else.
std::optional<ComponentSettings> take_component(nlohmann::ordered_json& document,
                                                const std::filesystem::path& path,
                                                std::string_view key);

/// The objects of the list at `key`, each with its place. Throws: InputError.
std::vector<ComponentSettings> component_list(const ComponentSettings& settings,
                                              std::string_view key);

/// `value` as a token id. Throws: InputError "WHERE: expected a token id in [...], got ...".
TokenId token_id_of(const nlohmann::ordered_json& value, std::string_view where);

/// One type of component and how it is made. `Context` is what it must know besides its settings.
template <class Component, class... Context>
struct ComponentType {
  std::string_view name;
  std::unique_ptr<const Component> (*make)(const ComponentSettings& settings, Context... context);
};

/// Throws: InputError "PATH: pre_tokenizer: type 'Metaspace' is not supported; supported: ..." and
/// whatever making it throws.
template <class Component, class... Context>
std::unique_ptr<const Component> make_component(
    const ComponentSettings& settings, std::string_view type_name,
    std::span<const ComponentType<Component, Context...>> types, Context... context) {
  std::string supported;
  for (const auto& type : types) {
    if (type.name == type_name) return type.make(settings, context...);
    supported += fmt::format("{}{}", supported.empty() ? "" : ", ", type.name);
  }
  throw InputError(fmt::format("{}: type {} is not supported; supported: {}",
                               settings.path().string(), in_quotes(type_name),
                               supported.empty() ? "none (null)" : supported));
}

}  // namespace evenkeel
