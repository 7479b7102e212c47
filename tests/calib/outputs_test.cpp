// Jobs that are stopped and run again: what they leave is what an uninterrupted one leaves.
#include "calib/outputs.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/runner.h"
#include "io/errors.h"
#include "support/expect_error.h"
#include "support/gguf_builder.h"
#include "support/safetensors_builder.h"
#include "support/tiny_bert.h"
#include "support/tiny_families.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;
using support::FileBytes;
using support::TinyJob;

// Not one of ours: nothing may tidy up because of it, as nothing does after a kill.
struct Killed {};

// Ends the job when `step` calibration steps are done; -1: never.
class KillAt final : public Progress {
 public:
  explicit KillAt(int step = -1) : step_(step) {}
  void step(std::string_view task, int done, int /*total*/, std::string_view /*what*/) override {
    if (task == "calibrate" && done == step_) throw Killed{};
  }
  void note(std::string_view message) override { notes.emplace_back(message); }
  void remark(std::string_view message) override { remarks.emplace_back(message); }
  std::vector<std::string> notes, remarks;

 private:
  int step_;
};

void expect_same(const FileBytes& actual, const FileBytes& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(actual[i].first, expected[i].first);
    EXPECT_TRUE(actual[i].second == expected[i].second) << expected[i].first;
  }
}

// What a whole run leaves and notes; the output is removed.
struct WholeRun {
  FileBytes files;
  std::vector<std::string> notes;
};
WholeRun whole_run(const Job& job) {
  KillAt never;
  run_job(job, never);
  WholeRun whole{support::outputs_below(job.output), never.notes};
  EXPECT_TRUE(never.remarks.empty());
  fs::remove_all(job.output);
  return whole;
}

void kill_at(const Job& job, int step) {
  KillAt killer(step);
  EXPECT_THROW(run_job(job, killer), Killed);
}

// Runs to the end; what it remarked.
std::vector<std::string> run_again(const Job& job, const WholeRun& whole,
                                   const RunOptions& options = {}) {
  KillAt never;
  run_job(job, never, options);
  expect_same(support::outputs_below(job.output), whole.files);
  EXPECT_EQ(never.notes, whole.notes);
  EXPECT_FALSE(fs::exists(job.output / ".staging"));
  return never.remarks;
}

// Killed before each block and before the end, once and twice.
void expect_continues(const Job& job, int blocks = 2) {
  const WholeRun whole = whole_run(job);
  for (int step = 0; step <= blocks; ++step) {
    SCOPED_TRACE(step);
    kill_at(job, step);
    EXPECT_EQ(run_again(job, whole).size(), step == 0 ? 0U : 1U);
  }
  kill_at(job, 1);
  kill_at(job, blocks);
  run_again(job, whole);
}

struct Setting {
  std::string name;
  std::vector<std::string> settings;
};
class StoppedJobs : public testing::TestWithParam<Setting> {};

TEST_P(StoppedJobs, ContinuesToTheSameBytes) {
  const TinyJob tiny;
  Job job = tiny.job(GetParam().settings);
  if (GetParam().name == "no_evaluation") job.evaluate.perplexity.clear();
  expect_continues(job);
}

