#include "calib/job.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "calib/comparison.h"
#include "calib/job_keys.h"
#include "calib/job_reader.h"
#include "calib/job_sections.h"
#include "calib/yaml_merge.h"
#include "calib/yaml_tree.h"
#include "io/errors.h"
#include "io/file.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_file = std::uintmax_t{1} << 20U;
constexpr int order_of_settings = 1 << 24;  // after every line of a file
constexpr std::ptrdiff_t longest_key_path = 8;

std::string read_job_file(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw UsageError(fmt::format("{}: no such job file", file.string()));
  }
  if (!fs::is_regular_file(file, error)) {
    throw UsageError(fmt::format("{}: not a file; give a job file (YAML)", file.string()));
  }
  if (fs::file_size(file, error) > largest_file) {
    throw UsageError(fmt::format("{}: larger than 1 MiB, so not a job file (YAML)", file.string()));
  }
  try {
    return read_text(file);
  } catch (const InputError& unreadable) {
    throw UsageError(unreadable.what());
  }
}

YamlValue parse_job_file(const fs::path& file) {
  YamlValue tree = parse_yaml(read_job_file(file), {.name = file.string()});
  if (tree.kind == YamlValue::Kind::null) {
    throw UsageError(
        fmt::format("{}: is empty; a job needs model, calibration and output", file.string()));
  }
  // What a job lacks as a whole is a fault of the file, not of its first line.
  if (tree.kind == YamlValue::Kind::map) tree.place = {.where = file.string(), .order = -1};
  return tree;
}

bool is_key_path(std::string_view path) {
  return !path.empty() && path.front() != '.' && path.back() != '.' &&
         path.find("..") == std::string_view::npos &&
         std::ranges::count(path, '.') < longest_key_path;
}

/// Applies "key.path=value"; its faults are said to be at "--set KEY".
void apply_setting(YamlValue& tree, std::string_view setting, int number,
                   std::set<std::string_view>& seen, std::vector<Fault>& faults) {
  const std::string_view key = setting.substr(0, setting.find('='));
  const YamlPlace place{.where = "--set " + one_line(key.empty() ? setting : key),
                        .order = order_of_settings + number};
  const auto refuse = [&](std::string message) {
    faults.push_back({Fault::Kind::wrong, place, "", std::move(message)});
  };
  if (key.size() == setting.size() || !is_key_path(key)) {
    return refuse("expected KEY=VALUE, such as transform.method=none");
  }
  if (!seen.insert(key).second) return refuse("given twice");
  try {
    YamlValue value =
        parse_yaml(setting.substr(key.size() + 1),
                   {.name = place.where, .has_lines = false, .first_order = place.order});
    value.place = place;
    if (!put(tree, key, std::move(value), MapRule::replace)) {
      refuse("leads through a value that is no section");
    }
  } catch (const UsageError& not_a_value) {
    refuse(std::string(not_a_value.what()).substr(place.where.size() + 2));
  }
}

/// Which keys take effect, by their place and path, over all the jobs that a file stands for.
class Effects {
 public:
  /// A job as read from its tree.
  void observe(const YamlValue& tree, const std::vector<Fault>& faults) {
    std::set<Key> idle;
    for (const Fault& fault : faults) {
      if (fault.kind != Fault::Kind::idle) continue;
      idle.insert({fault.place.where, fault.key});
      idle_.push_back(fault);
    }
    add_effective(tree, "", idle);
  }

  /// One fault for each key that takes effect in none of the jobs.
  std::vector<Fault> idle_everywhere() const {
    std::vector<Fault> faults;
    std::set<Key> seen = effective_;
    std::ranges::copy_if(idle_, std::back_inserter(faults), [&seen](const Fault& fault) {
      return seen.insert({fault.place.where, fault.key}).second;
    });
    return faults;
  }

 private:
  using Key = std::pair<std::string, std::string>;

