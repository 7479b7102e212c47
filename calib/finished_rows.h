// The rows of a comparison that an earlier attempt finished: OUTPUT/.staging/rows/N.json.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "calib/output_folder.h"

namespace evenkeel {

/// Each row is written at once, with its hash. Rows may be kept from several threads.
class FinishedRows {
 public:
  explicit FinishedRows(const OutputFolder& folder) : folder_(folder.staging() / "rows") {}

  /// Whether there is any, good or not.
  bool any() const;
  /// Nothing when the row is not there, or damaged.
  std::optional<nlohmann::ordered_json> find(std::size_t row) const;
  /// Throws: MachineError.
  void keep(std::size_t row, const nlohmann::ordered_json& result) const;

 private:
  std::filesystem::path file_of(std::size_t row) const;

  std::filesystem::path folder_;
};

}  // namespace evenkeel
