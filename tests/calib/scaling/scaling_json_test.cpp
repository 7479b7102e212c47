#include "calib/scaling/scaling_json.h"

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/file.h"
#include "support/expect_error.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

ScalingResult one_row() {
  ScalingResult result;
  ScaledModel& model = result.models.emplace_back();
  model.label = "opt-3m";
  model.family = "opt";
  model.parameters = 100;
  model.scores = {{.label = "a.txt", .value = 20.5}};
  model.bits = {.codes = 1,
                .constants = 2,
                .means = 3,
                .kept = 4,
                .code_books = 5,
                .unquantized = 6,
                .weights = 7};
  model.token_bytes = {3.25};
  ScaledRow& row = result.rows.emplace_back();
  row.settings = {{"scheme.weights.bits", "4"}};
  row.weights.bits = 4;
  row.weights.granularity = Granularity::per_block;
  row.weights.codes = Codes::quantile;
  row.weights.block_size = 64;
  row.weights.centered = true;
  row.scores = {{.label = "a.txt", .value = 21.5}};
  row.bits = model.bits;
  row.uses = {5, 6};
  row.seconds = 0.5;
  return result;
}

Job job_named(const char* file) {
  Job job;
  job.file = file;
  return job;
}

TEST(ScalingJson, IsReadAsItWasWritten) {
  const support::ScratchFolder scratch;
  const Json json = to_json(one_row(), job_named("folder/job.yaml"));
  write_text(scratch / "scaling.json", json.dump());
  const KeptScaling kept = read_scaling(scratch / "scaling.json");
  EXPECT_EQ(kept.job_file, "job.yaml");
  EXPECT_EQ(to_json(kept.result, job_named("job.yaml")), json);
  EXPECT_EQ(kept.result.rows.front().weights, one_row().rows.front().weights);
}

TEST(ScalingJson, RefusesWhatIsMissing) {
  const support::ScratchFolder scratch;
  const Json whole = to_json(one_row(), job_named("job.yaml"));
  const auto path = scratch / "scaling.json";
  const auto refused = [&](const char* pointer, const Json& value, std::string_view words) {
    Json changed = whole;
    changed[Json::json_pointer(pointer)] = value;
    write_text(path, changed.dump());
    support::expect_error<InputError>([&] { static_cast<void>(read_scaling(path)); }, path,
                                      {words});
  };
  refused("/models", Json::object(), "'models' is empty");
  refused("/models", nullptr, "'models' is empty");
  refused("/rows/0/model", "other", "no model");
  refused("/rows/0/weights/codes", "other", "codes");
  refused("/rows/0/perplexity", Json::object(), "a row's figures");
  refused("/models/opt-3m/token_bytes", Json::array(), "bytes of its tokens");
  refused("/models/opt-3m/bits", 3, "not what a scaling job leaves");
  refused("/job", 3, "job");
}

}  // namespace
}  // namespace evenkeel
