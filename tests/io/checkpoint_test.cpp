#include "io/checkpoint.h"

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace evenkeel {
namespace {

using support::BuiltTensor;
using support::bytes_of_numbers;
using support::expect_error;
using support::ScratchFolder;
using support::shared_file;
using support::write_bytes;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

BuiltTensor floats(const std::string& name, const std::vector<std::int64_t>& shape,
                   const std::vector<float>& values) {
  return {name, "F32", shape, bytes_of_numbers(values)};
}

// A checkpoint of one file.
class CheckpointTest : public testing::Test {
 protected:
  Checkpoint open(const std::vector<BuiltTensor>& tensors) const {
    write_bytes(folder / "config.json", R"({"model_type": "opt"})");
    write_bytes(weights, support::safetensors_bytes(tensors));
    return Checkpoint(folder.path());
  }

  const ScratchFolder folder;
  const std::filesystem::path weights = folder / "model.safetensors";
};

TEST_F(CheckpointTest, DecodesMatricesAndVectors) {
  const Checkpoint checkpoint =
      open({floats("w", {2, 3}, {1, 2, 3, 4, 5, 6}),
            floats("b", {3}, {-1, 0, 1}),
            {"h", "F16", {2}, bytes_of_numbers(std::vector<std::uint16_t>{0x3c00, 0xc000})},
            {"bf", "BF16", {1, 2}, bytes_of_numbers(std::vector<std::uint16_t>{0x3f80, 0xc000})},
            {"ids", "I64", {2}, bytes_of_numbers(std::vector<std::int64_t>{1, 2})}});
  Matrix w(2, 3);
  w << 1, 2, 3, 4, 5, 6;
  EXPECT_EQ(checkpoint.matrix("w", 2, 3), w);
  EXPECT_EQ(checkpoint.vector("b", 3), (Vector(3) << -1, 0, 1).finished());
  EXPECT_EQ(checkpoint.vector("h", 2), (Vector(2) << 1, -2).finished());
  EXPECT_EQ(checkpoint.matrix("bf", 1, 2), (Matrix(1, 2) << 1, -2).finished());
  EXPECT_EQ(checkpoint.config().text("model_type"), "opt");
  EXPECT_EQ(checkpoint.folder(), folder.path());
  EXPECT_EQ(checkpoint.parameters(), 6 + 3 + 2 + 2) << "ids are no parameters";
  EXPECT_EQ(checkpoint.find("none"), nullptr);
  EXPECT_EQ(checkpoint.find("ids"), &checkpoint.at("ids"));
  checkpoint.release("w");
  EXPECT_EQ(checkpoint.matrix("w", 2, 3), w);
}

TEST_F(CheckpointTest, PicksRows) {
  const Checkpoint checkpoint = open({floats("w", {3, 2}, {0, 1, 10, 11, 20, 21})});
  const std::vector<TokenId> ids{2, 0, 2, 1};
  EXPECT_EQ(checkpoint.gather("w", 3, 2, ids),
            (Matrix(4, 2) << 20, 21, 0, 1, 20, 21, 10, 11).finished());
  EXPECT_EQ(checkpoint.gather("w", 3, 2, {}).rows(), 0);
  EXPECT_EQ(checkpoint.row_range("w", 3, 2, 1, 2), (Matrix(2, 2) << 10, 11, 20, 21).finished());
  EXPECT_EQ(checkpoint.row_range("w", 3, 2, 3, 0).rows(), 0);
}

TEST_F(CheckpointTest, AMoveKeepsTheTensors) {
  Checkpoint first = open({floats("b", {1}, {7})});
  const Checkpoint second = std::move(first);
  EXPECT_EQ(second.vector("b", 1)(0), 7);
}

TEST_F(CheckpointTest, AMissingTensorIsAnError) {
  const Checkpoint checkpoint = open({floats("b", {1}, {7})});
  const std::vector<TokenId> ids{0};
  for (const auto& action : std::vector<std::function<void()>>{
           [&] { checkpoint.at("none"); }, [&] { checkpoint.matrix("none", 1, 1); },
           [&] { checkpoint.vector("none", 1); }, [&] { checkpoint.gather("none", 1, 1, ids); },
           [&] { checkpoint.row_range("none", 1, 1, 0, 1); },
           [&] { checkpoint.release("none"); }}) {
    expect_error<InputError>(action, folder.path(), {"tensor 'none' is missing"});
  }
}

TEST_F(CheckpointTest, AnotherShapeIsAnError) {
  const Checkpoint checkpoint = open({floats("w", {2, 3}, std::vector<float>(6))});
  const std::vector<TokenId> ids{0};
  expect_error<InputError>([&] { checkpoint.matrix("w", 3, 2); }, weights,
                           {"tensor 'w': expected shape [3, 2] (from config.json), got [2, 3]"});
  expect_error<InputError>([&] { checkpoint.vector("w", 6); }, weights,
                           {"expected shape [6]", "got [2, 3]"});
  expect_error<InputError>([&] { checkpoint.gather("w", 2, 4, ids); }, weights, {"got [2, 3]"});
  expect_error<InputError>([&] { checkpoint.row_range("w", 9, 3, 0, 1); }, weights, {"got [2, 3]"});
}

TEST_F(CheckpointTest, ADTypeThatIsNoFloatIsAnError) {
  const Checkpoint checkpoint =
      open({{"i", "I32", {1}, bytes_of_numbers(std::vector<std::int32_t>{1})},
            {"d", "F64", {1}, bytes_of_numbers(std::vector<double>{1})}});
  expect_error<InputError>([&] { checkpoint.vector("i", 1); }, weights,
                           {"tensor 'i'", "expected dtype F32, F16 or BF16, got I32"});
  expect_error<InputError>([&] { checkpoint.vector("d", 1); }, weights, {"got F64"});
}

TEST_F(CheckpointTest, AWeightThatIsNotFiniteIsNamed) {
  std::vector<float> w(20);
  w[13] = nan;
  const Checkpoint checkpoint =
      open({floats("w", {4, 5}, w),
            floats("b", {3}, {0, -infinity, nan}),
            {"h", "F16", {1, 2}, bytes_of_numbers(std::vector<std::uint16_t>{0, 0x7c00})}});
  expect_error<InputError>([&] { checkpoint.matrix("w", 4, 5); }, weights,
                           {"tensor 'w': row 2, column 3", "is NaN"});
  expect_error<InputError>([&] { checkpoint.vector("b", 3); }, weights,
                           {"tensor 'b': element 1", "is infinite"});
  expect_error<InputError>([&] { checkpoint.matrix("h", 1, 2); }, weights,
                           {"row 0, column 1", "is infinite"});
  // The place is in the tensor, not in what is read of it.
  const std::vector<TokenId> bad{0, 2};
  expect_error<InputError>([&] { checkpoint.gather("w", 4, 5, bad); }, weights,
                           {"row 2, column 3"});
  expect_error<InputError>([&] { checkpoint.row_range("w", 4, 5, 1, 2); }, weights,
                           {"row 2, column 3"});
  const std::vector<TokenId> good{0, 3};
  EXPECT_NO_THROW(checkpoint.gather("w", 4, 5, good));
  EXPECT_NO_THROW(checkpoint.row_range("w", 4, 5, 0, 2));
}

TEST_F(CheckpointTest, AFolderWithoutConfigOrWeightsIsAnError) {
  const auto none = folder / "none";
  expect_error<InputError>([&] { Checkpoint{none}; }, none, {"no such folder"});
  const auto empty = folder / "empty";
  std::filesystem::create_directory(empty);
  expect_error<InputError>([&] { Checkpoint{empty}; }, empty / "config.json", {"No such file"});
  write_bytes(empty / "config.json", "{}");
  expect_error<InputError>([&] { Checkpoint{empty}; }, empty,
                           {"neither model.safetensors nor model.safetensors.index.json"});
  write_bytes(empty / "config.json", "[]");
  expect_error<InputError>([&] { Checkpoint{empty}; }, empty / "config.json",
                           {"expected a JSON object"});
  write_bytes(folder / "file", "");
  expect_error<InputError>([&] { Checkpoint{folder / "file"}; }, folder / "file",
                           {"no such folder"});
}

TEST(SharedCheckpointTest, OpensEveryModel) {
  // The weights are F16: two bytes of data each, counted outside of the project.
  struct Known {
    const char* model;
    std::size_t shards;
    std::int64_t parameters;
  };
  for (const Known& known :
       {Known{"opt-3m", 1, 3'554'688}, Known{"bloom-7m", 1, 6'836'736},
        Known{"llama-17m", 3, 16'128'384}, Known{"opt-17m-old", 3, 17'539'584},
        Known{"opt-17m-new", 3, 17'539'584}, Known{"bert-sst2", 1, 22'713'986}}) {
    const std::string relative = std::string("models/") + known.model;
    EVENKEEL_NEEDS_SHARED(relative);
    const Checkpoint checkpoint(shared_file(relative));
    EXPECT_EQ(checkpoint.shards().size(), known.shards) << known.model;
    EXPECT_EQ(checkpoint.parameters(), known.parameters) << known.model;
  }
}

TEST(SharedCheckpointTest, DecodesTheEmbedding) {
  EVENKEEL_NEEDS_SHARED("models/llama-17m");
  const Checkpoint checkpoint(shared_file("models/llama-17m"));
  const Matrix whole = checkpoint.matrix("model.embed_tokens.weight", 8192, 384);
  const std::vector<TokenId> ids{8191, 0, 17};
  const Matrix some = checkpoint.gather("model.embed_tokens.weight", 8192, 384, ids);
  for (Index i = 0; i < 3; ++i) EXPECT_EQ(some.row(i), whole.row(ids[static_cast<size_t>(i)]));
  EXPECT_EQ(checkpoint.row_range("model.embed_tokens.weight", 8192, 384, 5, 7),
            whole.middleRows(5, 7));
}

}  // namespace
}  // namespace evenkeel
