// Files: a read-only mapping, and a file that replaces another only when complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace evenkeel {

/// A whole file mapped read-only. Move-only; the bytes live as long as the object. The file must
/// not be shortened meanwhile: the kernel ends a program that reads what is no longer there
/// (SIGBUS). Files that are replaced by ReplacingFile are safe: the mapping keeps the old one.
class MappedFile {
 public:
  MappedFile() = default;
  /// Throws: InputError when the file is absent, unreadable or not a regular file.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const;
  /// Drops the resident pages that lie wholly inside [offset, offset + size).
  void release(std::size_t offset, std::size_t size) const;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What becomes of work that did not come to its end.
enum class Leftovers {
  discard,  // it goes, and nothing of an earlier program's is used
  keep      // it stays, and what an earlier program left is continued
};

/// A file written under a temporary name (TARGET.partial) beside its target; `commit` syncs and
/// renames it (and syncs the folder). Destroyed without `commit`, it removes the temporary file
/// unless that is to be kept. Only one at a time may write a target.
class ReplacingFile {
 public:
  /// With `keep`, a target that was committed becomes the temporary file again.
  /// Throws: MachineError with the path and the system's reason, or when another program is writing
  /// it.
  explicit ReplacingFile(std::filesystem::path target, Leftovers leftovers = Leftovers::discard);
  ReplacingFile(const ReplacingFile&) = delete;
  ReplacingFile& operator=(const ReplacingFile&) = delete;
  ~ReplacingFile();

  const std::filesystem::path& temporary() const { return temporary_; }

  // Each throws MachineError with the path and the system's reason.
  /// Reserves disk space, so that a full disk is found before the work; `commit` gives back what
  /// was not used.
  void reserve(std::uint64_t size);
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Writes after the last byte written so far.
  void append(std::string_view text);
  /// Makes it so many bytes long; what is added is zeros until written.
  void resize(std::uint64_t size);
  /// Bytes there are; those of an earlier program count.
  std::uint64_t size() const { return end_; }
  /// REQUIRES: the bytes are in the file.
  void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;
  /// Returns when what was written so far is on the disk.
  void sync();
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  Leftovers leftovers_;
  int descriptor_ = -1;
  std::uint64_t end_ = 0;
};

/// The whole of a small text file. Throws: InputError.
std::string read_text(const std::filesystem::path& path);
/// Returns when the names in a folder are on the disk as they are now. Throws: MachineError.
void sync_folder(const std::filesystem::path& folder);
/// Replaces `path` by `text` at once, or leaves it as it was. Throws: MachineError.
void write_text(const std::filesystem::path& path, std::string_view text);

}  // namespace evenkeel