  void add_effective(const YamlValue& section, const std::string& path, const std::set<Key>& idle) {
    for (const auto& entry : section.entries) {
      const std::string entry_path = key_path(path, entry.key);
      Key key{entry.value.place.where, entry_path};
      if (!idle.contains(key)) effective_.insert(std::move(key));
      add_effective(entry.value, entry_path, idle);
    }
  }

  std::vector<Fault> idle_;
  std::set<Key> effective_;
};

void append(std::vector<Fault>& faults, const std::vector<Fault>& more, Fault::Kind kind) {
  std::ranges::copy_if(more, std::back_inserter(faults),
                       [kind](const Fault& fault) { return fault.kind == kind; });
}

/// What a tree stands for: its own job, and the rows of its comparison.
struct Reading {
  JobReading base;
  Comparison comparison;
  std::vector<Fault> faults;  // of the comparison; idle ones left out
};

enum class Purpose { run, compare, scaling, analyze };

bool compares(Purpose purpose) {
  return purpose == Purpose::compare || purpose == Purpose::scaling;
}

bool is_analyzed(std::string_view path) {
  const std::string_view root = path.substr(0, path.find('.'));
  if (path == "calibration.seeds") return false;  // it looks at one draw
  if (root != "compare") return root != "transform" && root != "scheme" && root != "evaluate";
  return path == root || path == "compare.model" || path == "compare.calibration";
}

/// The job without what an analysis does not read.
YamlValue for_analysis(YamlValue tree) {
  const auto strip = [](YamlValue& section, std::string_view path) {
    std::erase_if(section.entries,
                  [&](const YamlEntry& entry) { return !is_analyzed(key_path(path, entry.key)); });
  };
  strip(tree, "");
  YamlEntry* const compare = tree.find("compare");
  if (compare == nullptr || compare->value.entries.empty()) return tree;
  strip(compare->value, "compare");
  if (compare->value.entries.empty()) tree.erase("compare");
  return tree;
}

Reading read_all(const YamlValue& tree, const fs::path& file, Purpose purpose, Effects& effects) {
  const auto need =
      purpose == Purpose::scaling ? CalibrationNeed::where_used : CalibrationNeed::always;
  Reading all{.base = read_job(tree, file, need), .comparison = {}, .faults = {}};
  effects.observe(tree, all.base.faults);
  all.comparison.job = all.base.job;
  std::vector<RowTree> rows = rows_of(tree, file.parent_path(), all.faults);
  all.comparison.baseline = baseline_of(tree, rows, all.faults);
  for (auto& row : rows) {
    JobReading read = read_job(row.tree, file, need);
    effects.observe(row.tree, read.faults);
    append(all.faults, read.faults, Fault::Kind::wrong);
    append(all.faults, read.faults, Fault::Kind::missing);
    all.comparison.rows.push_back({std::move(row.settings), std::move(read.job)});
  }
  return all;
}

// Whether some job has seeds that only a comparison reads, and where.
const YamlEntry* idle_seeds(const YamlValue& tree) {
  const YamlEntry* const calibration = tree.find("calibration");
  return calibration == nullptr ? nullptr : calibration->value.find("seeds");
}

// Where a job is also compared, its seeds are for that.
void add_idle_seeds(const YamlValue& tree, const fs::path& file, Purpose purpose,
                    std::vector<Fault>& faults) {
  std::vector<const YamlEntry*> idle;
  std::vector<RowTree> rows;
  if (purpose == Purpose::run && tree.find("compare") == nullptr) idle.push_back(idle_seeds(tree));
  if (purpose == Purpose::scaling) {
    std::vector<Fault> told_already;
    rows = rows_of(tree, file.parent_path(), told_already);
    for (const RowTree& row : rows) idle.push_back(idle_seeds(row.tree));
  }
  for (const YamlEntry* const seeds : idle) {
    if (seeds == nullptr) continue;
    faults.push_back(
        {Fault::Kind::idle, seeds->value.place, "calibration.seeds",
         "cannot take effect: only calibrate compare repeats a calibration; give seed"});
    return;
  }
}

