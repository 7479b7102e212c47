#include "calib/comparison.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/corpus_folders.h"
#include "calib/job_keys.h"
#include "calib/yaml_merge.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_rows = 4096;

// The key of `compare:` that is no axis.
constexpr std::string_view baseline_key = "baseline";

// The axis whose entries are parts of the job as a whole.
constexpr std::string_view job_axis = "job";

struct Axis {
  std::string path;  // of what entries are put at; empty for the job
  std::string name;
  YamlPlace place;
  std::vector<YamlValue> entries;   // without their labels
  std::vector<std::string> labels;  // of the entries
  std::vector<std::string> sets;    // paths of the keys that some entry sets
};

void add_fault(std::vector<Fault>& faults, const YamlPlace& place, std::string_view axis,
               std::string message) {
  faults.push_back({Fault::Kind::wrong, place,
                    axis.empty() ? "compare" : key_path("compare", one_line(axis)),
                    std::move(message)});
}

std::string label_of(const YamlValue& value, bool inner = false) {
  std::string label;
  if (value.kind == YamlValue::Kind::list) {
    for (const auto& item : value.items) {
      label += fmt::format("{}{}", label.empty() ? "" : ", ", label_of(item, true));
    }
    return "[" + label + "]";
  }
  if (value.kind != YamlValue::Kind::map) return one_line(value.text);
  for (const auto& entry : value.entries) {
    label += fmt::format("{}{}: {}", label.empty() ? "" : ", ", one_line(entry.key),
                         label_of(entry.value, true));
  }
  return inner ? "{" + label + "}" : label;
}

void add_paths(const std::string& path, const YamlValue& value, std::vector<std::string>& paths) {
  if (value.kind != YamlValue::Kind::map) {
    paths.push_back(path);
    return;
  }
  for (const auto& entry : value.entries) add_paths(key_path(path, entry.key), entry.value, paths);
}

bool can_vary(std::string_view path) {
  const std::string_view root = path.substr(0, path.find('.'));
  return root == "model" || root == "transform" || root == "scheme" || root == "calibration";
}

bool is_known_axis(const YamlEntry& given, std::vector<Fault>& faults) {
  const std::string_view path = given.key;
  if (path == job_axis) return true;
  if (!can_vary(path)) {
    add_fault(faults, given.place, path,
              "no axis; an axis is job, model, or a key or section of transform, scheme or "
              "calibration, such as transform.method");
    return false;
  }
  if (is_known_path(path)) return true;
  const std::size_t dot = path.rfind('.');
  add_fault(
      faults, given.place, path,
      known_keys(path.substr(0, dot)).empty()
          ? "unknown key"
          : "unknown key; " + advice_for_unknown_key(path.substr(0, dot), path.substr(dot + 1)));
  return false;
}

bool is_entry(const Axis& axis, const YamlValue& entry, std::vector<Fault>& faults) {
  const bool section = entry.kind == YamlValue::Kind::map && !entry.entries.empty();
  const bool text = entry.kind == YamlValue::Kind::text && axis.name != job_axis;
  if (!section && !text) {
    add_fault(faults, entry.place, axis.name,
              fmt::format("expected {} that is not empty; got {}",
                          axis.name == job_axis ? "a section" : "a value or a section",
                          described(entry)));
    return false;
  }
  if (axis.name != job_axis) return true;
  for (const YamlEntry& key : entry.entries) {
    if (can_vary(key.key)) continue;
    add_fault(faults, key.place, axis.name,
              fmt::format("{} cannot differ between rows; model, transform, scheme and calibration "
                          "can",
                          in_quotes(key.key)));
    return false;
  }
  return true;
}

// Takes the label out of an entry; what the entry sets stays.
std::string take_label(const Axis& axis, YamlValue& entry, std::vector<Fault>& faults) {
  const YamlEntry* const given = entry.kind == YamlValue::Kind::map ? entry.find("label") : nullptr;
  if (given == nullptr) return label_of(entry);
  std::string label = one_line(given->value.text);
  if (given->value.kind != YamlValue::Kind::text || label.empty()) {
    add_fault(faults, given->place, axis.name,
              fmt::format("label: expected a text; got {}", described(given->value)));
  }
  entry.erase("label");
  return label;
}

