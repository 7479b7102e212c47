#include "calib/job_inputs.h"

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

using support::expect_error;

TEST(JobInputsTest, ReadsModelTextsAndSamples) {
  const support::TinyJob tiny;
  const Job job = tiny.job();
  const JobInputs inputs(job);
  EXPECT_EQ(inputs.model().architecture().blocks, 2);
  ASSERT_EQ(inputs.texts().size(), 1U);
  EXPECT_EQ(inputs.texts()[0].windows.size(), 4U);
  const auto samples = inputs.samples(job);
  ASSERT_EQ(samples.size(), 6U);
  for (const Encoding& sample : samples) EXPECT_EQ(sample.ids.size(), 16U);
}

TEST(JobInputsTest, RandomTokensDifferBySeedAlone) {
  const support::TinyJob tiny;
  const JobInputs inputs(tiny.job());
  for (const std::string kind : {"ascii", "vocabulary"}) {
    const auto samples = [&](int seed) {
      return inputs.samples(
          tiny.job({"calibration={random: " + kind +
                    ", samples: 4, sequence_length: 16, seed: " + std::to_string(seed) + "}"}));
    };
    EXPECT_EQ(samples(1)[0].ids, samples(1)[0].ids);
    EXPECT_NE(samples(1)[0].ids, samples(2)[0].ids);
    EXPECT_EQ(samples(1).size(), 4U);
  }
}

TEST(JobInputsTest, FaultsOfTheJobNameFileAndKey) {
  const support::TinyJob tiny;
  const Job longer = tiny.job({"evaluate.sequence_length=40"});
  expect_error<UsageError>([&] { JobInputs inputs(longer); }, tiny.file(),
                           {"evaluate.sequence_length: 40"});
  const Job job = tiny.job({"calibration.sequence_length=40"});
  const JobInputs inputs(job);
  expect_error<UsageError>([&] { static_cast<void>(inputs.samples(job)); }, tiny.file(),
                           {"calibration.sequence_length: 40"});
  std::filesystem::remove(tiny / "evaluation.safetensors");
  expect_error<InputError>([&] { JobInputs none(job); }, tiny / "evaluation.safetensors", {});
}

}  // namespace
}  // namespace evenkeel
