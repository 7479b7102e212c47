#include "io/gguf_tokenizer.h"

#include "tests/support/expect_error.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/tokenizer.h"

namespace evenkeel {
namespace {

using support::GgufBuilder;
using Change = std::function<void(GgufBuilder&)>;
namespace type = support::gguf_type;

std::string numbers(const std::vector<std::int32_t>& values) {
  return support::gguf_array(type::i32, values.size(), support::bytes_of_numbers(values));
}

std::string scores(const std::vector<float>& values) {
  return support::gguf_array(type::f32, values.size(), support::bytes_of_numbers(values));
}

// <s>, a, b, ab, Ġ, Ġa, the user's "ba".
GgufBuilder byte_level() {
  GgufBuilder file;
  file.add_text("tokenizer.ggml.model", "gpt2");
  file.add_text("tokenizer.ggml.pre", "gpt-2");
  file.add("tokenizer.ggml.tokens", type::array,
           support::gguf_texts({"<s>", "a", "b", "ab", "Ġ", "Ġa", "ba"}));
  file.add("tokenizer.ggml.merges", type::array, support::gguf_texts({"a b", "Ġ a"}));
  file.add("tokenizer.ggml.token_type", type::array, numbers({3, 1, 1, 1, 1, 1, 4}));
  file.add_count("tokenizer.ggml.bos_token_id", 0);
  return file;
}

// <unk>, <s>, the byte 0x0A, ▁, a, b, ▁a, ab.
GgufBuilder sentencepiece() {
  GgufBuilder file;
  file.add_text("tokenizer.ggml.model", "llama");
  file.add("tokenizer.ggml.tokens", type::array,
           support::gguf_texts({"<unk>", "<s>", "<0x0A>", "▁", "a", "b", "▁a", "ab"}));
  file.add("tokenizer.ggml.scores", type::array, scores({0, 0, 0, -3, -4, -5, -2, -1}));
  file.add("tokenizer.ggml.token_type", type::array, numbers({2, 3, 6, 1, 1, 1, 1, 1}));
  file.add_count("tokenizer.ggml.bos_token_id", 1);
  return file;
}

class GgufTokenizerTest : public testing::Test {
 protected:
  Tokenizer tokenizer(
      GgufBuilder file, const Change& change = [](GgufBuilder&) {}) const {
    change(file);
    support::write_bytes(path_, file.bytes());
    return {gguf_tokenizer(GgufFile(path_)), path_};
  }
  void refused(const GgufBuilder& file, const Change& change,
               std::initializer_list<std::string_view> parts) const {
    support::expect_error<InputError>([&] { tokenizer(file, change); }, path_, parts);
  }

