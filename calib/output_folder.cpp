#include "calib/output_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr const char* staging_name = ".staging";

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
  throw MachineError(
      fmt::format("{}: cannot write the output: {}; choose another 'output' or free "
                  "the place",
                  path.string(), reason));
}

std::string last_error() { return std::generic_category().message(errno); }

// Swaps two existing entries at once, or renames when nothing stands at `target`.
void move_into_place(const std::filesystem::path& staged, const std::filesystem::path& target) {
  const bool exists = std::filesystem::exists(std::filesystem::symlink_status(target));
  if (exists &&
      renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
    return;
  }
  if (exists) {
    // A file system that cannot exchange: the old entry steps aside first.
    if (std::rename(target.c_str(), (staged.string() + ".old").c_str()) != 0) {
      refuse(target, last_error());
    }
  }
  if (std::rename(staged.c_str(), target.c_str()) != 0) refuse(target, last_error());
}

}  // namespace

OutputFolder::OutputFolder(std::filesystem::path output)
    : output_(std::move(output)), staging_(output_ / staging_name) {
  std::error_code error;
  made_ = std::filesystem::create_directories(output_, error);
  if (error) refuse(output_, error.message());
  lock_ = open(output_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) refuse(output_, last_error());
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    close(lock_);
    refuse(output_, "another job is writing there");
  }
  std::filesystem::remove_all(staging_, error);
  if (!error) std::filesystem::create_directory(staging_, error);
  if (error || access(staging_.c_str(), W_OK) != 0) {
    close(lock_);
    refuse(output_, error ? error.message() : last_error());
  }
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(staging_, ignored);
  if (made_ && !committed_) std::filesystem::remove(output_, ignored);  // only when empty
  close(lock_);
}

std::filesystem::path OutputFolder::stage(const std::string& name) {
  if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
  return staging_ / name;
}

void OutputFolder::commit(const std::vector<std::string>& stale) {
  for (const std::string& name : names_) move_into_place(staging_ / name, output_ / name);
  for (const std::string& name : stale) {
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) continue;
    std::error_code error;
    std::filesystem::remove_all(output_ / name, error);
    if (error) refuse(output_ / name, error.message());
  }
  if (fsync(lock_) != 0) refuse(output_, last_error());
  committed_ = true;
}

}  // namespace evenkeel
