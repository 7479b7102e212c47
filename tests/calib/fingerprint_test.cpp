#include "calib/fingerprint.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

Fingerprint of(const support::TinyJob& tiny, const std::vector<std::string>& settings = {}) {
  const Job job = tiny.job(settings);
  return fingerprint_of(job, Checkpoint(job.model));
}

template <class Error>
void expect_refused(const Fingerprint& earlier, const Fingerprint& now, std::string_view part) {
  support::expect_error<Error>([&] { require_same(earlier, now, "out/.staging"); },
                               "out/.staging: ", {part, "--restart"});
}

TEST(FingerprintTest, ComesBackFromItsText) {
  const support::TinyJob tiny;
  const Fingerprint fingerprint = of(tiny);
  EXPECT_EQ(fingerprint_from("job.json", to_text(fingerprint)), fingerprint);
  EXPECT_EQ(fingerprint.files.size(), 5U);  // three of the model, two texts
  for (const char* wrong : {"", "{}", "[]", "{\"program\": 3}", "null"}) {
    EXPECT_EQ(fingerprint_from("job.json", wrong), std::nullopt) << wrong;
  }
}

TEST(FingerprintTest, WhatChangesNoByteMayDiffer) {
  const support::TinyJob tiny;
  EXPECT_NO_THROW(require_same(
      of(tiny),
      of(tiny, {"memory_limit=1GiB", "output=elsewhere", "model=./model", "analyze.bits=4"}),
      "place"));
}

TEST(FingerprintTest, SettingsAreNamed) {
  const support::TinyJob tiny;
  const Fingerprint job = of(tiny);
  expect_refused<UsageError>(job, of(tiny, {"scheme=w6a6"}),
                             "scheme.activations.bits was 8 and is 6");
  expect_refused<UsageError>(job, of(tiny, {"calibration.samples=5"}),
                             "calibration.samples was 6 and is 5");
  expect_refused<UsageError>(job, of(tiny, {"transform.sites=[mlp]"}),
                             "transform.sites was not given and is [\"mlp\"]");
  expect_refused<UsageError>(job, of(tiny, {"evaluate.windows=2"}),
                             "evaluate.windows was not given and is 2");
  // Also where only the record tells, which holds the job as it is written.
  expect_refused<UsageError>(job, of(tiny, {"calibration.seed=0"}), "calibration.seed");
}

TEST(FingerprintTest, SettingsOfAJobThatIsNoFileAreCompared) {
  const support::TinyJob tiny;
  Job job = tiny.job();
  const Checkpoint checkpoint(job.model);
  const Fingerprint earlier = fingerprint_of(job, checkpoint);
  job.scheme.activations.bits = 5;
  expect_refused<UsageError>(earlier, fingerprint_of(job, checkpoint), "bits was 8 and is 5");
}

TEST(FingerprintTest, FilesAreNamed) {
  for (const char* name : {"model/model.safetensors", "model/config.json", "model/tokenizer.json",
                           "calibration.safetensors", "evaluation.safetensors"}) {
    const support::TinyJob tiny;
    const Fingerprint earlier = of(tiny);
    const auto path = tiny / name;
    std::string bytes = support::read_bytes(path);
    if (path.extension() == ".json") {
      bytes += "\n";
    } else {
      bytes.back() = static_cast<char>(bytes.back() ^ 1);
    }
    support::write_bytes(path, bytes);
    expect_refused<InputError>(earlier, of(tiny), path.filename().string() + " has changed since");
  }
}

TEST(FingerprintTest, TasksAreNamedWithTheirLabelFiles) {
  const support::TinyJob tiny;
  const std::string question = R"({"goal": "the", "sol1": "hell", "sol2": "he"})";
  support::write_bytes(tiny / "valid.jsonl", question);
  support::write_bytes(tiny / "valid-labels.lst", "0\n");
  support::write_bytes(tiny / "own.jsonl", R"({"context": "the", "target": "hell"})");
  const std::string corpus = "calibration={corpus: {task: plain, file: own.jsonl}, samples: 2}";
  const auto tasks = [](const std::string& more) {
    return "evaluate={tasks: [{task: piqa, file: valid.jsonl" + more + "}]}";
  };
  const Fingerprint earlier = of(tiny, {tasks(""), corpus});
  EXPECT_NO_THROW(require_same(earlier, of(tiny, {tasks(""), corpus}), "place"));
  expect_refused<InputError>(earlier, of(tiny, {tasks(", label: other"), corpus}), "piqa");
  support::write_bytes(tiny / "valid-labels.lst", "1\n");
  expect_refused<InputError>(earlier, of(tiny, {tasks(""), corpus}),
                             "labels of piqa: valid.jsonl has changed since");
  support::write_bytes(tiny / "valid-labels.lst", "0\n");
  support::write_bytes(tiny / "own.jsonl", R"({"context": "the", "target": "he"})");
  expect_refused<InputError>(earlier, of(tiny, {tasks(""), corpus}),
                             "calibration.corpus: plain: own.jsonl has changed since");
}

TEST(FingerprintTest, FilesThatCameOrWent) {
  const support::TinyJob tiny;
  const Fingerprint earlier = of(tiny);
  support::write_bytes(tiny / "model/generation_config.json", "{}");
  expect_refused<InputError>(earlier, of(tiny), "generation_config.json is new since");
  expect_refused<InputError>(of(tiny), earlier, "generation_config.json is gone since");
}

TEST(FingerprintTest, AnotherBuild) {
  const support::TinyJob tiny;
  Fingerprint other = of(tiny);
  EXPECT_GT(other.program.size(), 16U);
  other.program = "1 0123456789abcdef";
  expect_refused<UsageError>(other, of(tiny), "another build");
}

}  // namespace
}  // namespace evenkeel
