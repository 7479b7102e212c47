#include "io/checkpoint_writer.h"

#include <array>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace evenkeel {
namespace {

namespace fs = std::filesystem;
using support::BuiltTensor;
using support::bytes_of_numbers;
using support::expect_error;
using support::read_bytes;
using support::ScratchFolder;
using support::shared_file;
using support::write_bytes;

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

// Two shards: w [2, 3] F16 and b [3] F32; ids [2] I32.
class CheckpointWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(source_folder);
    write_bytes(source_folder / "config.json", R"({"model_type": "opt"})");
    const std::array<BuiltTensor, 2> first{
        {{"b", "F32", {3}, bytes_of_numbers(std::vector{1.0F, 2.0F, 3.0F})},
         {"w", "F16", {2, 3}, bytes_of_numbers(std::vector<std::uint16_t>(6, 0x3c00))}}};
    const std::array<BuiltTensor, 1> second{
        {{"ids", "I32", {2}, bytes_of_numbers(std::vector<std::int32_t>{5, 6})}}};
    write_bytes(source_folder / "1.safetensors", support::safetensors_bytes(first));
    write_bytes(source_folder / "2.safetensors", support::safetensors_bytes(second));
    write_bytes(source_folder / "model.safetensors.index.json",
                R"({"metadata": {"made_by": "hand", "total_size": 32}, "weight_map":
                    {"w": "1.safetensors", "b": "1.safetensors", "ids": "2.safetensors"}})");
  }

  const ScratchFolder folder;
  const fs::path source_folder = folder / "source";
  const fs::path output = folder / "new" / "output";
};

TEST_F(CheckpointWriterTest, AdoptsWhatAnEarlierProgramWrote) {
  const Checkpoint source(source_folder);
  const auto layout = [](const StoredTensor& tensor) {
    return std::vector{TensorPlan{tensor.name, tensor.dtype, tensor.shape}};
  };
  const Matrix w = Matrix::Constant(2, 3, 4.0F);
  TensorHashes hashes;
  {
    CheckpointWriter writer(source, output, layout, Leftovers::keep);
    EXPECT_TRUE(writer.sync().empty());
    writer.write("w", w);
    hashes = writer.sync();
    ASSERT_EQ(hashes.size(), 1U);
    EXPECT_TRUE(writer.sync().empty());
    EXPECT_FALSE(writer.holds(hashes));  // it is this program's already
    EXPECT_EQ(writer.so_far().matrix("w", 2, 3), w);
  }
  CheckpointWriter writer(source, output, layout, Leftovers::keep);
  EXPECT_FALSE(writer.holds({{"w", "0123456789abcdef"}}));
  EXPECT_FALSE(writer.holds({{"none", hashes.at("w")}}));
  ASSERT_TRUE(writer.holds(hashes));
  writer.adopt(hashes);
  EXPECT_FALSE(writer.holds(hashes));
  writer.finish({{"model_type", "opt"}});
  const Checkpoint written(output);
  EXPECT_EQ(written.matrix("w", 2, 3), w);
  EXPECT_EQ(written.vector("b", 3), source.vector("b", 3));
}

TEST_F(CheckpointWriterTest, WritesWhatIsGivenAndCopiesTheRest) {
  const Checkpoint source(source_folder);
  CheckpointWriter writer(source, output);
  EXPECT_EQ(writer.find("none"), nullptr);
  ASSERT_NE(writer.find("w"), nullptr);
  EXPECT_EQ(writer.find("w")->dtype, DType::F16);
  Matrix wide(2, 5);
  wide << 9, 1, 2, 3, 9, 9, 4, 5, 6, 9;
  writer.write("w", wide.middleCols(1, 3));
  writer.finish({{"model_type", "opt"}, {"new", 1e-05}});

  const Checkpoint written(output);
  EXPECT_EQ(written.matrix("w", 2, 3), Matrix(wide.middleCols(1, 3)));
  EXPECT_EQ(written.vector("b", 3), source.vector("b", 3));
  EXPECT_EQ(written.at("ids").bytes[0], std::byte{5});
  EXPECT_EQ(read_bytes(output / "config.json"),
            "{\n  \"model_type\": \"opt\",\n  \"new\": 1e-05\n}\n");
  const JsonReader index(output / "model.safetensors.index.json");
  EXPECT_EQ(index.integer("metadata.total_size", 0), 3 * 4 + 6 * 2 + 2 * 4);
  EXPECT_EQ(index.text("metadata.made_by"), "hand");
  EXPECT_EQ(index.document().at("weight_map").dump(),
            R"({"b":"1.safetensors","ids":"2.safetensors","w":"1.safetensors"})");
}

