// The rows that a job's `compare:` section asks for, before they are read as jobs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "calib/job.h"
#include "calib/job_reader.h"
#include "calib/yaml_tree.h"

namespace evenkeel {

struct RowTree {
  std::vector<std::pair<std::string, std::string>> settings;  // (axis, label), in axis order
  YamlValue tree;                                             // of the row's job
};

/// One tree for each combination of the axes' entries, the first axis slowest; none when there is
/// no `compare:` section, or when it has faults.
/// An entry whose corpus is {folder: DIR, pattern: PATTERN} stands for one entry a file
/// (calib/corpus_folders.h); `folder` is that of the job file. `baseline` is no axis.
/// A label is the entry's `label`, or the entry as written: "w4a4", "corpus: text.txt",
/// "bits: 4, symmetric: true"; models by the last part of their paths where these differ.
/// Faults: no axis, an unknown one, no list, a label given twice, two axes that set the same key,
/// more than 4096 rows.
std::vector<RowTree> rows_of(const YamlValue& tree, const std::filesystem::path& folder,
                             std::vector<Fault>& faults);

/// What rows are measured against (compare.baseline); nothing where the job does not say.
/// Faults: what is no axis of the rows, or no label of that axis.
std::optional<Baseline> baseline_of(const YamlValue& tree, const std::vector<RowTree>& rows,
                                    std::vector<Fault>& faults);

}  // namespace evenkeel