/// A setting says what is wanted now, and must not be left unread.
void find_settings_not_analyzed(const std::vector<std::string>& settings,
                                std::vector<Fault>& faults) {
  int number = 0;
  for (const std::string& setting : settings) {
    const std::string key = setting.substr(0, setting.find('='));
    const YamlPlace place{.where = "--set " + one_line(key), .order = order_of_settings + number++};
    if (is_analyzed(key)) continue;
    faults.push_back({Fault::Kind::idle, place, "",
                      "cannot take effect: analyze looks at models as they are, on the sets of "
                      "calibration or compare.calibration"});
  }
}

Comparison load(const fs::path& file, const std::vector<std::string>& settings, Purpose purpose) {
  YamlValue as_written = parse_job_file(file);
  YamlValue tree = as_written;
  std::vector<Fault> faults;
  std::set<std::string_view> seen;
  int number = 0;
  if (tree.kind == YamlValue::Kind::map) {
    for (const auto& setting : settings) apply_setting(tree, setting, number++, seen, faults);
  }
  if (purpose == Purpose::analyze) {
    find_settings_not_analyzed(settings, faults);
    tree = for_analysis(std::move(tree));
    as_written = for_analysis(std::move(as_written));
  }

  Effects effects;
  Reading all = read_all(tree, file, purpose, effects);
  // A key that takes effect in the job as written is not wrong because a setting turned it off.
  if (!settings.empty()) read_all(as_written, file, purpose, effects);

  append(faults, all.base.faults, Fault::Kind::wrong);
  const bool needs_all = purpose == Purpose::run || all.comparison.rows.empty();
  if (needs_all) append(faults, all.base.faults, Fault::Kind::missing);
  std::ranges::move(all.faults, std::back_inserter(faults));
  std::ranges::move(effects.idle_everywhere(), std::back_inserter(faults));
  if (compares(purpose) && tree.find("compare") == nullptr) {
    faults.push_back({Fault::Kind::missing, tree.place, "compare",
                      "missing; give lists of what to compare, such as transform.method: [none, "
                      "os_plus]"});
  }
  if (compares(purpose) && all.comparison.job.evaluate.empty() &&
      tree.find("evaluate") == nullptr) {
    faults.push_back({Fault::Kind::missing, tree.place, "evaluate",
                      "missing; a comparison needs texts to evaluate, such as evaluate: "
                      "{perplexity: [text.txt]}"});
  }
  add_idle_seeds(tree, file, purpose, faults);
  throw_faults(std::move(faults));
  return std::move(all.comparison);
}

}  // namespace

std::string_view name_of(Cut cut) { return cut == Cut::windows ? "windows" : "texts"; }

Job load_job(const fs::path& file, const std::vector<std::string>& settings) {
  return load(file, settings, Purpose::run).job;
}

std::string default_label(const TaskFile& task) {
  return task.kind == "plain" ? task.file.filename().string() : task.kind;
}

bool needs_calibration(const Job& job) {
  return job.transform.method != Method::none || job.scheme.weights.rounding == Rounding::gptq ||
         job.transform.clip == true || !is_dynamic(job.scheme);
}

Comparison load_scaling(const fs::path& file, const std::vector<std::string>& settings) {
  return load(file, settings, Purpose::scaling);
}

Comparison load_comparison(const fs::path& file, const std::vector<std::string>& settings) {
  return load(file, settings, Purpose::compare);
}

Comparison load_analysis(const fs::path& file, const std::vector<std::string>& settings) {
  Comparison analysis = load(file, settings, Purpose::analyze);
  if (analysis.rows.empty()) analysis.rows.push_back({{}, analysis.job});
  return analysis;
}

}  // namespace evenkeel
