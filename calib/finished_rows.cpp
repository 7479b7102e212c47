#include "calib/finished_rows.h"

#include <system_error>

#include <fmt/format.h>

#include "io/content_hash.h"
#include "io/errors.h"
#include "io/strict_json.h"

namespace evenkeel {

namespace fs = std::filesystem;

fs::path FinishedRows::file_of(std::size_t row) const {
  return folder_ / fmt::format("{}.json", row);
}

bool FinishedRows::any() const {
  std::error_code error;
  return fs::exists(folder_, error) && !fs::is_empty(folder_, error);
}

std::optional<nlohmann::ordered_json> FinishedRows::find(std::size_t row) const {
  const auto text = read_checked_text(file_of(row));
  if (!text) return std::nullopt;
  try {
    return parse_json(file_of(row), *text);
  } catch (const InputError&) {
    return std::nullopt;
  }
}

void FinishedRows::keep(std::size_t row, const nlohmann::ordered_json& result) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    throw MachineError(fmt::format("{}: cannot be made: {}", folder_.string(), error.message()));
  }
  write_checked_text(file_of(row), result.dump(1) + "\n");
}

}  // namespace evenkeel
