#include "calib/corpus_folders.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "calib/job.h"
#include "io/errors.h"
#include "support/job_file.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

class CorpusFoldersTest : public testing::Test {
 protected:
  CorpusFoldersTest() {
    std::filesystem::create_directories(folder_ / "texts" / "sub.dev.txt");
    for (const char* name :
         {"b_Latn.dev.txt", "a_Arab.dev.txt", "a_Arab.devtest.txt", ".x.dev.txt"}) {
      support::write_bytes(folder_ / "texts" / name, "text");
    }
  }
  std::vector<FolderCorpus> corpora(const std::string& yaml) {
    return corpora_of(parse_yaml(yaml, {.name = "job.yaml"}), folder_ / "", "key", faults_);
  }
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  Pairs pairs(const std::string& yaml) {
    Pairs pairs;
    for (const auto& corpus : corpora(yaml)) pairs.emplace_back(corpus.label, corpus.value.text);
    return pairs;
  }

  support::ScratchFolder folder_;
  std::vector<Fault> faults_;
};

TEST_F(CorpusFoldersTest, OneStarNamesTheSets) {
  EXPECT_EQ(pairs("{folder: texts, pattern: '*.dev.txt'}"),
            (Pairs{{"a_Arab", "texts/a_Arab.dev.txt"}, {"b_Latn", "texts/b_Latn.dev.txt"}}));
  EXPECT_EQ(pairs("{folder: texts, pattern: 'a_*'}"),
            (Pairs{{"Arab.dev.txt", "texts/a_Arab.dev.txt"},
                   {"Arab.devtest.txt", "texts/a_Arab.devtest.txt"}}));
  EXPECT_TRUE(faults_.empty());
}

TEST_F(CorpusFoldersTest, OtherPatternsLeaveTheFilesTheirNames) {
  EXPECT_EQ(pairs("{folder: texts, pattern: '*_L*.txt'}"),
            (Pairs{{"b_Latn.dev.txt", "texts/b_Latn.dev.txt"}}));
  EXPECT_EQ(pairs("{folder: texts, pattern: '?_[L]*.txt'}"),
            (Pairs{{"b_Latn.dev.txt", "texts/b_Latn.dev.txt"}}));
  EXPECT_EQ(pairs("{folder: texts, pattern: 'b_Latn.dev.txt'}").size(), 1U);
  EXPECT_EQ(pairs("{folder: texts}").size(), 3U);  // neither hidden files nor folders
}

TEST_F(CorpusFoldersTest, FaultsSayWhat) {
  for (const auto& [yaml, message] :
       Pairs{{"{folder: none}", "folder 'none' cannot be read"},
             {"{folder: texts, pattern: '*.md'}", "no file in 'texts' is named '*.md'"},
             {"{folder: texts, patern: '*'}", "'patern': unknown key; known keys: folder, pattern"},
             {"{folder: [texts]}", "folder: expected a text that is not empty; got a list"}}) {
    faults_.clear();
    EXPECT_TRUE(corpora(yaml).empty());
    ASSERT_EQ(faults_.size(), 1U) << yaml;
    EXPECT_NE(faults_[0].text().find(message), std::string::npos) << faults_[0].text();
  }
}

TEST_F(CorpusFoldersTest, AComparisonHasARowForEach) {
  const std::string job =
      "model: m\ncalibration: {samples: 2}\nevaluate: {perplexity: [e.txt]}\n"
      "output: out\ncompare:\n";
  const auto rows_of_axis = [&](const std::string& axis) {
    support::write_bytes(folder_ / "job.yaml", job + axis);
    return load_comparison(folder_ / "job.yaml").rows;
  };
  const auto rows = rows_of_axis(
      "  calibration: [{random: ascii}, {corpus: {folder: texts, pattern: '*.dev.txt'}}]\n");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].settings.at(0).second, "a_Arab");
  EXPECT_EQ(rows[2].job.calibration.corpus.file, folder_ / "texts" / "b_Latn.dev.txt");
  EXPECT_EQ(rows[2].job.calibration.corpus.samples, 2);
  const auto labelled = rows_of_axis(
      "  calibration: [{label: dev, samples: 3, corpus: {folder: texts, pattern: '*.dev.txt'}}]\n");
  EXPECT_EQ(labelled.at(0).settings.at(0).second, "dev a_Arab");
  EXPECT_EQ(labelled.at(0).job.calibration.corpus.samples, 3);
  EXPECT_EQ(rows_of_axis("  calibration.corpus: [{folder: texts, pattern: '*.dev.txt'}]\n").size(),
            2U);
  EXPECT_EQ(rows_of_axis("  job: [{calibration: {corpus: {folder: texts}}}]\n").size(), 3U);
}

TEST_F(CorpusFoldersTest, OneJobCannotHaveSeveral) {
  support::write_bytes(folder_ / "job.yaml",
                       "model: m\noutput: out\ncalibration:\n  corpus: {folder: texts}\n");
  try {
    load_job(folder_ / "job.yaml");
    ADD_FAILURE() << "no error";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find(":4: calibration.corpus: a folder holds several"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace evenkeel
