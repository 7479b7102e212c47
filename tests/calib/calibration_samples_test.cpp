#include "calib/calibration_samples.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/job_inputs.h"
#include "calib/runner.h"
#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/tiny_bert.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::expect_error;

class CalibrationSamplesTest : public testing::Test {
 protected:
  CalibrationSamplesTest() {
    support::write_tiny_bert(folder_ / "model");
    support::write_tiny_bert(folder_ / "masked", {.masked = true});
    support::write_tiny_opt(folder_ / "opt");
    support::write_token_ids(folder_ / "ids.safetensors", 4, 16, 1);
    write("texts.txt", "a\nbb\nccc\ndddd\neeeee\n");
    write("texts.tsv", "sentence\tlabel\na\t0\nbb\t7\nccc\t0\ndddd\t0\neeeee\t0\n");
    write("texts.jsonl",
          "{\"text\": \"a\"}\n{\"text\": \"bb\"}\n{\"text\": \"ccc\"}\n"
          "{\"text\": \"dddd\"}\n{\"text\": \"eeeee\"}\n");
    write("job.yaml", "model: model\noutput: out\ncalibration:\n  sequence_length: 5\n");
  }

  void write(const std::string& name, const std::string& text) const {
    support::write_bytes(folder_ / name, text);
  }
  Job job(std::vector<std::string> settings) const {
    return load_job(folder_ / "job.yaml", settings);
  }
  std::vector<Encoding> samples(const std::vector<std::string>& settings) const {
    const Job wanted = job(settings);
    return JobInputs(wanted).samples(wanted);
  }

  support::ScratchFolder folder_;
};

TEST_F(CalibrationSamplesTest, EncodersAreGivenWholeTexts) {
  for (const char* model : {"model", "masked"}) {
    for (const char* file : {"texts.txt", "texts.tsv", "texts.jsonl"}) {
      const auto found =
          samples({std::string("model=") + model, std::string("calibration.corpus=") + file,
                   "calibration.samples=5"});
      ASSERT_EQ(found.size(), 5U) << file;
      EXPECT_EQ(found[0].ids, (Tokens{262, 'a', 263}));
      EXPECT_EQ(found[1].ids, (Tokens{262, 'b', 'b', 263}));
      EXPECT_EQ(found[4].ids, (Tokens{262, 'e', 'e', 'e', 263}));  // cut at 5
      EXPECT_EQ(found[4].types.size(), 5U);
    }
  }
}

TEST_F(CalibrationSamplesTest, WhatIsSaidOfTheCutWins) {
  const auto windows =
      samples({"calibration.corpus=texts.txt", "calibration.samples=2", "calibration.cut=windows"});
  EXPECT_EQ(windows[0].ids, (Tokens{'a', '\n', 'b', 'b', '\n'}));
  EXPECT_TRUE(windows[0].types.empty());
  const auto joined =
      samples({"calibration.corpus=texts.tsv", "calibration.samples=2", "calibration.cut=windows"});
  EXPECT_EQ(joined[0].ids, (Tokens{'a', '\n', '\n', 'b', 'b'}));
  const std::vector<std::string> opt{"model=opt", "calibration.corpus=texts.txt",
                                     "calibration.samples=2"};
  EXPECT_EQ(samples(opt)[1].ids.size(), 5U);
  auto cut = opt;
  cut.emplace_back("calibration.cut=texts");
  EXPECT_EQ(samples(cut)[1].ids, (Tokens{'b', 'b'}));
}

TEST_F(CalibrationSamplesTest, RandomTextAndIdsAreWindows) {
  EXPECT_EQ(samples({"calibration.random=ascii", "calibration.samples=2"})[0].ids.size(), 5U);
  EXPECT_EQ(samples({"calibration.corpus=ids.safetensors", "calibration.samples=2"})[0].ids.size(),
            5U);
  expect_error<UsageError>(
      [&] {
        job({"calibration.random=ascii", "calibration.cut=texts"});
      },
      "--set calibration.cut", {"random text is always cut into windows"});
  expect_error<UsageError>(
      [&] {
        job({"calibration.corpus=ids.safetensors", "calibration.cut=texts"});
      },
      "--set calibration.cut", {"token ids are always cut into windows"});
}

TEST_F(CalibrationSamplesTest, RandomOrderIsOneOfTheTextsEachOnce) {
  const auto drawn_with = [&](int seed) {
    std::vector<Tokens> ids;
    for (const Encoding& sample :
         samples({"calibration.corpus=texts.tsv", "calibration.samples=5",
                  "calibration.order=random", "calibration.seed=" + std::to_string(seed)})) {
      ids.push_back(sample.ids);
    }
    return ids;
  };
  EXPECT_EQ(drawn_with(1), drawn_with(1));
  auto first = drawn_with(1);
  auto second = drawn_with(2);
  EXPECT_NE(first, second);
  std::ranges::sort(first);
  std::ranges::sort(second);
  EXPECT_EQ(first, second);
}

TEST_F(CalibrationSamplesTest, TooFewTexts) {
  expect_error<InputError>(
      [&] {
        samples({"calibration.corpus=texts.txt", "calibration.samples=6"});
      },
      folder_ / "texts.txt", {"5 texts are in it, 6 are asked", "lower samples"});
}

TEST_F(CalibrationSamplesTest, AnEmptyTextWithoutSpecialTokensIsNone) {
  write("empty.jsonl", "{\"text\": \"a\"}\n{\"text\": \"\"}\n");
  const std::vector<std::string> settings{"calibration.corpus=empty.jsonl", "calibration.samples=2",
                                          "calibration.cut=texts"};
  EXPECT_EQ(samples(settings)[1].ids, (Tokens{262, 263}));
  auto opt = settings;
  opt.emplace_back("model=opt");
  expect_error<InputError>([&] { samples(opt); }, folder_ / "empty.jsonl:2", {"no token"});
}

TEST_F(CalibrationSamplesTest, MaskedModelsCalibrateWithoutEvaluation) {
  Progress silent;
  const auto summary = run_job(
      job({"model=masked", "calibration.corpus=texts.txt", "calibration.samples=5"}), silent);
  EXPECT_EQ(summary.at("sites").size(), 4U);
}

}  // namespace
}  // namespace evenkeel
