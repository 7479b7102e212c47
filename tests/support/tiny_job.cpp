#include "support/tiny_job.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "support/safetensors_builder.h"

namespace evenkeel::support {

TinyJob::TinyJob(const TinyOpt& options) {
  write_tiny_opt(folder_ / "model", options);
  write_token_ids(folder_ / "calibration.safetensors", 8, 16, 11);
  write_token_ids(folder_ / "evaluation.safetensors", 4, 16, 12);
  write_bytes(file(), R"(model: model
calibration:
  corpus: calibration.safetensors
  samples: 6
  sequence_length: 16
  batch: 2
transform:
  method: os_plus
  search_samples: 2
scheme: w8a8
evaluate:
  perplexity: [evaluation.safetensors]
  sequence_length: 16
output: out
)");
}

FileBytes files_below(const std::filesystem::path& folder) {
  FileBytes files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) continue;
    files.emplace_back(entry.path().lexically_relative(folder).string(), read_bytes(entry.path()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

FileBytes outputs_below(const std::filesystem::path& output) {
  FileBytes files = files_below(output);
  std::erase_if(files, [](const auto& file) {
    return file.first == "report.html" || file.first.starts_with("charts/seconds.");
  });
  for (auto& [name, bytes] : files) {
    if (name != "summary.json") continue;
    auto summary = nlohmann::ordered_json::parse(bytes);
    summary.erase("seconds");
    summary.erase("peak_memory_bytes");
    bytes = summary.dump();
  }
  return files;
}

}  // namespace evenkeel::support
