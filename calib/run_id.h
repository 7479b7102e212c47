// A name for the content of a run, by which its files are known to belong together.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "calib/block_calibrator.h"

namespace evenkeel {

/// FNV-1a over the job's text and everything that was chosen for each block: equal runs have
/// equal ids. It guards against mixing the files of different runs, not against forgery.
class RunId {
 public:
  explicit RunId(std::string_view job) { add(std::as_bytes(std::span(job))); }
  void block(const BlockResult& result);
  std::string text() const;  // 16 hexadecimal digits

 private:
  void add(std::span<const std::byte> bytes);
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace evenkeel
