#include "apps/figures.h"

#include <system_error>

namespace evenkeel {

std::string shown_path(const std::filesystem::path& path) {
  std::error_code error;
  const auto here = std::filesystem::current_path(error);
  const auto there = std::filesystem::absolute(path, error).lexically_normal();
  if (error) return path.string();
  const auto inside = there.lexically_relative(here);
  return inside.empty() || *inside.begin() == ".." ? there.string() : inside.string();
}

std::string document(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace evenkeel