TEST_F(CheckpointWriterTest, TakesMatricesRowsAndSpans) {
  const Checkpoint source(source_folder);
  CheckpointWriter writer(source, output);
  const Vector b = (Vector(3) << 7, 8, 9).finished();
  writer.write("b", b);
  writer.write("w", std::vector<float>{1, 2, 3, 4, 5, 6});
  writer.write_bytes("ids", std::as_bytes(std::span("1234567", 8)));
  writer.finish(source.config().document());
  const Checkpoint written(output);
  EXPECT_EQ(written.vector("b", 3), b);
  EXPECT_EQ(written.matrix("w", 2, 3), (Matrix(2, 3) << 1, 2, 3, 4, 5, 6).finished());
  EXPECT_EQ(written.at("ids").bytes[3], std::byte{'4'});
}

TEST_F(CheckpointWriterTest, ALayoutMayReplaceAddAndDropTensors) {
  const Checkpoint source(source_folder);
  CheckpointWriter writer(source, output, [](const StoredTensor& tensor) {
    std::vector<TensorPlan> plan;
    if (tensor.name == "w") {
      plan = {{"w_codes", DType::I8, tensor.shape}, {"w_scale", DType::F32, {2, 1}}};
    } else if (tensor.name == "b") {
      plan = {{tensor.name, tensor.dtype, tensor.shape}};
    }
    return plan;
  });
  writer.write_bytes("w_codes", std::as_bytes(std::span("abcdef", 6)));
  writer.write("w_scale", std::vector<float>{0.5F, 0.25F});
  writer.finish(source.config().document());
  const Checkpoint written(output);
  EXPECT_EQ(written.shards().size(), 1U) << "a shard of which nothing is left is left out";
  EXPECT_EQ(written.find("w"), nullptr);
  EXPECT_EQ(written.at("w_codes").bytes[5], std::byte{'f'});
  EXPECT_EQ(written.matrix("w_scale", 2, 1), (Matrix(2, 1) << 0.5F, 0.25F).finished());
  EXPECT_EQ(written.vector("b", 3), source.vector("b", 3));
  EXPECT_EQ(JsonReader(output / "model.safetensors.index.json").integer("metadata.total_size", 0),
            6 + 8 + 12);
}

TEST_F(CheckpointWriterTest, CopiesWhatAReaderNeedsBesideWeights) {
  for (const char* name :
       {"tokenizer.json", "merges.txt", "LICENSE", "LICENSE.md", "tokenizer.model",
        "chat_template.jinja", "pytorch_model.bin", "pytorch_model.bin.index.json", "README.md"}) {
    write_bytes(source_folder / name, std::string("content of ") + name);
  }
  fs::create_directory(source_folder / "folder.json");
  fs::create_symlink(source_folder / "merges.txt", source_folder / "linked.txt");
  fs::create_symlink(source_folder / "nothing", source_folder / "broken.txt");
  const Checkpoint source(source_folder);
  CheckpointWriter(source, output).finish(source.config().document());
  EXPECT_EQ(
      files_in(output),
      (std::set<std::string>{"1.safetensors", "2.safetensors", "LICENSE", "LICENSE.md",
                             "chat_template.jinja", "config.json", "linked.txt", "merges.txt",
                             "model.safetensors.index.json", "tokenizer.json", "tokenizer.model"}));
  EXPECT_EQ(read_bytes(output / "linked.txt"), "content of merges.txt");
}

