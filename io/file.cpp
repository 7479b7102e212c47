#include "io/file.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

// A descriptor that is closed when it goes.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  int take() { return std::exchange(number_, -1); }

 private:
  int number_;
};

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void unreadable(const std::filesystem::path& path, std::string_view why) {
  throw InputError(fmt::format("{}: cannot be read: {}; check the path and its permissions",
                               path.string(), why));
}

[[noreturn]] void unwritable(const std::filesystem::path& path, int error) {
  const std::string_view advice = error == ENOSPC || error == EDQUOT || error == EFBIG
                                      ? "free some space or choose another output folder"
                                      : "choose an output folder that can be written";
  throw MachineError(
      fmt::format("{}: cannot be written: {}; {}", path.string(), reason(error), advice));
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Opens the temporary file for this process alone. What a killed program left there is reused.
int open_exclusively(const std::filesystem::path& path) {
  constexpr mode_t everyone = 0666;  // less the umask
  for (;;) {
    Descriptor file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, everyone));
    if (file.number() < 0) unwritable(path, errno);
    if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) unwritable(path, errno);
      throw MachineError(fmt::format(
          "{}: another program is writing it; wait for it or choose another output folder",
          path.string()));
    }
    // Whoever held the lock before may have renamed the file since it was opened here.
    struct stat opened {};
    struct stat named {};
    if (::fstat(file.number(), &opened) != 0) unwritable(path, errno);
    if (::lstat(path.c_str(), &named) != 0 || !same_file(opened, named)) continue;
    return file.take();
  }
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // O_NONBLOCK: a named pipe must not wait for a writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) unreadable(path, reason(errno));
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) unreadable(path, reason(errno));
  if (!S_ISREG(status.st_mode)) unreadable(path, "it is not a regular file");
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* const mapping = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (mapping == MAP_FAILED) unreadable(path, reason(errno));
  data_ = static_cast<const std::byte*>(mapping);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

std::string_view MappedFile::text() const { return {reinterpret_cast<const char*>(data_), size_}; }

void MappedFile::release(std::size_t offset, std::size_t size) const {
  assert(offset <= size_ && size <= size_ - offset);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t begin = (offset + page - 1) / page * page;
  const std::size_t end = (offset + size) / page * page;
  if (begin >= end) return;
  // Advice: when it is refused, pages stay until the kernel needs them.
  ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

ReplacingFile::ReplacingFile(std::filesystem::path target, Leftovers leftovers)
    : target_(std::move(target)), temporary_(target_.string() + ".partial"), leftovers_(leftovers) {
  if (leftovers_ == Leftovers::keep && ::rename(target_.c_str(), temporary_.c_str()) != 0 &&
      errno != ENOENT) {
    unwritable(target_, errno);
  }
  Descriptor file(open_exclusively(temporary_));
  if (leftovers_ == Leftovers::discard && ::ftruncate(file.number(), 0) != 0) {
    unwritable(target_, errno);
  }
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) unwritable(target_, errno);
  end_ = static_cast<std::uint64_t>(status.st_size);
  descriptor_ = file.take();
}

ReplacingFile::~ReplacingFile() {
  if (descriptor_ < 0) return;
  // Removed before the lock goes, so that it is never another program's.
  if (leftovers_ == Leftovers::discard) ::unlink(temporary_.c_str());
  ::close(descriptor_);
}

void ReplacingFile::reserve(std::uint64_t size) {
  if (size == 0) return;
  if (size > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
    unwritable(target_, EFBIG);
  }
  const int error = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(size));
  // A file system that cannot reserve finds out while writing.
  if (error != 0 && error != EOPNOTSUPP && error != EINVAL) unwritable(target_, error);
}

void ReplacingFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  assert(descriptor_ >= 0);
  end_ = std::max(end_, offset + bytes.size());
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) unwritable(target_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void ReplacingFile::append(std::string_view text) {
  write_at(end_, std::as_bytes(std::span(text)));
}

void ReplacingFile::resize(std::uint64_t size) {
  assert(descriptor_ >= 0);
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) unwritable(target_, errno);
  end_ = size;
}

void ReplacingFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
  assert(descriptor_ >= 0 && offset <= end_ && bytes.size() <= end_ - offset);
  while (!bytes.empty()) {
    const ssize_t got =
        ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) unwritable(target_, got < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

void ReplacingFile::sync() {
  assert(descriptor_ >= 0);
  if (::fdatasync(descriptor_) != 0) unwritable(target_, errno);
}

void ReplacingFile::commit() {
  assert(descriptor_ >= 0);
  // What was reserved beyond the last byte written is given back.
  if (::ftruncate(descriptor_, static_cast<off_t>(end_)) != 0) unwritable(target_, errno);
  if (::fsync(descriptor_) != 0) unwritable(target_, errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) unwritable(target_, errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) unwritable(target_, errno);
  sync_folder(target_.parent_path());
}

std::string read_text(const std::filesystem::path& path) {
  return std::string(MappedFile(path).text());
}

void sync_folder(const std::filesystem::path& path) {
  const Descriptor folder(
      ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number() < 0) unwritable(path, errno);
  // Some file systems have nothing to sync for a folder and say so.
  if (::fsync(folder.number()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    unwritable(path, errno);
  }
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  ReplacingFile file(path);
  file.append(text);
  file.commit();
}

}  // namespace evenkeel
