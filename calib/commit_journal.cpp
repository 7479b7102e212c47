#include "calib/commit_journal.h"

#include <system_error>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "io/content_hash.h"
#include "io/errors.h"
#include "io/strict_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::filesystem::path journal_of(const std::filesystem::path& staging) {
  return staging / "commit.json";
}

bool is_plain_name(const std::string& name) {
  const std::filesystem::path path(name);
  return !name.empty() && name != "." && name != ".." && path == path.filename();
}

}  // namespace

std::optional<std::uint64_t> inode_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return status.st_ino;
}

void write_journal(const std::filesystem::path& staging, const std::vector<StagedEntry>& entries) {
  Json json = Json::array();
  for (const StagedEntry& entry : entries) {
    json.push_back({{"name", entry.name}, {"inode", entry.inode}});
  }
  write_checked_text(journal_of(staging), json.dump(2) + "\n");
}

std::optional<std::vector<StagedEntry>> read_journal(const std::filesystem::path& staging) {
  const auto text = read_checked_text(journal_of(staging));
  if (!text) return std::nullopt;
  try {
    std::vector<StagedEntry> entries;
    for (const Json& entry : parse_json(journal_of(staging), *text)) {
      entries.push_back(
          {entry.at("name").get<std::string>(), entry.at("inode").get<std::uint64_t>()});
      if (!is_plain_name(entries.back().name)) return std::nullopt;
    }
    return entries;
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void remove_journal(const std::filesystem::path& staging) noexcept {
  std::error_code ignored;
  std::filesystem::remove(journal_of(staging), ignored);
}

}  // namespace evenkeel
