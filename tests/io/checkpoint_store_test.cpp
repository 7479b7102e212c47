#include "io/checkpoint_store.h"

#include "tests/support/expect_error.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/checkpoint.h"
#include "io/checkpoint_writer.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

using support::GgufBuilder;

class CheckpointStoreTest : public testing::Test {
 protected:
  void write(const GgufBuilder& file) const { support::write_bytes(path_, file.bytes()); }

  support::ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "model.gguf";
};

// As tiny_llama_gguf, with a Q8_0 head of 32 columns that nothing else agrees with.
GgufBuilder with_blocks(std::uint16_t scale) {
  GgufBuilder file = support::tiny_llama_gguf();
  std::string block = support::number_bytes(scale) + std::string(32, '\x7F');
  file.add_tensor("output.weight", {1, 32}, 8, block);
  return file;
}

TEST_F(CheckpointStoreTest, AGgufFileReadsAsACheckpoint) {
  write(support::tiny_llama_gguf());
  const Checkpoint checkpoint(path_);
  EXPECT_EQ(checkpoint.config().positive("hidden_size"), 8);
  EXPECT_EQ(checkpoint.parameters(), 5 * 8 + 2 * (8 + 64 + 32 + 32 + 64 + 8 + 3 * 96) + 8);
  const Matrix query = checkpoint.matrix("model.layers.0.self_attn.q_proj.weight", 8, 8);
  EXPECT_EQ(query(1, 0), 16.0F);
  const Matrix rows = checkpoint.row_range("model.layers.0.self_attn.q_proj.weight", 8, 8, 1, 2);
  EXPECT_EQ(rows, query.middleRows(1, 2));
  const std::vector<TokenId> ids{4, 0, 4};
  const Matrix gathered = checkpoint.gather("model.embed_tokens.weight", 5, 8, ids);
  EXPECT_EQ(gathered(0, 7), 39.0F);
  EXPECT_EQ(gathered(1, 7), 7.0F);
  EXPECT_NO_THROW(checkpoint.release("model.embed_tokens.weight"));
  EXPECT_FALSE(checkpoint.store().index());
}

TEST_F(CheckpointStoreTest, WrittenItIsACheckpointFolder) {
  GgufBuilder file = with_blocks(0x3800);  // a half
  file.add_text("tokenizer.ggml.model", "gpt2");
  file.add_text("tokenizer.ggml.pre", "gpt-2");
  file.add("tokenizer.ggml.tokens", support::gguf_type::array, support::gguf_texts({"a", "b"}));
  file.add("tokenizer.ggml.merges", support::gguf_type::array, support::gguf_texts({}));
  write(file);
  const Checkpoint checkpoint(path_);
  CheckpointWriter writer(checkpoint, folder_ / "written");
  writer.write("model.norm.weight", std::vector<float>(8, 2.0F));
  writer.finish(checkpoint.config().document());

  const Checkpoint written(folder_ / "written");
  EXPECT_EQ(written.config().document(), checkpoint.config().document());
  EXPECT_EQ(written.shards().size(), 1U);
  EXPECT_EQ(written.shards()[0].tensors().size(), checkpoint.shards()[0].tensors().size());
  EXPECT_EQ(written.at("lm_head.weight").dtype, DType::F16);
  EXPECT_EQ(written.at("model.embed_tokens.weight").dtype, DType::F32);
  EXPECT_EQ(written.matrix("lm_head.weight", 1, 32), checkpoint.matrix("lm_head.weight", 1, 32));
  EXPECT_EQ(written.vector("model.norm.weight", 8), Vector::Constant(8, 2.0F));
  const std::string key = "model.layers.1.self_attn.k_proj.weight";
  EXPECT_EQ(written.matrix(key, 4, 8), checkpoint.matrix(key, 4, 8));
  EXPECT_EQ(written.store().tokenizer().encode("ab"), (Tokens{0, 1}));
}

TEST_F(CheckpointStoreTest, ValuesThatF16CannotHoldAreNamed) {
  write(with_blocks(0x7BFF));  // 65504
  const Checkpoint checkpoint(path_);
  CheckpointWriter writer(checkpoint, folder_ / "written");
  support::expect_error<MachineError>([&] { writer.finish(checkpoint.config().document()); },
                                      folder_ / "written", {"'lm_head.weight'", "65504"});
}

TEST_F(CheckpointStoreTest, ValuesThatAreNotNumbersAreNamed) {
  write(with_blocks(0x7E00));  // NaN
  const Checkpoint checkpoint(path_);
  support::expect_error<InputError>([&] { checkpoint.matrix("lm_head.weight", 1, 32); }, path_,
                                    {"'lm_head.weight'", "row 0, column 0", "NaN"});
}

TEST_F(CheckpointStoreTest, AnUnsupportedTokenizerIsFoundBeforeTheWork) {
  GgufBuilder file = support::tiny_llama_gguf();
  file.add_text("tokenizer.ggml.model", "t5");
  write(file);
  const Checkpoint checkpoint(path_);
  support::expect_error<InputError>([&] { CheckpointWriter(checkpoint, folder_ / "written"); },
                                    path_, {"tokenizer.ggml.model"});
}

TEST_F(CheckpointStoreTest, OnePartOfSeveralIsAnError) {
  GgufBuilder file = support::tiny_llama_gguf();
  file.add_count("split.count", 3);
  write(file);
  support::expect_error<InputError>([&] { const Checkpoint checkpoint(path_); }, path_,
                                    {"one of 3 parts", "merge"});
}

TEST_F(CheckpointStoreTest, OtherPathsAreErrors) {
  support::expect_error<InputError>([&] { open_checkpoint_store(folder_ / "absent"); },
                                    folder_ / "absent", {"no such folder or GGUF file"});
  support::write_bytes(folder_ / "text.txt", "text");
  support::expect_error<InputError>([&] { open_checkpoint_store(folder_ / "text.txt"); },
                                    folder_ / "text.txt", {"no such folder or GGUF file"});
  support::write_bytes(path_, "text");
  support::expect_error<InputError>([&] { open_checkpoint_store(path_); }, path_,
                                    {"is not a GGUF file"});
  EXPECT_TRUE(is_checkpoint(path_));
  EXPECT_TRUE(is_checkpoint(folder_.path()));
  EXPECT_FALSE(is_checkpoint(folder_ / "text.txt"));
}

}  // namespace
}  // namespace evenkeel
