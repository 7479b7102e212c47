// What decides the bytes of a job's outputs, so that a job is continued only as what it was.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calib/job.h"
#include "io/checkpoint.h"

namespace evenkeel {

/// Keys that change no byte (memory_limit, output) and paths, for which their files stand, are left
/// out.
struct Fingerprint {
  using Values = std::map<std::string, std::string>;

  std::string program;  // the hash of its file
  Values settings;      // by key, as resolved
  Values text;          // by key, as the YAML has them
  Values files;         // hashes of the model's files and the texts, by "model: config.json"

  bool operator==(const Fingerprint&) const = default;
};

/// Reads every file of the model and every text once. Throws: InputError.
Fingerprint fingerprint_of(const Job& job, const Checkpoint& checkpoint);

/// Of all rows, each with the checkpoint of its model.
Fingerprint fingerprint_of(const Comparison& comparison,
                           const std::vector<const Checkpoint*>& checkpoints);

std::string to_text(const Fingerprint& fingerprint);
/// Nothing when the text is not one.
std::optional<Fingerprint> fingerprint_from(const std::filesystem::path& path,
                                            std::string_view text);

/// Throws: UsageError when program or settings differ, InputError when files do; both begin with
/// `place` and name the first difference.
void require_same(const Fingerprint& earlier, const Fingerprint& now, std::string_view place);

}  // namespace evenkeel
