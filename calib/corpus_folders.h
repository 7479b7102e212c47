// Calibration sets that a folder holds, one in each file, as entries of a comparison.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "calib/job_reader.h"
#include "calib/yaml_tree.h"

namespace evenkeel {

/// Whether this is the value of a key `corpus` that stands for several: {folder: DIR} or
/// {folder: DIR, pattern: "*.devtest.txt"}.
bool is_corpus_folder(const YamlValue& corpus);

struct FolderCorpus {
  std::string label;  // what the one `*` of the pattern stands for, else the file's name
  YamlValue value;    // its path, as a job in `base` writes it
};

/// The files of the folder whose names match, in their order. `pattern` is the shell's
/// (fnmatch(3)); all files without it. Faults, with `key` as theirs: no such folder, no file that
/// matches, a key other than these two.
std::vector<FolderCorpus> corpora_of(const YamlValue& corpus, const std::filesystem::path& base,
                                     const std::string& key, std::vector<Fault>& faults);

}  // namespace evenkeel
