#include "calib/report/scheme_fields.h"

#include "io/one_line.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::string value_text(const Json& value) {
  return one_line(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string part_text(const Json& part) {
  if (!part.is_object()) return value_text(part);
  std::string text;
  for (const auto& [key, value] : part.items()) {
    text += (text.empty() ? "" : ", ") + one_line(key) + " " + value_text(value);
  }
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> scheme_fields(const Json& scheme) {
  std::vector<std::pair<std::string, std::string>> fields;
  if (!scheme.is_object()) return fields;
  for (const auto& [name, part] : scheme.items()) {
    if (name == "nodes" && part.is_object()) {
      for (const auto& [node, own] : part.items()) {
        fields.emplace_back(one_line(node), part_text(own));
      }
      continue;
    }
    fields.emplace_back(one_line(name), part_text(part));
  }
  return fields;
}

}  // namespace evenkeel
