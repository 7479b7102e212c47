#include "calib/output_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "calib/commit_journal.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr std::string_view discarded_name = ".unfinished";

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
  throw MachineError(
      fmt::format("{}: cannot write the output: {}; choose another 'output' or free "
                  "the place",
                  path.string(), reason));
}

std::string last_error() { return std::generic_category().message(errno); }

bool rename_to(const std::filesystem::path& from, const std::filesystem::path& to) {
  return std::rename(from.c_str(), to.c_str()) == 0;
}

std::filesystem::path aside(const std::filesystem::path& staged) {
  return staged.string() + ".old";
}

bool exchange(const std::filesystem::path& a, const std::filesystem::path& b) {
  return renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
}

// Puts `staged` in the place of `target`, whose old entry goes to `staged` or aside.
void move_into_place(const std::filesystem::path& staged, const std::filesystem::path& target) {
  if (exchange(staged, target)) return;
  // Nothing to exchange with, or a file system that cannot: the old entry, if any, steps aside.
  if (!rename_to(target, aside(staged)) && errno != ENOENT) refuse(target, last_error());
  if (rename_to(staged, target)) return;
  const std::string reason = last_error();
  static_cast<void>(rename_to(aside(staged), target));
  refuse(target, reason);
}

// Undoes move_into_place as far as the machine lets it.
void move_back(const std::filesystem::path& staged, const std::filesystem::path& target) noexcept {
  std::error_code ignored;
  if (exchange(staged, target)) return;
  std::filesystem::remove_all(target, ignored);
  std::filesystem::rename(aside(staged), target, ignored);
}

}  // namespace

OutputFolder::OutputFolder(std::filesystem::path output, Leftovers leftovers, std::string_view kept)
    : output_(std::move(output)),
      staging_(output_ / (leftovers == Leftovers::keep ? kept : discarded_name)) {
  std::error_code error;
  made_ = std::filesystem::create_directories(output_, error);
  if (error) refuse(output_, error.message());
  lock_ = open(output_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) refuse(output_, last_error());
  try {
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0) refuse(output_, "another job is writing there");
    open_staging(leftovers);
  } catch (const MachineError&) {
    close(lock_);
    throw;
  }
}

void OutputFolder::open_staging(Leftovers leftovers) {
  std::error_code error;
  kept_ = leftovers == Leftovers::keep && std::filesystem::exists(job_file(), error);
  if (!kept_) std::filesystem::remove_all(staging_, error);
  if (!error) std::filesystem::create_directory(staging_, error);
  if (error) refuse(output_, error.message());
  if (access(staging_.c_str(), W_OK) != 0) refuse(output_, last_error());
  sync_folder(output_);
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  if (!kept_ || committed_) {
    // Without its job, a half of the folder is nothing to continue.
    std::filesystem::remove(job_file(), ignored);
    fsync(lock_);
    std::filesystem::remove_all(staging_, ignored);
  }
  if (made_ && !committed_) std::filesystem::remove(output_, ignored);  // only when empty
  close(lock_);
}

std::filesystem::path OutputFolder::job_file() const { return staging_ / "job.json"; }

void OutputFolder::clear() {
  kept_ = committed_ = false;
  std::error_code error;
  std::filesystem::remove(job_file(), error);
  if (!error) sync_folder(staging_);
  if (!error) std::filesystem::remove_all(staging_, error);
  if (!error) std::filesystem::create_directory(staging_, error);
  if (error) refuse(output_, error.message());
}

std::filesystem::path OutputFolder::stage(const std::string& name) {
  if (!is_staged(name)) names_.push_back(name);
  return staging_ / name;
}

std::filesystem::path OutputFolder::stage_folder(const std::string& name) {
  std::filesystem::path folder = stage(name);
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  if (error) refuse(output_ / name, error.message());
  return folder;
}

void OutputFolder::commit() {
  std::vector<StagedEntry> entries;
  for (const std::string& name : names_) {
    entries.push_back({name, inode_of(staging_ / name).value_or(0)});
  }
  if (kept_) write_journal(staging_, entries);
  std::size_t moved = 0;
  try {
    for (; moved < names_.size(); ++moved) {
      move_into_place(staging_ / names_[moved], output_ / names_[moved]);
    }
    if (fsync(lock_) != 0) refuse(output_, last_error());
  } catch (const MachineError&) {
    while (moved-- > 0) move_back(staging_ / names_[moved], output_ / names_[moved]);
    remove_journal(staging_);
    throw;
  }
  committed_ = true;
}

bool OutputFolder::is_committing() const { return read_journal(staging_).has_value(); }

bool OutputFolder::end_commit() {
  const auto entries = read_journal(staging_);
  if (!entries) return false;
  for (const StagedEntry& entry : *entries) {
    if (inode_of(output_ / entry.name) == entry.inode) continue;
    if (inode_of(staging_ / entry.name) != entry.inode) {
      refuse(output_ / entry.name, "what the killed job made for it is gone");
    }
    move_into_place(staging_ / entry.name, output_ / entry.name);
  }
  if (fsync(lock_) != 0) refuse(output_, last_error());
  committed_ = true;
  return true;
}

bool OutputFolder::is_staged(const std::string& name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

}  // namespace evenkeel
