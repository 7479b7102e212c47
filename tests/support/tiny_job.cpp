#include "support/tiny_job.h"

#include <algorithm>

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

}  // namespace evenkeel::support