INSTANTIATE_TEST_SUITE_P(
    All, StoppedJobs,
    testing::Values(
        Setting{"w8a8", {}}, Setting{"w4a4", {"scheme=w4a4"}},
        Setting{"minmax", {"transform={method: none}"}},
        Setting{"smoothquant", {"transform={method: smoothquant, alpha: search}"}},
        Setting{"outlier_suppression",
                {"transform={method: outlier_suppression}",
                 "scheme={name: w6a6, activations: {range: token_wise_clipping}}"}},
        Setting{"awq",
                {"transform={method: awq}",
                 "scheme={weights: {bits: 4, granularity: per_group, group_size: 8}, activations: "
                 "{bits: 16}}"}},
        Setting{"gptq", {"scheme={weights: {bits: 4, rounding: gptq}, activations: {bits: 8}}"}},
        Setting{"full_precision", {"scheme.propagate=full_precision"}},
        Setting{"gptq_full_precision",
                {"scheme={weights: {bits: 4, rounding: gptq}, activations: {bits: 8}, propagate: "
                 "full_precision}"}},
        Setting{"per_token",
                {"scheme={weights: {bits: 8}, activations: {bits: 4, granularity: per_token}}"}},
        Setting{"per_channel",
                {"scheme={weights: {bits: 8}, activations: {bits: 8, granularity: per_channel}}"}},
        Setting{"nodes",
                {"scheme={name: w6a6, nodes: {attention.probabilities: {granularity: per_head, "
                 "codes: logarithmic}, attention.value: {bits: 16}}}"}},
        Setting{"keep", {"scheme={keep: [mlp.hidden, 'blocks.0.attention.*', '*.layers.1.fc1']}"}},
        Setting{"no_evaluation", {}}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(OutputsTest, F16ModelsContinueFromWhatWasExact) {
  for (const char* propagate : {"quantized", "full_precision"}) {
    support::TinyOpt options;
    options.dtype = DType::F16;
    options.blocks = 3;
    const TinyJob tiny(options);
    expect_continues(tiny.job({"scheme.propagate=" + std::string(propagate)}), 3);
  }
}

class StoppedFamilies : public testing::TestWithParam<const char*> {
 protected:
  static void write(const TinyJob& tiny) {
    const std::string name = GetParam();
    fs::remove_all(tiny / "model");
    if (name == "bert") {
      support::write_tiny_bert(tiny / "model", {.masked = true});
    } else if (name == "gguf") {
      support::write_bytes(tiny / "model.gguf", support::tiny_llama_gguf().bytes());
    } else {
      support::write_tiny_family(tiny / "model", family(name));
    }
    const TokenId vocabulary = name == "gguf" ? 5 : support::tiny_vocabulary;
    support::write_token_ids(tiny / "calibration.safetensors", 8, 16, 11, vocabulary);
    support::write_token_ids(tiny / "evaluation.safetensors", 4, 16, 12, vocabulary);
  }

  static support::TinyFamily family(const std::string& name) {
    if (name == "llama") return support::tiny_llama();
    if (name == "gemma2") return support::tiny_gemma2();
    if (name == "mixtral") return support::tiny_mixtral();
    if (name == "gptj") return support::tiny_gptj();
    if (name == "gpt2") return support::tiny_gpt2();
    if (name == "falcon") return support::tiny_falcon();
    return support::tiny_projected_opt();
  }
};

TEST_P(StoppedFamilies, ContinuesToTheSameBytes) {
  const TinyJob tiny;
  write(tiny);
  const std::string name = GetParam();
  std::vector<std::string> settings;
  if (name == "gguf") {
    settings.emplace_back("model=model.gguf");
    settings.emplace_back("transform={method: smoothquant, alpha: 0.5}");
  }
  for (const char* propagate : {"quantized", "full_precision"}) {
    SCOPED_TRACE(propagate);
    settings.push_back("scheme.propagate=" + std::string(propagate));
    Job job = tiny.job(settings);
    if (name == "bert") job.evaluate.perplexity.clear();
    expect_continues(job);
    settings.pop_back();
  }
}

INSTANTIATE_TEST_SUITE_P(All, StoppedFamilies,
                         testing::Values("llama", "gemma2", "mixtral", "gptj", "gpt2", "falcon",
                                         "projected_opt", "bert", "gguf"),
                         [](const auto& parameter) { return std::string(parameter.param); });

// A job that was killed after its first block of two.
class KilledJob : public testing::Test {
 protected:
  KilledJob() : whole_(whole_run(tiny_.job())) { kill_at(tiny_.job(), 1); }

  fs::path staging() const { return tiny_.output() / ".staging"; }

  TinyJob tiny_;
  WholeRun whole_;
};

TEST_F(KilledJob, SaysWhereItContinues) {
  const auto remarks = run_again(tiny_.job(), whole_);
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_EQ(remarks[0],
            "continues after block 0, the last one that is finished in " + staging().string());
}

TEST_F(KilledJob, LeavesExistingOutputsAlone) {
  run_again(tiny_.job(), whole_);
  const FileBytes before = support::outputs_below(tiny_.output());
  kill_at(tiny_.job({"scheme=w4a4"}), 1);
  fs::remove_all(staging());
  expect_same(support::outputs_below(tiny_.output()), before);
}

TEST_F(KilledJob, OfAnotherJobIsRefusedUntilRestarted) {
  KillAt never;
  support::expect_error<UsageError>([&] { run_job(tiny_.job({"scheme=w6a6"}), never); }, staging(),
                                    {"scheme.activations.bits was 8 and is 6", "--restart"});
  EXPECT_TRUE(fs::exists(staging() / "blocks/0.safetensors"));
  EXPECT_TRUE(run_again(tiny_.job(), whole_, {.restart = true}).empty());
}

TEST_F(KilledJob, OfAnotherModelOrTextIsRefused) {
  KillAt never;
  for (const char* name : {"calibration.safetensors", "evaluation.safetensors"}) {
    const std::string bytes = support::read_bytes(tiny_ / name);
    support::write_token_ids(tiny_ / name, 8, 16, 99);
    support::expect_error<InputError>([&] { run_job(tiny_.job(), never); }, staging(),
                                      {name, "has changed since", "--restart"});
    support::write_bytes(tiny_ / name, bytes);
  }
  support::TinyOpt other;
  other.seed = 2;
  support::write_tiny_opt(tiny_ / "model", other);
  support::expect_error<InputError>([&] { run_job(tiny_.job(), never); }, staging(),
                                    {"model.safetensors has changed since", "--restart"});
  support::write_tiny_opt(tiny_ / "model", {});
  run_again(tiny_.job(), whole_);
}

TEST_F(KilledJob, MayHaveAnotherMemoryLimit) {
  const Job job = tiny_.job({"memory_limit=1GiB"});
  const auto kept = tiny_ / "kept";
  fs::rename(staging(), kept);
  const WholeRun whole = whole_run(job);
  fs::create_directory(tiny_.output());
  fs::rename(kept, staging());
  EXPECT_EQ(run_again(job, whole).size(), 1U);
}

TEST_F(KilledJob, SecondsAreThoseOfAllAttempts) {
  const BlockPart part = BlockParts(staging() / "blocks").at(0);
  KillAt never;
  const auto seconds = run_job(tiny_.job(), never).at("seconds");
  EXPECT_GT(seconds.at("total"), part.seconds.back());
  EXPECT_GT(seconds.at("search"), part.seconds[1]);
}

struct Damage {
  std::string name;
  std::function<void(const fs::path& staging)> inflict;
};
void truncate(const fs::path& path) { fs::resize_file(path, fs::file_size(path) / 2); }
void flip_last_byte(const fs::path& path) {
  std::string bytes = support::read_bytes(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  support::write_bytes(path, bytes);
}

class DamagedStaging : public testing::TestWithParam<Damage> {};

// Killed after both blocks; the second part, or what both need, is damaged.
TEST_P(DamagedStaging, ContinuesAfterTheLastGoodBlock) {
  const TinyJob tiny;
  const WholeRun whole = whole_run(tiny.job());
  kill_at(tiny.job(), 2);
  GetParam().inflict(tiny.output() / ".staging");
  const auto remarks = run_again(tiny.job(), whole);
  EXPECT_EQ(remarks.empty(), GetParam().name == "first_part_gone");
}

INSTANTIATE_TEST_SUITE_P(
    All, DamagedStaging,
    testing::Values(
        Damage{"part_truncated", [](const auto& at) { truncate(at / "blocks/1.safetensors"); }},
        Damage{"part_empty",
               [](const auto& at) { fs::resize_file(at / "blocks/1.safetensors", 0); }},
        Damage{"part_changed", [](const auto& at) { flip_last_byte(at / "blocks/1.safetensors"); }},
        Damage{"first_part_gone", [](const auto& at) { fs::remove(at / "blocks/0.safetensors"); }},
        Damage{"first_part_of_another_block",
               [](const auto& at) {
                 fs::copy_file(at / "blocks/1.safetensors", at / "blocks/0.safetensors",
                               fs::copy_options::overwrite_existing);
               }},
        Damage{"shard_gone",
               [](const auto& at) { fs::remove(at / "quantized/model.safetensors.partial"); }},
        Damage{"shard_truncated",
               [](const auto& at) { truncate(at / "model/model.safetensors.partial"); }},
        Damage{"folder_gone", [](const auto& at) { fs::remove_all(at / "model"); }},
        Damage{"weights_changed",
               [](const auto& at) {
                 const auto path = at / "quantized/model.safetensors.partial";
                 std::string bytes = support::read_bytes(path);
                 for (std::size_t i = bytes.size() / 2; i < bytes.size(); ++i) bytes[i] = 1;
                 support::write_bytes(path, bytes);
               }},
        Damage{"scores_changed", [](const auto& at) { flip_last_byte(at / "scores.json"); }}),
    [](const auto& parameter) { return parameter.param.name; });

TEST_F(KilledJob, WithADamagedJobIsRefused) {
  truncate(staging() / "job.json");
  KillAt never;
  support::expect_error<InputError>([&] { run_job(tiny_.job(), never); }, staging() / "job.json",
                                    {"damaged", "--restart"});
  run_again(tiny_.job(), whole_, {.restart = true});
}

TEST_F(KilledJob, WithoutAFinishedBlockIsNothing) {
  fs::remove(staging() / "blocks/0.safetensors");
  KillAt never;
  run_job(tiny_.job({"scheme=w6a6"}), never);
  EXPECT_TRUE(never.remarks.empty());
}

// In the last block.
TEST(OutputsTest, ErrorsOfTheMachineKeepFinishedBlocksAndThoseOfTheInputDoNot) {
  const auto run = [](DType dtype, float value) {
    support::TinyOpt options;
    options.dtype = dtype;
    options.change = [&](const std::string& name, std::vector<float>& values) {
      if (name != "model.decoder.layers.1.fc1.weight") return;
      for (std::size_t i = 1; i < values.size(); i += 16) values[i] = value;
    };
    const TinyJob tiny(options);
    KillAt never;
    std::string message;
    try {
      Job job = tiny.job({"transform={method: smoothquant, alpha: 1.0}"});
      job.evaluate.perplexity.clear();
      run_job(job, never);
    } catch (const MachineError& error) {
      message = error.what();
      EXPECT_TRUE(fs::exists(tiny.output() / ".staging/blocks/0.safetensors"));
    } catch (const InputError& error) {
      message = error.what();
      EXPECT_FALSE(fs::exists(tiny.output()));
    }
    return message;
  };
  EXPECT_NE(run(DType::F16, 60000.0F).find("(1 of 2 blocks are finished, and kept"),
            std::string::npos);
  EXPECT_NE(run(DType::F32, std::numeric_limits<float>::infinity()).find("fc1"), std::string::npos);
}

}  // namespace
}  // namespace evenkeel
