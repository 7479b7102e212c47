#include "calib/task_texts.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/evaluation_texts.h"
#include "io/checkpoint.h"
#include "io/errors.h"
#include "support/checkpoint_edits.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

// Of the tiny tokenizer: "hell" is one token, " the" another, other bytes are themselves.
constexpr TokenId hell = 258;
constexpr TokenId the = 260;

class TaskTexts : public testing::Test {
 protected:
  explicit TaskTexts() { support::write_tiny_opt(folder_ / "model"); }

  EvaluationText encode(const std::string& lines,
                        std::optional<std::int64_t> length = std::nullopt) const {
    support::write_bytes(folder_ / "a.jsonl", lines);
    const Checkpoint checkpoint(folder_ / "model");
    const LanguageModel model(checkpoint);
    const ModelTokenizer tokenizer(model);
    return encode_task(model, tokenizer.get(), {.kind = "plain", .file = folder_ / "a.jsonl"},
                       "own", length, std::nullopt);
  }
  void expect_fault(const std::string& lines, const std::string& where,
                    std::initializer_list<std::string_view> parts) const {
    support::expect_error<InputError>([&] { encode(lines); }, folder_ / ("a.jsonl" + where), parts);
  }

  support::ScratchFolder folder_;
};

std::string target(const std::string& context, const std::string& word) {
  return R"({"context": ")" + context + R"(", "target": ")" + word + "\"}";
}

TEST_F(TaskTexts, AContinuationsIdsAreThoseBehindTheContexts) {
  const auto text = encode(R"({"context": "hell", "choices": ["the", "xy"], "answer": 1})");
  EXPECT_EQ(text.label, "own");
  ASSERT_TRUE(text.task);
  EXPECT_EQ(text.task->kind, "plain");
  EXPECT_EQ(text.windows, without_types({{hell}, {hell, ' ', 'x'}}));
  EXPECT_EQ(text.task->targets, (std::vector<Tokens>{{the}, {' ', 'x', 'y'}}));
  ASSERT_EQ(text.task->examples.size(), 1U);
  EXPECT_EQ(text.task->examples[0].answer, 1U);
  EXPECT_EQ(text.task->examples[0].answers, 2U);
  EXPECT_EQ(text.task->examples[0].lengths, (std::vector<std::size_t>{3, 2}));
}

// "x " + " the": the blank before the context's end is scored with the continuation.
TEST_F(TaskTexts, WhiteSpaceAtTheContextsEndMovesToTheContinuation) {
  const auto text = encode(target("x ", "the"));
  EXPECT_EQ(text.windows, without_types({{'x', ' '}}));
  EXPECT_EQ(text.task->targets, (std::vector<Tokens>{{' ', the}}));
}

// The whole is encoded, not its parts: "he" + "ll" would be other tokens than "hell".
TEST_F(TaskTexts, AnEmptyContextIsTheFirstTokenOfTheConfig) {
  const auto ids = [&] { return encode(target("", "the")).windows.at(0).ids; };
  const auto change = [&](const std::string& key, const nlohmann::json& value) {
    support::change_config(folder_ / "model", key, value);  // null counts as absent
  };
  change("bos_token_id", 7);
  change("eos_token_id", 9);
  EXPECT_EQ(ids(), (Tokens{7}));
  EXPECT_EQ(encode(target("  ", "the")).windows.at(0).ids, (Tokens{7, ' ', ' '}));
  change("bos_token_id", nullptr);
  EXPECT_EQ(ids(), (Tokens{9}));
  change("eos_token_id", nlohmann::json::array({5, 6}));
  EXPECT_EQ(ids(), (Tokens{5}));
  for (const nlohmann::json& bad : {nlohmann::json(), nlohmann::json("x"), nlohmann::json(-1),
                                    nlohmann::json(264), nlohmann::json::array()}) {
    change("eos_token_id", bad);
    expect_fault(target("", "the"), ":1", {"bos_token_id", "eos_token_id"});
    EXPECT_EQ(encode(target("x", "the")).windows.at(0).ids, (Tokens{'x'}));  // not needed
  }
}

TEST_F(TaskTexts, LongContextsLoseTheirFirstTokens) {
  const std::string context = "abcdefghijklmnopqrstuvwxyz0123456789";
  const auto whole = encode(target(context, "the")).windows.at(0).ids;
  EXPECT_EQ(whole.size(), 32U);  // the positions: the target is no input
  EXPECT_EQ(whole.front(), 'e');
  EXPECT_EQ(whole.back(), '9');
  const auto text = encode(target(context, "the xy"), 5);
  EXPECT_EQ(text.windows.at(0).ids, (Tokens{'8', '9', the, ' ', 'x'}));
  EXPECT_EQ(text.task->targets.at(0), (Tokens{the, ' ', 'x', 'y'}));
  EXPECT_EQ(encode(target("a", "b"), 900).windows.at(0).ids.size(), 2U);
}

TEST_F(TaskTexts, AContinuationMustFit) {
  const std::string long_word(32, 'x');  // and its blank
  expect_fault(target("a", "b") + "\n" + target("a", long_word), ":2", {"33 tokens", "32"});
  EXPECT_EQ(encode(target("a", long_word.substr(1))).windows.at(0).ids.size(), 32U);
}

}  // namespace
}  // namespace evenkeel
