#include "calib/staged_job.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "calib/block_part.h"
#include "calib/outputs.h"
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

Earlier continue_job(OutputFolder& folder, const Fingerprint& fingerprint, bool restart) {
  if (folder.is_kept() && restart) start_over(folder);
  if (folder.is_kept() && !folder.is_committing() && !block_parts(folder).has(0)) folder.clear();
  if (!folder.is_kept()) {
    write_checked_text(folder.job_file(), to_text(fingerprint));
    return Earlier::nothing;
  }
  require_same(fingerprint_in(folder), fingerprint, folder.staging().string());
  return folder.end_commit() ? Earlier::all : Earlier::blocks;
}

void keep_scores(const OutputFolder& folder, const std::vector<TextScore>& scores) {
  Json json = Json::array();
  for (const TextScore& score : scores) {
    json.push_back({{"label", score.label},
                    {"value", score.value},
                    {"examples", score.examples},
                    {"correct", score.correct}});
  }
  write_checked_text(scores_file(folder), json.dump(2) + "\n");
}

std::optional<std::vector<TextScore>> kept_scores(const OutputFolder& folder,
                                                  const std::vector<EvaluationText>& texts) {
  const auto text = read_checked_text(scores_file(folder));
  if (!text) return std::nullopt;
  std::vector<TextScore> scores;
  try {
    for (const Json& score : parse_json(scores_file(folder), *text)) {
      scores.push_back({.label = score.at("label").get<std::string>(),
                        .value = score.at("value").get<double>(),
                        .examples = score.at("examples").get<std::int64_t>(),
                        .correct = score.at("correct").get<std::int64_t>()});
    }
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  if (!std::ranges::equal(scores, texts, {}, &TextScore::label, &EvaluationText::label)) {
    return std::nullopt;
  }
  return scores;
}

}  // namespace evenkeel
