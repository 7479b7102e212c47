// A file for what memory cannot hold: it has no name and is gone when the program is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace evenkeel {

/// Bytes of the native machine, read and written by offset. Reads and writes pass through the
/// kernel's page cache: a write returns when its bytes are there and the kernel carries them to
/// disk meanwhile (or never, when the file is gone by then), and a read waits for the disk only
/// where `will_read` did not come early enough.
/// Thread-safe but for `reserve`; calls on one range of bytes must not overlap in time.
class SpillFile {
 public:
  /// In the file system of `folder`, which must be there. Nothing of it can be seen in the folder.
  /// Throws: MachineError with the folder and the system's reason.
  explicit SpillFile(std::filesystem::path folder);
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;
  ~SpillFile();

  // Each but will_read throws MachineError with the folder and the system's reason.
  /// Disk space for bytes [0, size), so that a full disk is found before the work.
  void reserve(std::uint64_t size);
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// REQUIRES: all of them were written.
  void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;
  /// Has the kernel read them while the caller does something else. Advice: it never fails.
  void will_read(std::uint64_t offset, std::uint64_t size) const;

 private:
  [[noreturn]] void fail(const char* what, int error) const;

  std::filesystem::path folder_;
  int descriptor_ = -1;
};

}  // namespace evenkeel
