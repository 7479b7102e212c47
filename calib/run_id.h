// A name for the content of a run, by which its files are known to belong together.
#pragma once

#include <string>
#include <string_view>

#include "calib/block_calibrator.h"
#include "io/content_hash.h"

namespace evenkeel {

/// The hash of everything that was chosen for a block: steps, zero points, ranges.
std::string choices_of(const BlockResult& result);

/// The hash of the job's text and of what was chosen for each block: equal runs have equal ids. It
/// guards against mixing the files of different runs, not against forgery.
class RunId {
 public:
  explicit RunId(std::string_view job) { hash_.add(job); }
  /// `choices` as choices_of; blocks in order.
  void block(std::string_view choices) { hash_.add(choices); }
  std::string text() const { return hash_.text(); }

 private:
  ContentHash hash_;
};

}  // namespace evenkeel
