#include "io/corpus.h"

#include <algorithm>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/hdf5.h"
#include "support/scratch_folder.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel {
namespace {

constexpr TokenId vocabulary = 262;

class CorpusTest : public testing::Test {
 protected:
  CorpusTest() {
    support::write_json(folder_ / "tokenizer.json", support::tiny_tokenizer());
    tokenizer_.emplace(folder_ / "tokenizer.json");
  }
  std::filesystem::path file(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  CorpusOptions options(const std::filesystem::path& path, std::int64_t samples,
                        std::int64_t length) const {
    CorpusOptions made;
    made.file = path;
    made.samples = samples;
    made.sequence_length = length;
    return made;
  }
  std::vector<Tokens> read(const CorpusOptions& asked) const {
    return read_corpus(asked, &*tokenizer_, vocabulary);
  }
  // The message of reading, less the folder.
  std::string fault(const CorpusOptions& asked, TokenId size = vocabulary,
                    bool with_tokenizer = true) const {
    try {
      read_corpus(asked, with_tokenizer ? &*tokenizer_ : nullptr, size);
    } catch (const InputError& error) {
      const std::string message = error.what();
      const std::string folder = folder_.path().string() + "/";
      return message.find(folder) == 0 ? message.substr(folder.size()) : message;
    }
    return "no error";
  }

  support::ScratchFolder folder_;
  std::optional<Tokenizer> tokenizer_;
};

using Windows = std::vector<Tokens>;

TEST_F(CorpusTest, TextIsCutIntoWindows) {
  const auto path = file("a.txt", "hello the x");  // 258 o 260 ' ' x
  EXPECT_EQ(read(options(path, 2, 2)), (Windows{{258, 'o'}, {260, ' '}}));
  EXPECT_EQ(read(options(path, 1, 5)), (Windows{{258, 'o', 260, ' ', 'x'}}));
}

TEST_F(CorpusTest, JsonLinesAreJoinedByABlankLine) {
  const auto path = file("a.jsonl",
                         "{\"text\": \"a\", \"source\": 1}\n\n  \r\n"
                         "{\"text\": \"\\u00e9\"}\r\n{\"text\": \"b\"}");
  EXPECT_EQ(read(options(path, 1, 8)), (Windows{{'a', '\n', '\n', 0xC3, 0xA9, '\n', '\n', 'b'}}));
}

TEST_F(CorpusTest, FirstWindowsAreThoseOfTheWholeText) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "the hell of " + std::to_string(i * i) + " hells\n";
  const auto path = file("a.txt", text);
  const Windows all = read_windows(path, 16, std::nullopt, &*tokenizer_, vocabulary);
  ASSERT_GT(all.size(), 100U);
  for (const std::size_t count : {1U, 7U, 100U}) {
    const Windows first = read(options(path, static_cast<std::int64_t>(count), 16));
    ASSERT_EQ(first.size(), count);
    EXPECT_TRUE(std::equal(first.begin(), first.end(), all.begin()));
  }
}

TEST_F(CorpusTest, RandomOrderTakesDistinctWindowsBySeed) {
  std::string text;
  for (char c = 'a'; c <= 'z'; ++c) text += {c, '1'};  // windows a1, b1, ...
  CorpusOptions asked = options(file("a.txt", text), 26, 2);
  asked.order = CorpusOptions::Order::random;
  const Windows all = read(asked);
  EXPECT_EQ(read(asked), all);
  Windows sorted = all;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_NE(sorted, all);
  EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
  asked.seed = 1;
  EXPECT_NE(read(asked), all);
  asked.seed = 0;
  asked.samples = 5;
  EXPECT_EQ(read(asked), Windows(all.begin(), all.begin() + 5));
}

TEST_F(CorpusTest, RandomTokensNeedNoFile) {
  for (const auto kind : {CorpusOptions::Random::ascii, CorpusOptions::Random::vocabulary}) {
    CorpusOptions asked = options("", 5, 7);
    asked.random = kind;
    const Windows windows = read(asked);
    ASSERT_EQ(windows.size(), 5U);
    for (const Tokens& window : windows) EXPECT_EQ(window.size(), 7U);
    EXPECT_EQ(read(asked), windows);
    asked.seed = 1;
    EXPECT_NE(read(asked), windows);
    EXPECT_EQ(fault(asked, vocabulary, false),
              asked.label() +
                  " needs the tokenizer.json of the checkpoint; add it, or give token "
                  "ids (.h5, .safetensors)");
  }
}

TEST_F(CorpusTest, ReadWindowsTakesAtMostItsLimit) {
  const auto path = file("a.txt", "abcdef1");
  EXPECT_EQ(read_windows(path, 2, 2, &*tokenizer_, vocabulary), (Windows{{'a', 'b'}, {'c', 'd'}}));
  EXPECT_EQ(read_windows(path, 2, 9, &*tokenizer_, vocabulary).size(), 3U);
  EXPECT_THROW(read_windows(path, 8, 9, &*tokenizer_, vocabulary), InputError);
  EXPECT_THROW(read_windows(path, 2, 0, &*tokenizer_, vocabulary), InputError);
}

TEST_F(CorpusTest, LabelsSayWhereTokensComeFrom) {
  CorpusOptions asked = options("some/where/text.txt", 1, 2);
  EXPECT_EQ(asked.label(), "text.txt");
  asked.random = CorpusOptions::Random::ascii;
  EXPECT_EQ(asked.label(), "random: ascii");
  asked.random = CorpusOptions::Random::vocabulary;
  EXPECT_EQ(asked.label(), "random: vocabulary");
}

TEST_F(CorpusTest, TooFewWindowsSayHowMany) {
  EXPECT_EQ(fault(options(file("a.txt", "abcdef1"), 4, 2)),
            "a.txt: 3 windows of 2 tokens are in it, 4 are asked; lower samples or "
            "sequence_length");
  EXPECT_EQ(fault(options(file("empty.txt", ""), 1, 2)),
            "empty.txt: 0 windows of 2 tokens are in it, 1 are asked; lower samples or "
            "sequence_length");
}

TEST_F(CorpusTest, MalformedFilesNameTheirPlace) {
  EXPECT_EQ(fault(options(file("a.txt", "hello\xFFxx"), 1, 2)),
            "a.txt: not valid UTF-8 at byte 5; convert it");
  EXPECT_EQ(
      fault(options(file("a.csv", "x"), 1, 2)),
      "a.csv: unknown kind of corpus '.csv'; known are .txt, .jsonl, .tsv, .h5 and .safetensors");
  EXPECT_EQ(fault(options(file("a.jsonl", "{\"text\": \"a\"}\n\n{\"text\": 1}\n"), 1, 2)),
            "a.jsonl:3: 'text': expected a string, got 1");
  EXPECT_EQ(fault(options(file("a.jsonl", "{\"txt\": \"a\"}\n"), 1, 2)),
            "a.jsonl:1: 'text' is missing: expected a string");
  EXPECT_EQ(fault(options(file("a.jsonl", "[1]\n"), 1, 2)).find("a.jsonl:1: "), 0U);
  EXPECT_EQ(fault(options(file("a.jsonl", "{}{\n"), 1, 2)).find("a.jsonl:1: byte "), 0U);
  EXPECT_EQ(fault(options(file("a.jsonl", "{\"text\": \"\xFF\"}\n"), 1, 2)).find("a.jsonl:1: "),
            0U);
  EXPECT_NE(fault(options(folder_ / "absent.txt", 1, 2)), "no error");
  EXPECT_EQ(fault(options(file("a.txt", "ab"), 1, 2), vocabulary, false),
            "a.txt: text needs the tokenizer.json of the checkpoint; add it, or give token ids "
            "(.h5, .safetensors)");
}

TEST_F(CorpusTest, IdsBeyondTheModelAreRefused) {
  EXPECT_EQ(fault(options(file("a.txt", "abhe"), 1, 2), 98),
            "a.txt: token 1 has id 98, which is outside the model's vocabulary [0, 98); use the "
            "tokenizer and the ids of this model");
}

TEST_F(CorpusTest, ImpossibleSizesAreRefused) {
  const auto path = file("a.txt", "abcd");
  for (const auto& [samples, length] : {std::pair<std::int64_t, std::int64_t>{0, 2},
                                        {-1, 2},
                                        {1, 1},
                                        {1, INT64_MIN},
                                        {INT64_MAX, INT64_MAX},
                                        {std::int64_t{1} << 31U, 2}}) {
    EXPECT_NE(fault(options(path, samples, length)).find("are asked"), std::string::npos);
  }
}

}  // namespace
}  // namespace evenkeel
