// What the hidden states of a job may take in memory, and the file for the rest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>

#include "io/spill_file.h"

namespace evenkeel {

inline constexpr std::uint64_t default_memory_limit = std::uint64_t{2} << 30U;

/// Shared by all streams of a job. First come, first served: what asks first stays in memory.
/// Must outlive what was taken of it. Thread-safe.
class HiddenMemory {
 public:
  /// `spill_folder` must be there when the limit is first exceeded.
  HiddenMemory(std::uint64_t limit, std::filesystem::path spill_folder)
      : free_(limit), spill_folder_(std::move(spill_folder)) {}
  HiddenMemory(const HiddenMemory&) = delete;
  HiddenMemory& operator=(const HiddenMemory&) = delete;

  /// Whether so many bytes of memory are left; they are the caller's then.
  bool take(std::uint64_t bytes);
  /// Room for so many bytes in the file: where it begins. Throws: MachineError as SpillFile.
  std::uint64_t spill(std::uint64_t bytes);
  /// What was taken. The file's room is used again when all of it was given back.
  void give_back(std::uint64_t memory_bytes, std::uint64_t spilled_bytes);

  /// REQUIRES: `spill` was called.
  SpillFile& file() { return *file_; }

 private:
  std::mutex mutex_;
  std::uint64_t free_;
  std::filesystem::path spill_folder_;
  std::optional<SpillFile> file_;
  std::uint64_t spilled_ = 0;  // bytes in use
  std::uint64_t end_ = 0;      // of the file's room that was handed out
};

/// Where a program that has no output folder spills: $TMPDIR, else /var/tmp, which, unlike /tmp, is
/// a disk.
std::filesystem::path temporary_folder();

}  // namespace evenkeel
