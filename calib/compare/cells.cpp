#include "calib/compare/cells.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "calib/calibration_samples.h"
#include "calib/finished_rows.h"
#include "calib/score_json.h"
#include "calib/side_by_side.h"
#include "calib/summary.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

// Beyond this, more that is lost by a kill buys nothing.
constexpr std::size_t most_side_by_side = 8;

// Of its own work: the watch of a calibration runs on while the others are at work.
Json own_seconds(const Stopwatch& stopwatch) {
  Json seconds = evenkeel::to_json(stopwatch);
  double total = 0.0;
  for (const auto& [phase, value] : seconds.items()) {
    if (phase != "total") total += value.get<double>();
  }
  seconds["total"] = total;
  return seconds;
}

Json to_json(const CellResult& result, bool site_errors) {
  Json json{{"scores", kept_json(result.scores)},
            {"failure", result.failure},
            {"seconds", result.seconds}};
  if (site_errors) json["sites"] = to_json(result.sites);
  return json;
}

std::optional<CellResult> result_from(const std::optional<Json>& json, bool site_errors,
                                      const std::vector<EvaluationText>& texts) {
  if (!json) return std::nullopt;
  try {
    CellResult result{.scores = {},
                      .failure = json->at("failure").get<std::string>(),
                      .sites = {},
                      .seconds = json->at("seconds")};
    if (!result.failure.empty()) return result;
    auto scores = kept_scores_of(json->at("scores"), texts);
    if (!scores) return std::nullopt;
    result.scores = std::move(*scores);
    if (site_errors) result.sites = compared_sites_from(json->at("sites"));
    return result;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

// The blocks of some cells as steps of the whole comparison.
class GroupProgress final : public Progress {
 public:
  GroupProgress(Progress& outer, std::size_t done, std::size_t cells, std::size_t all,
                std::string label)
      : outer_(outer),
        done_(static_cast<int>(done)),
        cells_(static_cast<int>(cells)),
        all_(static_cast<int>(all)),
        label_(std::move(label)) {}
  void step(std::string_view /*task*/, int done, int total, std::string_view /*detail*/) override {
    if (done == total && done_ + cells_ != all_) return;
    outer_.step("compare", done_ * total + cells_ * done, all_ * total, label_);
  }
  void note(std::string_view message) override { outer_.note(message); }
  void remark(std::string_view message) override { outer_.remark(message); }

 private:
  Progress& outer_;
  int done_;
  int cells_;
  int all_;
  std::string label_;
};

}  // namespace

Cells::Cells(const Comparison& comparison, const ComparedInputs& inputs)
    : comparison_(comparison), inputs_(inputs) {
  for (std::size_t row = 0; row < comparison.rows.size(); ++row) {
    const Job& job = comparison.rows[row].job;
    inputs.at(inputs.model_of(row)).check_choices(job);
    CalibrationOptions options = job.calibration;
    std::vector<std::uint64_t> seeds = options.seeds;
    if (seeds.empty()) seeds.push_back(options.corpus.seed);
    for (const std::uint64_t seed : seeds) {
      options.corpus.seed = seed;
      cells_.push_back({row, seed, set_of(row, options)});
    }
  }
}

std::size_t Cells::set_of(std::size_t row, const CalibrationOptions& options) {
  const std::size_t model = inputs_.model_of(row);
  const JobInputs& inputs = inputs_.at(model);
  const Cut cut = cut_of(options, inputs.model().architecture().head.kind);
  const auto known = std::ranges::find_if(sets_, [&](const CalibrationSet& set) {
    return set.model == model && set.corpus == options.corpus && set.cut == cut;
  });
  if (known != sets_.end()) return static_cast<std::size_t>(known - sets_.begin());
  Job job = comparison_.rows[row].job;
  job.calibration = options;
  sets_.push_back({model, options.corpus, cut, inputs.samples(job)});
  return sets_.size() - 1;
}

// Those that are finished, and where they are kept.
class Cells::Results {
 public:
  /// `texts(cell)` are those that a cell is evaluated on.
  template <typename Texts>
  Results(std::size_t cells, OutputFolder& folder, bool site_errors, const Texts& texts)
      : folder_(folder), finished_(folder), site_errors_(site_errors) {
    for (std::size_t cell = 0; cell < cells; ++cell) {
      found_.push_back(result_from(finished_.find(cell), site_errors, texts(cell)));
    }
  }

  bool has(std::size_t cell) const { return found_[cell].has_value(); }
  bool site_errors() const { return site_errors_; }
  std::size_t size() const { return found_.size(); }
  std::size_t done() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(found_, [](const auto& result) { return result.has_value(); }));
  }
  void keep(std::size_t cell, CellResult result) {
    finished_.keep(cell, to_json(result, site_errors_));
    folder_.keep(true);
    found_[cell] = std::move(result);
  }
  std::vector<CellResult> take_all() {
    std::vector<CellResult> all;
    for (auto& result : found_) all.push_back(std::move(*result));
    return all;
  }

 private:
  OutputFolder& folder_;
  FinishedRows finished_;
  bool site_errors_;
  std::vector<std::optional<CellResult>> found_;
};

std::vector<CellResult> Cells::run(OutputFolder& folder, bool site_errors,
                                   Progress& progress) const {
  const auto texts = [&](std::size_t cell) -> const std::vector<EvaluationText>& {
    return inputs_.at(sets_[cells_[cell].samples].model).texts();
  };
  Results results(cells_.size(), folder, site_errors, texts);
  if (results.done() > 0) {
    progress.remark(fmt::format("continues with {} of {} calibrations finished in {}",
                                results.done(), results.size(), folder.staging().string()));
  }
  for (std::size_t set = 0; set < sets_.size(); ++set) run_set(set, results, progress);
  return results.take_all();
}

void Cells::run_set(std::size_t set, Results& results, Progress& progress) const {
  std::vector<std::size_t> left;
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    if (cells_[cell].samples == set && !results.has(cell)) left.push_back(cell);
  }
  const JobInputs& inputs = inputs_.at(sets_[set].model);
  const std::size_t at_once = std::min(
      most_side_by_side, calibrations_at_once(inputs.model(), sets_[set].samples, inputs.texts(),
                                              comparison_.job.memory_limit));
  for (std::size_t first = 0; first < left.size(); first += at_once) {
    const std::size_t count = std::min(at_once, left.size() - first);
    run_group(set, std::span(left).subspan(first, count), results, progress);
  }
}

void Cells::run_group(std::size_t set, std::span<const std::size_t> group, Results& results,
                      Progress& progress) const {
  std::vector<BlockOptions> options;
  for (const std::size_t cell : group) {
    options.push_back(block_options(comparison_.rows[cells_[cell].row].job, false));
    options.back().site_errors = results.site_errors();
  }
  std::string label = label_of(comparison_.rows[cells_[group.front()].row]);
  if (group.size() > 1) label += fmt::format(" and {} more", group.size() - 1);
  GroupProgress steps(progress, results.done(), group.size(), results.size(), std::move(label));
  const JobInputs& inputs = inputs_.at(sets_[set].model);
  const Job& job = comparison_.job;
  auto calibrated = calibrate_side_by_side(inputs.model(), sets_[set].samples, options,
                                           inputs.texts(), steps, job.memory_limit, job.output);
  for (std::size_t i = 0; i < group.size(); ++i) {
    results.keep(group[i], {.scores = std::move(calibrated[i].outcome.scores),
                            .failure = calibrated[i].failure,
                            .sites = sites_by_name(calibrated[i].outcome.sites),
                            .seconds = own_seconds(calibrated[i].stopwatch)});
  }
}

}  // namespace evenkeel
