#include "calib/hidden_memory.h"

#include <cassert>
#include <cstdlib>
#include <limits>

namespace evenkeel {

bool HiddenMemory::take(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > free_) return false;
  free_ -= bytes;
  return true;
}

std::uint64_t HiddenMemory::spill(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!file_) file_.emplace(spill_folder_);
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  file_->reserve(bytes < most - end_ ? end_ + bytes : most);
  const std::uint64_t begin = end_;
  end_ += bytes;
  spilled_ += bytes;
  return begin;
}

void HiddenMemory::give_back(std::uint64_t memory_bytes, std::uint64_t spilled_bytes) {
  const std::lock_guard lock(mutex_);
  assert(spilled_bytes <= spilled_);
  free_ += memory_bytes;
  spilled_ -= spilled_bytes;
  if (spilled_ == 0) end_ = 0;
}

std::filesystem::path temporary_folder() {
  const char* const chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
}

}  // namespace evenkeel
