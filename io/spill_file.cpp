#include "io/spill_file.h"

#include <cerrno>
#include <cstdlib>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr mode_t owner_only = 0600;

// A named file that loses its name at once, where the file system has none without.
int open_and_unlink(const std::filesystem::path& folder) {
  std::string name = (folder / ".spill-XXXXXX").string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor >= 0) ::unlink(name.c_str());
  return descriptor;
}

int open_without_name(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, owner_only);
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
    return descriptor;
  }
  return open_and_unlink(folder);
}

bool is_full(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

}  // namespace

SpillFile::SpillFile(std::filesystem::path folder) : folder_(std::move(folder)) {
  descriptor_ = open_without_name(folder_);
  if (descriptor_ < 0) fail("made", errno);
}

SpillFile::~SpillFile() { ::close(descriptor_); }

void SpillFile::fail(const char* what, int error) const {
  throw MachineError(fmt::format(
      "{}: a temporary file for what is beyond the memory limit cannot be {}: {}; {} or raise the "
      "memory limit",
      folder_.string(), what, std::generic_category().message(error),
      is_full(error) ? "free some space there" : "choose another folder"));
}

void SpillFile::reserve(std::uint64_t size) {
  if (size == 0) return;
  if (size > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) fail("written", EFBIG);
  const int error = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(size));
  // A file system that cannot reserve finds out while writing.
  if (error != 0 && error != EOPNOTSUPP && error != EINVAL) fail("written", error);
}

void SpillFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void SpillFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t read =
        ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) fail("read", read < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(read));
    offset += static_cast<std::uint64_t>(read);
  }
}

void SpillFile::will_read(std::uint64_t offset, std::uint64_t size) const {
  ::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(size),
                  POSIX_FADV_WILLNEED);
}

}  // namespace evenkeel
