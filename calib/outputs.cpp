#include "calib/outputs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "calib/quantized_model.h"
#include "calib/record.h"
#include "calib/report/report.h"
#include "calib/run_id.h"
#include "io/errors.h"
#include "io/file.h"

namespace evenkeel {

BlockParts block_parts(const OutputFolder& folder) {
  return BlockParts(folder.staging() / "blocks");
}

Outputs::Outputs(const Job& job, const BlockOptions& options, const LanguageModel& model,
                 OutputFolder& folder, Stopwatch& stopwatch)
    : job_(job),
      options_(options),
      model_(model),
      folder_(folder),
      stopwatch_(stopwatch),
      parts_(block_parts(folder)),
      residual_norms_(residual_norms(model.architecture(), options.transform)),
      folded_(model, folder_.stage_folder("model"), residual_norms_, Leftovers::keep),
      quantized_(model, folder_.stage_folder("quantized"), job.scheme, residual_norms_,
                 Leftovers::keep) {
  for (const char* name : {"model", "quantized", ""}) sync_folder(folder_.staging() / name);
  const Index blocks = model.architecture().blocks;
  while (finished_ < blocks && adopt(finished_)) ++finished_;
  found_damage_ = finished_ < blocks && parts_.has(finished_);
  parts_.remove_from(finished_, blocks);
  if (finished_ > 0) stopwatch_.add(parts_.at(finished_ - 1).seconds);
}

bool Outputs::adopt(Index number) {
  const auto part = parts_.read(number);
  if (!part || !quantizers_of(part->record, number, model_.architecture(), options_.scheme) ||
      !folded_.writer().holds(part->folded) || !quantized_.writer().holds(part->quantized)) {
    return false;
  }
  folded_.writer().adopt(part->folded);
  quantized_.writer().adopt(part->quantized);
  return true;
}

BlockResult Outputs::finished_block(Index number) {
  const BlockRecord record = parts_.at(number).record;
  Architecture architecture = model_.architecture();
  architecture.residual_transforms |= !residual_norms_.empty();
  if (!staged_) staged_.emplace(quantized_.writer().so_far());
  BlockResult result;
  result.quantized = load_quantized_block(*staged_, architecture, options_.scheme, number);
  release_block(*staged_, architecture, number);
  result.quantizers = *quantizers_of(record, number, architecture, options_.scheme);
  for (const SiteRecord& site : record.sites) {
    Site named;
    named.name = site.name;
    result.sites.push_back({std::move(named), site.found});
  }
  result.clip = record.clip;
  result.untouched_sites = record.untouched_sites;
  result.without_tokens = record.without_tokens;
  return result;
}

void Outputs::take(Index number, const BlockResult& result) {
  staged_.reset();
  folded_.block(number, result.folded);
  quantized_.block(number, result);
  parts_.write(number, {.record = record_of(result),
                        .folded = folded_.writer().sync(),
                        .quantized = quantized_.writer().sync(),
                        .seconds = stopwatch_.reading()});
  ++finished_;
  folder_.keep(true);
}

void Outputs::commit(const nlohmann::ordered_json& summary, Progress& progress) {
  staged_.reset();
  RecordWriter record(folder_.stage("calibration.h5"), job_.text, options_);
  RunId id(job_.text);
  for (Index number = 0; number < finished_; ++number) {
    const BlockRecord block = parts_.at(number).record;
    id.block(block.choices);
    record.block(number, block);
  }
  record.commit(id.text());
  folded_.finish();
  quantized_.finish(id.text());
  write_text(folder_.stage("summary.json"), summary.dump(2) + "\n");
  stage_reports(folder_, progress);
  folder_.commit();
}

}  // namespace evenkeel