// Paths by what they end in, where that tells them apart.
void shorten(std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    names.push_back(std::filesystem::path(path).filename().string());
    if (names.back().empty() || std::ranges::count(names, names.back()) > 1) return;
  }
  paths = std::move(names);
}

// Where an entry of the axis says its corpus, or nullptr.
YamlValue* corpus_of(const Axis& axis, YamlValue& entry) {
  YamlValue* value = &entry;
  for (const std::string_view key : {"calibration", "corpus"}) {
    const std::string place = key == "corpus" ? "calibration.corpus" : "calibration";
    if (axis.path == "calibration.corpus" || axis.path == place) continue;
    YamlEntry* const found = value->find(key);
    if (found == nullptr) return nullptr;
    value = &found->value;
  }
  return value;
}

// An entry for each file where an entry names a folder's.
struct Expanded {
  std::string label;
  YamlValue entry;
};

std::vector<Expanded> expanded(const Axis& axis, YamlValue entry, const fs::path& folder,
                               std::vector<Fault>& faults) {
  const bool labelled = entry.find("label") != nullptr;
  std::string label = take_label(axis, entry, faults);
  YamlValue* const corpus = corpus_of(axis, entry);
  if (corpus == nullptr || !is_corpus_folder(*corpus)) return {{std::move(label), entry}};
  std::vector<Expanded> all;
  const std::string key = key_path("compare", one_line(axis.name));
  for (FolderCorpus& file : corpora_of(*corpus, folder, key, faults)) {
    *corpus = std::move(file.value);
    all.push_back({labelled ? label + " " + file.label : std::move(file.label), entry});
  }
  return all;
}

void read_axis(const YamlEntry& given, const fs::path& folder, std::vector<Axis>& axes,
               std::vector<Fault>& faults) {
  if (!is_known_axis(given, faults)) return;
  Axis axis{.path = given.key == job_axis ? "" : given.key,
            .name = given.key,
            .place = given.place,
            .entries = {},
            .labels = {},
            .sets = {}};
  if (given.value.kind != YamlValue::Kind::list || given.value.items.empty()) {
    const bool list = given.value.kind == YamlValue::Kind::list;
    add_fault(faults, given.place, axis.name,
              fmt::format("expected a list of what to compare; got {}",
                          list ? "an empty one" : described(given.value)));
    return;
  }
  for (const YamlValue& item : given.value.items) {
    for (Expanded& each : expanded(axis, item, folder, faults)) {
      if (!is_entry(axis, each.entry, faults)) continue;
      add_paths(axis.path, each.entry, axis.sets);
      axis.labels.push_back(std::move(each.label));
      if (std::ranges::count(axis.labels, axis.labels.back()) > 1) {
        add_fault(faults, each.entry.place, axis.name,
                  fmt::format("{} is in the list twice", in_quotes(axis.labels.back())));
      }
      axis.entries.push_back(std::move(each.entry));
    }
  }
  if (axis.name == "model") shorten(axis.labels);
  axes.push_back(std::move(axis));
}

/// Whether one path is the other, or a section that holds it.
bool meet(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return b.starts_with(a) && (a.size() == b.size() || b[a.size()] == '.');
}

void find_meeting_axes(const std::vector<Axis>& axes, std::vector<Fault>& faults) {
  for (auto later = axes.begin(); later != axes.end(); ++later) {
    for (auto earlier = axes.begin(); earlier != later; ++earlier) {
      const bool both_set_a_key = std::ranges::any_of(later->sets, [&](const auto& path) {
        return std::ranges::any_of(earlier->sets,
                                   [&](const auto& other) { return meet(path, other); });
      });
      if (!both_set_a_key) continue;
      add_fault(faults, later->place, later->name,
                fmt::format("sets what axis {} sets too; put them into one axis",
                            in_quotes(earlier->name)));
    }
  }
}

std::size_t count_rows(const std::vector<Axis>& axes, const YamlPlace& place,
                       std::vector<Fault>& faults) {
  std::size_t rows = 1;
  for (const Axis& axis : axes) {
    rows *= axis.entries.size();
    if (rows <= most_rows) continue;
    add_fault(faults, place, "", fmt::format("asks for more than {} rows", most_rows));
    break;
  }
  return rows;
}