  support::ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "model.gguf";
};

TEST_F(GgufTokenizerTest, ByteLevel) {
  const Tokenizer read = tokenizer(byte_level());
  EXPECT_EQ(read.encode("ab a"), (Tokens{3, 5}));
  EXPECT_EQ(read.encode("ba"), (Tokens{6}));  // an added token
  EXPECT_EQ(read.encode("<s>a", true), (Tokens{0, 1}));
  EXPECT_TRUE(read.is_special(0));
  EXPECT_FALSE(read.is_special(6));
  EXPECT_EQ(read.vocabulary_size(), 7);
}

TEST_F(GgufTokenizerTest, AddsTheBeginWhenAsked) {
  const auto begins = [](GgufBuilder& file) {
    file.add("tokenizer.ggml.add_bos_token", type::boolean, std::string(1, '\1'));
  };
  EXPECT_EQ(tokenizer(byte_level(), begins).encode("a", true), (Tokens{0, 1}));
  EXPECT_EQ(tokenizer(byte_level(), begins).encode("a"), (Tokens{1}));
  const auto ends = [](GgufBuilder& file) {
    file.add("tokenizer.ggml.add_eos_token", type::boolean, std::string(1, '\1'));
    file.add_count("tokenizer.ggml.eos_token_id", 3);
  };
  EXPECT_EQ(tokenizer(byte_level(), ends).encode("a", true), (Tokens{1, 3}));
  // Llama 3's have it unless the file says otherwise.
  const auto llama3 = [](GgufBuilder& file) {
    file.entries[1].value = support::gguf_text("llama-bpe");
  };
  EXPECT_EQ(tokenizer(byte_level(), llama3).encode("a", true), (Tokens{0, 1}));
}

TEST_F(GgufTokenizerTest, SentencePiece) {
  const Tokenizer read = tokenizer(sentencepiece());
  EXPECT_EQ(read.encode("ab"), (Tokens{3, 7}));  // "ab" scores higher than "▁a"
  EXPECT_EQ(read.encode("a a"), (Tokens{6, 6}));
  EXPECT_EQ(read.encode("a\n"), (Tokens{6, 2}));
  EXPECT_EQ(read.encode("é"), (Tokens{3, 0}));
  EXPECT_EQ(read.encode("a", true), (Tokens{1, 6}));
  const auto no_prefix = [](GgufBuilder& file) {
    file.add("tokenizer.ggml.add_space_prefix", type::boolean, std::string(1, '\0'));
  };
  EXPECT_EQ(tokenizer(sentencepiece(), no_prefix).encode("a a"), (Tokens{4, 6}));
}

TEST_F(GgufTokenizerTest, NamesWhatIsNotSupported) {
  refused(byte_level(), [](GgufBuilder& file) { file.entries[0].value = support::gguf_text("t5"); },
          {"tokenizer.ggml.model", "'t5' is not supported; supported: gpt2, llama"});
  refused(byte_level(),
          [](GgufBuilder& file) { file.entries[1].value = support::gguf_text("odd"); },
          {"tokenizer.ggml.pre", "'odd' is not supported; supported: default, gpt-2", "qwen2"});
}

TEST_F(GgufTokenizerTest, NamesWhatIsMissingOrWrong) {
  for (const auto& [entry, name] : {std::pair{2, "tokens"}, std::pair{3, "merges"}}) {
    refused(byte_level(),
            [&](GgufBuilder& file) { file.entries.erase(file.entries.begin() + entry); },
            {name, "missing"});
  }
  refused(sentencepiece(), [](GgufBuilder& file) { file.entries.erase(file.entries.begin() + 2); },
          {"scores", "missing"});
  refused(sentencepiece(),
          [](GgufBuilder& file) {
            file.entries[2].value = scores({0, 0});
          },
          {"scores", "8 finite numbers"});
  refused(sentencepiece(),
          [](GgufBuilder& file) {
            file.entries[2].value = scores({0, 0, 0, 0, 0, 0, 0, std::nanf("")});
          },
          {"scores", "finite"});
  refused(byte_level(), [](GgufBuilder& file) { file.entries[4].value = numbers({1}); },
          {"token_type", "7"});
  refused(byte_level(),
          [](GgufBuilder& file) {
            file.entries[2].value = support::gguf_texts({"a", "b", "a"});
          },
          {"tokens", "token 2 ('a') is there twice"});
  refused(byte_level(),
          [](GgufBuilder& file) { file.entries[2].value = support::gguf_texts({"\xFF"}); },
          {"token 0", "not UTF-8"});
  for (const std::string merge : {"", "ab", " ", "\xFF b"}) {
    refused(byte_level(),
            [&](GgufBuilder& file) { file.entries[3].value = support::gguf_texts({merge}); },
            {"merges", "two tokens"});
  }
  refused(byte_level(),
          [](GgufBuilder& file) {
            file.add("tokenizer.ggml.add_bos_token", type::boolean, std::string(1, '\1'));
            file.entries[5].value = support::number_bytes<std::uint32_t>(7);
          },
          {"bos_token_id", "one of 7 tokens"});
  refused(byte_level(),
          [](GgufBuilder& file) {
            file.add("tokenizer.ggml.add_eos_token", type::boolean, std::string(1, '\1'));
          },
          {"eos_token_id", "missing"});
}

}  // namespace
}  // namespace evenkeel
