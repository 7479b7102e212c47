#include "io/tokenizer_component.h"

#include <cstdint>
#include <limits>
#include <utility>

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return one_line(value.dump());
}

}  // namespace

std::optional<ComponentSettings> take_component(Json& document, const std::filesystem::path& path,
                                                std::string_view key) {
  const auto found = document.find(key);
  if (found == document.end() || found->is_null()) return std::nullopt;
  const std::string where = fmt::format("{}: {}", path.string(), key);
  if (!found->is_object()) {
    throw InputError(fmt::format("{}: expected an object, got {}", where, shown(*found)));
  }
  return ComponentSettings(where, std::move(*found));
}

std::vector<ComponentSettings> component_list(const ComponentSettings& settings,
                                              std::string_view key) {
  const auto found = settings.document().find(key);
  if (found == settings.document().end() || !found->is_array()) {
    throw InputError(
        fmt::format("{}: '{}': expected a list of objects", settings.path().string(), key));
  }
  std::vector<ComponentSettings> list;
  list.reserve(found->size());
  for (std::size_t i = 0; i < found->size(); ++i) {
    const std::string where = fmt::format("{}.{}[{}]", settings.path().string(), key, i);
    if (!(*found)[i].is_object()) {
      throw InputError(fmt::format("{}: expected an object, got {}", where, shown((*found)[i])));
    }
    list.emplace_back(where, (*found)[i]);
  }
  return list;
}

TokenId token_id_of(const Json& value, std::string_view where) {
  // One below the largest number, so that the size of the vocabulary is a number too.
  constexpr std::int64_t largest = std::numeric_limits<TokenId>::max() - 1;
  const bool fits = value.is_number_unsigned()
                        ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(largest)
                        : value.is_number_integer() && value.get<std::int64_t>() >= 0 &&
                              value.get<std::int64_t>() <= largest;
  if (!fits) {
    throw InputError(
        fmt::format("{}: expected a token id in [0, {}], got {}", where, largest, shown(value)));
  }
  return value.get<TokenId>();
}

}  // namespace evenkeel
