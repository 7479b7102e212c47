#include "io/checkpoint_shards.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using support::BuiltTensor;
using support::expect_error;
using support::ScratchFolder;
using support::write_bytes;

// A folder with a shard 1 that holds tensor a, and a shard 2 that holds tensor b.
class CheckpointShardsTest : public testing::Test {
 protected:
  void SetUp() override {
    write_shard("1.safetensors", {"a"});
    write_shard("2.safetensors", {"b"});
  }

  void write_shard(const std::string& file, const std::vector<std::string>& tensors) const {
    std::vector<BuiltTensor> built;
    built.reserve(tensors.size());
    for (const std::string& name : tensors) built.push_back({name, "U8", {1}, "x"});
    write_bytes(folder / file, support::safetensors_bytes(built));
  }
  void refuses(const std::string& index_text, const std::filesystem::path& place,
               std::initializer_list<std::string_view> parts) const {
    SCOPED_TRACE(index_text);
    write_bytes(index, index_text);
    expect_error<InputError>([&] { open_shards(folder.path()); }, place, parts);
  }

  const ScratchFolder folder;
  const std::filesystem::path index = folder / "model.safetensors.index.json";
};

TEST_F(CheckpointShardsTest, OpensWhatTheIndexNames) {
  write_bytes(index, R"({"weight_map": {"b": "2.safetensors", "a": "1.safetensors"}})");
  const auto shards = open_shards(folder.path());
  ASSERT_EQ(shards.size(), 2U);
  EXPECT_NE(shards[0].find("a"), nullptr);
  EXPECT_NE(shards[1].find("b"), nullptr);
}

TEST_F(CheckpointShardsTest, AnIndexWithoutAMapIsAnError) {
  for (const char* text :
       {"{}", R"({"weight_map": []})", R"({"weight_map": {}})", R"({"weight_map": null})"}) {
    refuses(text, index, {"'weight_map': expected an object"});
  }
  refuses("[]", index, {"expected a JSON object"});
  refuses("{", index, {"not valid JSON"});
  refuses(R"({"weight_map": {"a": "1.safetensors", "a": "2.safetensors"}})", index, {"'a' twice"});
}

TEST_F(CheckpointShardsTest, AShardOutsideTheFolderIsAnError) {
  for (const std::string file : {"../1.safetensors", "/etc/passwd", "sub/1.safetensors", "..", ".",
                                 "", "a\\\\b", "1.safetensors\\u0000"}) {
    refuses(R"({"weight_map": {"a": ")" + file + R"("}})", index,
            {"tensor 'a'", "not the name of a file in this folder"});
  }
  refuses(R"({"weight_map": {"a": 1}})", index, {"tensor 'a' is in 1,"});
}

TEST_F(CheckpointShardsTest, AShardThatIsNotThereIsAnError) {
  refuses(R"({"weight_map": {"a": "1.safetensors", "b": "3.safetensors"}})", index,
          {"names shard '3.safetensors', which is not in the folder"});
  refuses(R"({"weight_map": {"a": ")" + std::string(5000, 'x') + R"("}})", index,
          {"which is not in the folder"});
}

TEST_F(CheckpointShardsTest, ATensorThatIsNotThereIsAnError) {
  refuses(R"({"weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "2.safetensors"}})",
          index, {"puts tensor 'c' in '2.safetensors', which does not hold it"});
}

TEST_F(CheckpointShardsTest, ATensorElsewhereThanTheIndexSaysIsAnError) {
  refuses(R"({"weight_map": {"a": "2.safetensors", "b": "1.safetensors"}})",
          folder / "1.safetensors", {"tensor 'a' is here, but", "puts it in '2.safetensors'"});
}

TEST_F(CheckpointShardsTest, ATensorThatTheIndexLeavesOutIsAnError) {
  write_shard("1.safetensors", {"a", "extra"});
  refuses(R"({"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})",
          folder / "1.safetensors", {"tensor 'extra' is here, but", "does not name it"});
}

TEST_F(CheckpointShardsTest, ATensorInTwoShardsIsAnError) {
  write_shard("2.safetensors", {"b", "a"});
  refuses(R"({"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})",
          folder / "2.safetensors", {"tensor 'a' is also in '1.safetensors'"});
}

TEST_F(CheckpointShardsTest, ADamagedShardIsAnError) {
  write_bytes(folder / "2.safetensors", "damaged");
  refuses(R"({"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}})",
          folder / "2.safetensors", {"7 bytes are too few"});
}

TEST_F(CheckpointShardsTest, OneFileAndAnIndexAreAmbiguous) {
  write_shard("model.safetensors", {"a"});
  EXPECT_EQ(open_shards(folder.path()).size(), 1U);
  refuses("{}", folder.path(), {"holds both model.safetensors and"});
}

}  // namespace
}  // namespace evenkeel
