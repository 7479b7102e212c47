// What a commit is about to move: OUTPUT/.staging/commit.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace evenkeel {

/// A staged entry, known again by its inode wherever it has been moved on its file system.
struct StagedEntry {
  std::string name;
  std::uint64_t inode = 0;
};

/// The inode of a file or folder, symbolic links not followed; nothing when it is not there.
std::optional<std::uint64_t> inode_of(const std::filesystem::path& path);

/// Throws: MachineError.
void write_journal(const std::filesystem::path& staging, const std::vector<StagedEntry>& entries);
/// Nothing when there is none, or not as it was written.
std::optional<std::vector<StagedEntry>> read_journal(const std::filesystem::path& staging);
void remove_journal(const std::filesystem::path& staging) noexcept;

}  // namespace evenkeel