bool put_entry(YamlValue& tree, const std::string& path, const YamlValue& entry) {
  if (!path.empty()) return put(tree, path, entry, MapRule::merge);
  return std::ranges::all_of(entry.entries, [&](const YamlEntry& part) {
    return put(tree, part.key, part.value, MapRule::merge);
  });
}

RowTree row_of(const YamlValue& base, const std::vector<Axis>& axes, std::size_t number,
               std::vector<Fault>& faults) {
  RowTree row{.settings = {}, .tree = base};
  std::vector<std::size_t> choices(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    choices[i] = number % axes[i].entries.size();
    number /= axes[i].entries.size();
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Axis& axis = axes[i];
    row.settings.emplace_back(axis.name, axis.labels[choices[i]]);
    if (!put_entry(row.tree, axis.path, axis.entries[choices[i]])) {
      add_fault(faults, axis.place, axis.name, "leads through a value that is no section");
    }
  }
  return row;
}

}  // namespace

std::vector<RowTree> rows_of(const YamlValue& tree, const fs::path& folder,
                             std::vector<Fault>& faults) {
  const YamlEntry* const compare = tree.find("compare");
  if (compare == nullptr) return {};
  const std::size_t faults_before = faults.size();
  const YamlValue& section = compare->value;
  if (section.kind != YamlValue::Kind::map || section.entries.empty()) {
    add_fault(faults, compare->place, "",
              fmt::format(
                  "expected lists of what to compare, such as transform.method: [none, "
                  "os_plus]; got {}",
                  section.kind == YamlValue::Kind::map ? "an empty section" : described(section)));
    return {};
  }
  std::vector<Axis> axes;
  for (const auto& entry : section.entries) {
    if (entry.key != baseline_key) read_axis(entry, folder, axes, faults);
  }
  find_meeting_axes(axes, faults);
  const std::size_t count = count_rows(axes, compare->place, faults);
  if (axes.empty() && faults.size() == faults_before) {
    add_fault(faults, compare->place, "", "expected lists of what to compare beside baseline");
  }
  if (faults.size() > faults_before) return {};

  YamlValue base = tree;
  base.erase("compare");
  std::vector<RowTree> rows;
  for (std::size_t number = 0; number < count; ++number) {
    rows.push_back(row_of(base, axes, number, faults));
  }
  return rows;
}

std::optional<Baseline> baseline_of(const YamlValue& tree, const std::vector<RowTree>& rows,
                                    std::vector<Fault>& faults) {
  const YamlEntry* const compare = tree.find("compare");
  const YamlEntry* const given = compare == nullptr ? nullptr : compare->value.find(baseline_key);
  if (given == nullptr || rows.empty()) return std::nullopt;
  if (given->value.kind == YamlValue::Kind::text && given->value.text == full_precision_label) {
    return Baseline{};
  }
  if (given->value.kind != YamlValue::Kind::map || given->value.entries.empty()) {
    add_fault(faults, given->place, baseline_key,
              fmt::format("expected '{}', or labels by axis, such as {{transform.method: none}}; "
                          "got {}",
                          full_precision_label, described(given->value)));
    return std::nullopt;
  }
  Baseline baseline;
  for (const YamlEntry& entry : given->value.entries) {
    std::vector<std::string> labels;
    for (const RowTree& row : rows) {
      for (const auto& [axis, label] : row.settings) {
        if (axis == entry.key && std::ranges::find(labels, label) == labels.end()) {
          labels.push_back(label);
        }
      }
    }
    const std::string label = label_of(entry.value);
    if (labels.empty()) {
      add_fault(faults, entry.place, baseline_key,
                fmt::format("{} is no axis of compare", in_quotes(entry.key)));
    } else if (std::ranges::find(labels, label) == labels.end()) {
      add_fault(faults, entry.place, baseline_key,
                fmt::format("{} has no entry {}; its entries are {}", one_line(entry.key),
                            in_quotes(label), fmt::join(labels, " | ")));
    }
    baseline.settings.emplace_back(entry.key, label);
  }
  return baseline;
}

}  // namespace evenkeel