TEST_F(CheckpointWriterTest, WithoutFinishNoFileAppears) {
  const Checkpoint source(source_folder);
  { CheckpointWriter(source, output).write("b", std::vector<float>{1, 2, 3}); }
  EXPECT_TRUE(files_in(output).empty());
}

TEST_F(CheckpointWriterTest, AValueThatDoesNotFitIsNamed) {
  const Checkpoint source(source_folder);
  CheckpointWriter writer(source, output);
  Matrix w = Matrix::Zero(2, 3);
  w(1, 2) = 70000;
  expect_error<MachineError>([&] { writer.write("w", w); }, output,
                             {"tensor 'w': row 1, column 2 is 70000", "beyond the largest F16",
                              "convert the model to BF16 or F32"});
  w(1, 2) = std::numeric_limits<float>::quiet_NaN();
  expect_error<MachineError>([&] { writer.write("w", w); }, output,
                             {"row 1, column 2 is nan", "no checkpoint may hold"});
  const std::vector<float> b{0, std::numeric_limits<float>::infinity(), 0};
  expect_error<MachineError>([&] { writer.write("b", b); }, output, {"element 1 is inf"});
  w(1, 2) = 65504;
  EXPECT_NO_THROW(writer.write("w", w)) << "a refused value leaves the tensor to be written";
}

TEST_F(CheckpointWriterTest, APlannedTensorThatNobodyWritesIsAnError) {
  const Checkpoint source(source_folder);
  const auto plan_instead_of_w = [&](const TensorPlan& planned) {
    CheckpointWriter writer(source, output, [&](const StoredTensor& tensor) {
      if (tensor.name == "w") return std::vector{planned};
      return std::vector{TensorPlan{tensor.name, tensor.dtype, tensor.shape}};
    });
    expect_error<MachineError>([&] { writer.finish(source.config().document()); }, output,
                               {"planned but never written"});
    fs::remove_all(output);
  };
  plan_instead_of_w({"other", DType::F16, {2, 3}});
  plan_instead_of_w({"w", DType::BF16, {2, 3}});
  plan_instead_of_w({"w", DType::F16, {3, 2}});
}

TEST_F(CheckpointWriterTest, ANamePlannedTwiceIsAnError) {
  const Checkpoint source(source_folder);
  expect_error<InputError>(
      [&] {
        CheckpointWriter(source, output, [](const StoredTensor&) {
          return std::vector{TensorPlan{"same", DType::U8, {1}}};
        });
      },
      source_folder / "1.safetensors", {"tensor 'same' would be written twice", "'w'"});
}

TEST_F(CheckpointWriterTest, AFolderThatIsNotNewIsAnError) {
  const Checkpoint source(source_folder);
  expect_error<MachineError>([&] { CheckpointWriter(source, source_folder); }, source_folder,
                             {"is not empty"});
  write_bytes(folder / "file", "");
  expect_error<MachineError>([&] { CheckpointWriter(source, folder / "file"); }, folder / "file",
                             {"choose another output folder"});
  expect_error<MachineError>([&] { CheckpointWriter(source, folder / "file" / "x"); },
                             folder / "file", {"choose another output folder"});
}

// A checkpoint of the format's own library, copied without a change.
class IdentityTest : public testing::TestWithParam<const char*> {};

TEST_P(IdentityTest, GivesTheSameBytes) {
  EVENKEEL_NEEDS_SHARED(GetParam());
  const fs::path from = shared_file(GetParam());
  const ScratchFolder folder;
  const Checkpoint source(from);
  CheckpointWriter(source, folder / "copy").finish(source.config().document());
  EXPECT_EQ(files_in(folder / "copy"), files_in(from));
  for (const std::string& name : files_in(from)) {
    EXPECT_TRUE(read_bytes(folder / "copy" / name) == read_bytes(from / name)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, IdentityTest,
                         testing::Values("models/opt-3m", "models/llama-17m", "models/opt-17m-old",
                                         "models/bloom-7m", "models/bert-sst2"),
                         [](const testing::TestParamInfo<const char*>& tested) {
                           return "Model" + std::to_string(tested.index);
                         });

}  // namespace
}  // namespace evenkeel
