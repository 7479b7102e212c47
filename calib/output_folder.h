// A job's output folder: everything is made in a staging folder inside it and moved into place
// when all of it is complete, so that a failed job leaves existing outputs untouched.
//
// The staging folder of a job that can be continued, OUTPUT/.staging, outlives a killed program. It
// counts for something from when its job.json is there until that is gone. Moving what is staged
// into place begins with commit.json, which names the entries: a kill during it is mended by moving
// the rest.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace evenkeel {

/// Not thread-safe. Two jobs that write to one folder at a time are refused.
class OutputFolder {
 public:
  /// Makes OUTPUT and the staging folder: OUTPUT/KEPT as it was left with `keep`, unless it has
  /// no job.json; an empty OUTPUT/.unfinished with `discard`.
  /// Throws: MachineError with the path and reason when that cannot be made or written, or when
  /// another process is writing there.
  explicit OutputFolder(std::filesystem::path output, Leftovers leftovers = Leftovers::discard,
                        std::string_view kept = ".staging");
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  /// Removes the staging folder unless it is kept, and OUTPUT if it is new and empty.
  ~OutputFolder();

  const std::filesystem::path& path() const { return output_; }
  const std::filesystem::path& staging() const { return staging_; }
  std::filesystem::path job_file() const;
  /// Whether the staging folder stays when this goes without a commit: at first when it has a
  /// job.json that an earlier program left.
  void keep(bool kept) { kept_ = kept; }
  bool is_kept() const { return kept_; }
  /// Empties the staging folder. Throws: MachineError.
  void clear();

  /// Where to make the entry (file or folder) that will be OUTPUT/name.
  std::filesystem::path stage(const std::string& name);
  /// The same for a folder, which is made. Throws: MachineError.
  std::filesystem::path stage_folder(const std::string& name);
  /// Replaces each OUTPUT/name by its staged entry, in the order of `stage` calls; folders are
  /// exchanged, so that at no time a half of one stands there.
  /// Throws: MachineError when an entry was not made or cannot be moved; those moved before it are
  /// put back.
  void commit();
  /// Whether an earlier program began a commit and did not clean up after it.
  bool is_committing() const;
  /// Ends the commit that an earlier program began, if one did: returns whether. With `keep`.
  /// Throws: MachineError when an entry is gone or cannot be moved; nothing is put back.
  bool end_commit();

 private:
  void open_staging(Leftovers leftovers);
  bool is_staged(const std::string& name) const;

  std::filesystem::path output_;
  std::filesystem::path staging_;
  std::vector<std::string> names_;
  bool made_ = false;
  bool kept_ = false;
  bool committed_ = false;
  int lock_ = -1;
};

}  // namespace evenkeel
