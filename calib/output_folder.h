// A job's output folder: everything is made in a staging folder inside it and moved into place
// when all of it is complete, so that a failed job leaves existing outputs untouched.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace evenkeel {

/// Not thread-safe. Two jobs that write to one folder at a time are refused.
class OutputFolder {
 public:
  /// Makes OUTPUT and OUTPUT/.staging (emptied when a killed job left it).
  /// Throws: MachineError with the path and reason when that cannot be made or written, or when
  /// another process is writing there.
  explicit OutputFolder(std::filesystem::path output);
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  /// Removes the staging folder, and OUTPUT if it is new and nothing was committed.
  ~OutputFolder();

  /// Where to make the entry (file or folder) that will be OUTPUT/name.
  std::filesystem::path stage(const std::string& name);
  /// The same for a folder, which is made. Throws: MachineError.
  std::filesystem::path stage_folder(const std::string& name);
  /// Replaces each OUTPUT/name by its staged entry, in the order of `stage` calls; folders are
  /// exchanged, so that at no time a half of one stands there.
  /// Throws: MachineError when an entry was not made or cannot be moved; those moved before it are
  /// put back.
  void commit();

 private:
  bool is_staged(const std::string& name) const;

  std::filesystem::path output_;
  std::filesystem::path staging_;
  std::vector<std::string> names_;
  bool made_ = false;
  bool committed_ = false;
  int lock_ = -1;
};

}  // namespace evenkeel
