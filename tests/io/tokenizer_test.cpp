#include "io/tokenizer.h"

#include <array>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "io/byte_level.h"
#include "io/errors.h"
#include "io/utf8.h"
#include "support/scratch_folder.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel {
namespace {

using nlohmann::json;
using support::tiny_tokenizer;

class TokenizerTest : public testing::Test {
 protected:
  Tokenizer made(const json& document) const {
    support::write_json(path(), document);
    return Tokenizer(path());
  }
  // The message of loading the tiny tokenizer after `change`, less the path.
  std::string fault(const std::function<void(json&)>& change) const {
    json document = tiny_tokenizer();
    change(document);
    try {
      made(document);
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find(path().string() + ": "), 0U) << message;
      return message.substr(path().string().size() + 2);
    }
    return "no error";
  }
  std::filesystem::path path() const { return folder_ / "tokenizer.json"; }

 private:
  support::ScratchFolder folder_;
};

// The text that ids spell.
std::string decoded(const json& document, const Tokens& ids) {
  std::map<TokenId, std::string> tokens;
  for (const auto& [token, id] : document["model"]["vocab"].items()) tokens[id] = token;
  std::string symbols;
  for (const TokenId id : ids) symbols += tokens.at(id);
  return from_byte_level(symbols).value();
}

std::string random_text(std::mt19937& random) {
  std::string text;
  for (std::size_t i = random() % 60; i > 0; --i) {
    static constexpr std::array<char32_t, 4> ends = {0x80, 0x800, 0x10000, 0x110000};
    const char32_t character = static_cast<char32_t>(random()) % ends.at(random() % 4);
    const bool surrogate = character >= 0xD800 && character < 0xE000;
    append_utf8(text, surrogate || character == '<' ? U'h' : character);
    if (random() % 4 == 0) text += " the hell";
  }
  return text;
}

TEST_F(TokenizerTest, EncodesWordsSpecialTokensAndBytes) {
  const Tokenizer tokenizer = made(tiny_tokenizer());
  EXPECT_EQ(tokenizer.encode("hello the<s>é"), (Tokens{258, 'o', 260, 261, 0xC3, 0xA9}));
  EXPECT_EQ(tokenizer.vocabulary_size(), 262);
  EXPECT_TRUE(tokenizer.is_special(261));
  EXPECT_FALSE(tokenizer.is_special(260));
}

TEST_F(TokenizerTest, IdsSpellTheText) {
  const json document = tiny_tokenizer();
  const Tokenizer tokenizer = made(document);
  std::mt19937 random(7);
  for (int trial = 0; trial < 500; ++trial) {
    const std::string text = random_text(random);
    ASSERT_EQ(decoded(document, tokenizer.encode(text)), text);
  }
}

TEST_F(TokenizerTest, EmptyTextAndWhiteSpace) {
  const Tokenizer tokenizer = made(tiny_tokenizer());
  EXPECT_EQ(tokenizer.encode(""), Tokens{});
  EXPECT_EQ(tokenizer.encode(" \n\t "), (Tokens{' ', '\n', '\t', ' '}));
}

TEST_F(TokenizerTest, OneVeryLongWord) {
  const Tokenizer tokenizer = made(tiny_tokenizer());
  std::string word;
  for (int i = 0; i < 250000; ++i) word += "hell";
  EXPECT_EQ(tokenizer.encode(word), Tokens(250000, 258));
}

TEST_F(TokenizerTest, InvalidUtf8IsRefusedWithItsOffset) {
  const Tokenizer tokenizer = made(tiny_tokenizer());
  for (const std::string text : {"hello\xFF", "hello\xC3", "hello\xED\xA0\x80 the"}) {
    try {
      tokenizer.encode(text);
      FAIL() << "no error";
    } catch (const InputError& error) {
      EXPECT_STREQ(error.what(), "the text is not valid UTF-8 at byte 5; convert it");
    }
    EXPECT_THROW(tokenizer.encode_first(text, 1), InputError);
  }
}

TEST_F(TokenizerTest, SpecialTokensComeFromThePostProcessor) {
  json document = tiny_tokenizer();
  document["post_processor"] = {
      {"type", "RobertaProcessing"}, {"sep", {"!", 33}}, {"cls", {"<s>", 261}}};
  const Tokenizer tokenizer = made(document);
  EXPECT_EQ(tokenizer.encode("the"), (Tokens{'t', 257}));
  EXPECT_EQ(tokenizer.encode("the", true), (Tokens{261, 't', 257, 33}));
  EXPECT_EQ(tokenizer.encode("", true), (Tokens{261, 33}));
}

json with_bert_processing() {
  json document = tiny_tokenizer();
  document["post_processor"] = {
      {"type", "BertProcessing"}, {"sep", {"!", 33}}, {"cls", {"<s>", 261}}};
  return document;
}

TEST_F(TokenizerTest, APairIsEncodedWithItsTypes) {
  const Tokenizer tokenizer = made(with_bert_processing());
  const Encoding pair = tokenizer.encode_pair("the", "hell");
  EXPECT_EQ(pair.ids, (Tokens{261, 't', 257, 33, 258, 33}));
  EXPECT_EQ(pair.types, (Tokens{0, 0, 0, 0, 1, 1}));
  const Encoding plain = made(tiny_tokenizer()).encode_pair("the", "");
  EXPECT_EQ(plain.ids, (Tokens{'t', 257}));
  EXPECT_EQ(plain.types, (Tokens{0, 0}));
}

