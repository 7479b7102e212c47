#include "calib/corpus_folders.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fnmatch.h>

#include "io/one_line.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0;
}

// What the pattern's one star stands for; nothing where that is not told.
std::string label_of(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos || pattern.find_first_of("*?[\\", star + 1) != pattern.npos ||
      pattern.find_first_of("?[\\") < star) {
    return "";
  }
  return std::string(name.substr(star, name.size() + 1 - pattern.size()));
}

void add_fault(std::vector<Fault>& faults, const YamlPlace& place, const std::string& key,
               std::string message) {
  faults.push_back({Fault::Kind::wrong, place, key, std::move(message)});
}

std::string text_of(const YamlValue& corpus, std::string_view key) {
  const YamlEntry* const entry = corpus.find(key);
  return entry != nullptr && entry->value.kind == YamlValue::Kind::text ? entry->value.text : "";
}

bool has_faults(const YamlValue& corpus, const std::string& key, std::vector<Fault>& faults) {
  const std::size_t before = faults.size();
  for (const YamlEntry& entry : corpus.entries) {
    if (entry.key != "folder" && entry.key != "pattern") {
      add_fault(faults, entry.place, key,
                fmt::format("{}: unknown key; known keys: folder, pattern", in_quotes(entry.key)));
    } else if (text_of(corpus, entry.key).empty()) {
      add_fault(faults, entry.place, key,
                fmt::format("{}: expected a text that is not empty; got {}", entry.key,
                            described(entry.value)));
    }
  }
  return faults.size() > before;
}

}  // namespace

bool is_corpus_folder(const YamlValue& corpus) { return corpus.find("folder") != nullptr; }

std::vector<FolderCorpus> corpora_of(const YamlValue& corpus, const fs::path& base,
                                     const std::string& key, std::vector<Fault>& faults) {
  if (has_faults(corpus, key, faults)) return {};
  const std::string folder = text_of(corpus, "folder");
  const std::string given = text_of(corpus, "pattern");
  const std::string pattern = given.empty() ? "*" : given;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(base / folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code unknown;
    std::string name = at->path().filename().string();
    if (at->is_regular_file(unknown) && matches(pattern, name)) names.push_back(std::move(name));
  }
  if (error) {
    add_fault(faults, corpus.place, key,
              fmt::format("folder {} cannot be read: {}", in_quotes(folder), error.message()));
    return {};
  }
  if (names.empty()) {
    add_fault(faults, corpus.place, key,
              fmt::format("no file in {} is named {}", in_quotes(folder), in_quotes(pattern)));
  }
  std::ranges::sort(names);
  std::vector<FolderCorpus> corpora;
  for (const std::string& name : names) {
    std::string label = label_of(given, name);
    FolderCorpus found{label.empty() ? name : std::move(label),
                       yaml_value(YamlValue::Kind::text, corpus.place)};
    found.value.text = (fs::path(folder) / name).string();
    found.value.quoted = true;
    corpora.push_back(std::move(found));
  }
  return corpora;
}

}  // namespace evenkeel
