#include "calib/staged_job.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "calib/score_json.h"
#include "io/content_hash.h"
#include "io/errors.h"
#include "io/strict_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

std::filesystem::path scores_file(const OutputFolder& folder) {
  return folder.staging() / "scores.json";
}

// Throws: InputError.
Fingerprint fingerprint_in(const OutputFolder& folder) {
  const std::filesystem::path path = folder.job_file();
  const auto text = read_checked_text(path);
  if (auto fingerprint = text ? fingerprint_from(path, *text) : std::nullopt) {
    return std::move(*fingerprint);
  }
  throw InputError(
      fmt::format("{}: is damaged, so that the job that did not end cannot be continued; start "
                  "over with --restart",
                  path.string()));
}

void start_over(OutputFolder& folder) {
  try {
    folder.end_commit();
  } catch (const MachineError&) {
    // Outputs that someone has changed since are replaced by the job's anyway.
  }
  folder.clear();
}

}  // namespace

Earlier continue_job(OutputFolder& folder, const Fingerprint& fingerprint, bool restart,
                     bool has_finished) {
  if (folder.is_kept() && restart) start_over(folder);
  if (folder.is_kept() && !folder.is_committing() && !has_finished) folder.clear();
  if (!folder.is_kept()) {
    write_checked_text(folder.job_file(), to_text(fingerprint));
    return Earlier::nothing;
  }
  require_same(fingerprint_in(folder), fingerprint, folder.staging().string());
  return folder.end_commit() ? Earlier::all : Earlier::parts;
}

void keep_scores(const OutputFolder& folder, const std::vector<TextScore>& scores) {
  write_checked_text(scores_file(folder), kept_json(scores).dump(2) + "\n");
}

std::optional<std::vector<TextScore>> kept_scores(const OutputFolder& folder,
                                                  const std::vector<EvaluationText>& texts) {
  const auto text = read_checked_text(scores_file(folder));
  if (!text) return std::nullopt;
  try {
    return kept_scores_of(parse_json(scores_file(folder), *text), texts);
  } catch (const InputError&) {
    return std::nullopt;
  }
}

}  // namespace evenkeel