TEST_F(TokenizerTest, SpecialTokensOutliveTruncation) {
  const Tokenizer tokenizer = made(with_bert_processing());
  EXPECT_EQ(tokenizer.encode_single("the").ids, tokenizer.encode("the", true));
  EXPECT_EQ(tokenizer.encode_single("the", 3).ids, (Tokens{261, 't', 33}));
  EXPECT_EQ(tokenizer.encode_single("the", 2).ids, (Tokens{261, 33}));
  EXPECT_EQ(tokenizer.encode_pair("the", "abc", 6).ids, (Tokens{261, 't', 33, 'a', 'b', 33}));
  EXPECT_THROW(tokenizer.encode_single("the", 1), InputError);
  EXPECT_THROW(tokenizer.encode_pair("the", "abc", 2), InputError);
  EXPECT_THROW(tokenizer.encode_pair("the", "\xFF"), InputError);
}

TEST_F(TokenizerTest, PairsNeedATemplate) {
  json document = tiny_tokenizer();
  document["post_processor"] = {{"type", "TemplateProcessing"},
                                {"single", {{{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
                                {"pair", json::array()}};
  const Tokenizer tokenizer = made(document);
  EXPECT_EQ(tokenizer.encode_single("the").ids, (Tokens{'t', 257}));
  try {
    tokenizer.encode_pair("the", "the");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "tokenizer.json: post_processor: 'pair' does not name A and B once each, so this "
                 "tokenizer cannot encode two texts together");
  }
}

TEST_F(TokenizerTest, TheFirstIdsAreThoseOfTheWholeText) {
  const Tokenizer tokenizer = made(tiny_tokenizer());
  std::mt19937 random(3);
  for (int trial = 0; trial < 50; ++trial) {
    const std::string text = random_text(random) + "<s>" + random_text(random);
    const Tokens all = tokenizer.encode(text);
    for (std::size_t limit = 0; limit <= all.size() + 1; ++limit) {
      const Tokens expected(all.begin(),
                            all.begin() + static_cast<std::ptrdiff_t>(std::min(limit, all.size())));
      ASSERT_EQ(tokenizer.encode_first(text, limit), expected);
    }
  }
}

TEST_F(TokenizerTest, WithoutPreTokenizerSymbolsAreCharacters) {
  json document = tiny_tokenizer();
  document["pre_tokenizer"] = nullptr;
  EXPECT_EQ(made(document).encode("hell é"), (Tokens{258, 0xE9}));  // é is byte E9's symbol
}

TEST_F(TokenizerTest, OldFilesDoNotNameTheModel) {
  json document = tiny_tokenizer();
  document["model"].erase("type");
  EXPECT_EQ(made(document).encode("hell"), Tokens{258});
}

TEST_F(TokenizerTest, StepsAfterBytesSeeTheirAlphabet) {
  json document = tiny_tokenizer();
  const json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const json split = {{"type", "Split"},
                      {"pattern", {{"String", "Ġ"}}},
                      {"behavior", "Removed"},
                      {"invert", false}};
  document["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {bytes, split}}};
  EXPECT_EQ(made(document).encode("hell o é"), (Tokens{258, 'o', 0xC3, 0xA9}));
}

TEST_F(TokenizerTest, OnlyTheBeginningOfTheTextOpensIt) {
  json document = tiny_tokenizer();
  document["pre_tokenizer"] = {
      {"type", "Metaspace"}, {"replacement", "h"}, {"prepend_scheme", "first"}};
  EXPECT_EQ(made(document).encode("o<s>o"), (Tokens{'h', 'o', 261, 'o'}));
}

TEST_F(TokenizerTest, FaultsNameTheComponent) {
  EXPECT_EQ(
      fault([](json& d) {
        d["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "AAAA"}};
      }),
      "normalizer: type 'Precompiled' is not supported; supported: BertNormalizer, Lowercase, NFC, "
      "NFD, NFKC, NFKD, Prepend, Replace, Sequence, Strip, StripAccents");
  EXPECT_EQ(fault([](json& d) {
              d["pre_tokenizer"] = {{"type", "UnicodeScripts"}};
            }),
            "pre_tokenizer: type 'UnicodeScripts' is not supported; supported: BertPreTokenizer, "
            "ByteLevel, Digits, Metaspace, Punctuation, Sequence, Split, Whitespace, "
            "WhitespaceSplit");
  EXPECT_EQ(fault([](json& d) { d["model"]["type"] = "WordLevel"; }),
            "model: type 'WordLevel' is not supported; supported: BPE, Unigram, WordPiece");
  EXPECT_EQ(fault([](json& d) { d["model"] = 1; }), "model: expected an object, got 1");
  EXPECT_EQ(fault([](json& d) { d.erase("model"); }), "'model' is missing");
  EXPECT_EQ(fault([](json& d) { d["version"] = "2.0"; }),
            "'version' is not \"1.0\", the only one known");
  EXPECT_EQ(
      fault([](json& d) {
        d["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"x", 262}}, {"cls", {"y", 0}}};
      }),
      "post_processor: id 262 is not in the vocabulary of 262");
  EXPECT_EQ(fault([](json& d) { d = json::array(); }), "expected a JSON object");
}

TEST_F(TokenizerTest, AnAbsentFileIsNamed) {
  EXPECT_THROW(Tokenizer(path() / "absent"), InputError);
}

// Every beginning of a good file is a bad file.
TEST_F(TokenizerTest, TruncatedFilesAreRefused) {
  const std::string whole = tiny_tokenizer().dump();
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    std::ofstream(path(), std::ios::binary) << whole.substr(0, size);
    EXPECT_THROW(Tokenizer{path()}, InputError) << size;
  }
}

}  // namespace
}  // namespace evenkeel
