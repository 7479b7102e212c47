#include <algorithm>
#include <csignal>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "io/content_hash.h"
#include "io/errors.h"
#include "io/safetensors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace evenkeel {
namespace {

using support::expect_error;
using support::read_bytes;
using support::ScratchFolder;

std::span<const std::byte> bytes_of_text(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(SafetensorsWriterTest, WritesTheFormatByteForByte) {
  const ScratchFolder folder;
  SafetensorsWriter writer(folder / "a.safetensors",
                           {{"x", DType::U8, {2, 1}}, {"größe", DType::U8, {3}}},
                           {{"format", "pt"}});
  writer.write("größe", bytes_of_text("345"));
  writer.write("x", bytes_of_text("12"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.safetensors"));
  writer.commit();
  std::string header = R"({"__metadata__":{"format":"pt"},)"
                       R"("x":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]},)"
                       R"("größe":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  EXPECT_EQ(read_bytes(folder / "a.safetensors"), support::safetensors_bytes(header, "12345"));
}

TEST(SafetensorsWriterTest, ReadsBackAScalarAnEmptyTensorAndNoTensors) {
  const ScratchFolder folder;
  SafetensorsWriter writer(folder / "a",
                           {{"scalar", DType::F32, {}}, {"empty", DType::F32, {0, 3}}}, {});
  writer.write("scalar", bytes_of_text("abcd"));
  writer.write("empty", {});
  writer.commit();
  const SafetensorsFile file(folder / "a");
  EXPECT_EQ(file.at("scalar").shape, std::vector<std::int64_t>{});
  EXPECT_EQ(file.at("empty").shape, (std::vector<std::int64_t>{0, 3}));
  EXPECT_TRUE(file.metadata().empty());
  SafetensorsWriter(folder / "none", {}, {}).commit();
  EXPECT_TRUE(SafetensorsFile(folder / "none").tensors().empty());
}

TEST(SafetensorsWriterTest, AdoptsWhatAnEarlierProgramWrote) {
  const ScratchFolder folder;
  const std::vector<TensorPlan> plan{{"x", DType::U8, {2}}, {"y", DType::U8, {3}}};
  {
    SafetensorsWriter writer(folder / "a", plan, {}, Leftovers::keep);
    writer.write("x", bytes_of_text("12"));
    writer.sync();
    EXPECT_TRUE(writer.holds("x", content_hash("12")));
    EXPECT_FALSE(writer.holds("x", content_hash("13")));
    EXPECT_FALSE(writer.holds("none", content_hash("")));
  }
  {
    SafetensorsWriter writer(folder / "a", plan, {}, Leftovers::keep);
    EXPECT_TRUE(writer.holds("x", content_hash("12")));
    EXPECT_FALSE(writer.holds("y", content_hash("345")));
    EXPECT_TRUE(
        std::ranges::equal(SafetensorsFile(writer.temporary()).at("x").bytes, bytes_of_text("12")));
    writer.adopt("x");
    EXPECT_THROW(writer.commit(), MachineError);
    writer.write("y", bytes_of_text("345"));
    writer.commit();
  }
  EXPECT_TRUE(std::ranges::equal(SafetensorsFile(folder / "a").at("x").bytes, bytes_of_text("12")));
  // Committed or not: the same plan is continued, another one is not.
  EXPECT_TRUE(
      SafetensorsWriter(folder / "a", plan, {}, Leftovers::keep).holds("y", content_hash("345")));
  const std::vector<TensorPlan> other{{"x", DType::I8, {2}}, {"y", DType::U8, {3}}};
  EXPECT_FALSE(
      SafetensorsWriter(folder / "a", other, {}, Leftovers::keep).holds("y", content_hash("345")));
}

TEST(SafetensorsWriterTest, EveryElementIsAligned) {
  const ScratchFolder folder;
  const std::vector<TensorPlan> plan{{"bytes", DType::I8, {3}},
                                     {"halves", DType::F16, {3}},
                                     {"words", DType::I32, {1}},
                                     {"more", DType::F16, {1}},
                                     {"long", DType::I64, {1}}};
  SafetensorsWriter writer(folder / "a", plan, {});
  std::vector<std::string> order;
  for (const TensorPlan& tensor : writer.plan()) {
    order.push_back(tensor.name);
    writer.write(tensor.name, std::vector<std::byte>(*bytes_of(tensor.dtype, tensor.shape)));
  }
  EXPECT_EQ(order, (std::vector<std::string>{"long", "words", "halves", "more", "bytes"}));
  writer.commit();
  const SafetensorsFile file(folder / "a");
  for (const StoredTensor& tensor : file.tensors()) {
    EXPECT_EQ(tensor.file_offset % size_of(tensor.dtype), 0U) << tensor.name;
  }
}

TEST(SafetensorsWriterTest, AnOrderThatIsAlignedIsKept) {
  const ScratchFolder folder;
  const SafetensorsWriter writer(
      folder / "a", {{"b", DType::F16, {2}}, {"c", DType::F32, {1}}, {"a", DType::F16, {1}}}, {});
  EXPECT_EQ(writer.plan()[0].name, "b");
  EXPECT_EQ(writer.plan()[1].name, "c");
  EXPECT_EQ(writer.plan()[2].name, "a");
}

TEST(SafetensorsWriterTest, ATensorNeverWrittenIsAnErrorAndNoFile) {
  const ScratchFolder folder;
  {
    SafetensorsWriter writer(folder / "a", {{"x", DType::U8, {1}}, {"y", DType::U8, {1}}}, {});
    writer.write("x", bytes_of_text("1"));
    expect_error<MachineError>([&] { writer.commit(); }, folder / "a", {"tensor 'y'", "never"});
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SafetensorsWriterTest, AnUnwritablePlaceIsAnError) {
  const ScratchFolder folder;
  support::write_bytes(folder / "file", "");
  expect_error<MachineError>([&] { SafetensorsWriter(folder / "file" / "a", {}, {}); },
                             folder / "file", {"cannot be written"});
  // 2^60 bytes: more than any disk has.
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  expect_error<MachineError>(
      [&] {
        SafetensorsWriter(folder / "a", {{"x", DType::U8, {std::int64_t{1} << 60}}}, {});
      },
      folder / "a", {"cannot be written", "free some space"});
  EXPECT_EQ(std::signal(SIGXFSZ, handler), SIG_IGN);
}

// The files were written by the format's own library.
class RewriteTest : public testing::TestWithParam<const char*> {};

TEST_P(RewriteTest, GivesTheSameBytes) {
  EVENKEEL_NEEDS_SHARED(GetParam());
  const std::filesystem::path path = support::shared_file(GetParam());
  const SafetensorsFile source(path);
  std::vector<TensorPlan> plan;
  for (const StoredTensor& tensor : source.tensors()) {
    plan.push_back({tensor.name, tensor.dtype, tensor.shape});
  }
  const ScratchFolder folder;
  SafetensorsWriter writer(folder / "copy", plan, source.metadata());
  for (const StoredTensor& tensor : source.tensors()) writer.write(tensor.name, tensor.bytes);
  writer.commit();
  EXPECT_TRUE(read_bytes(folder / "copy") == read_bytes(path));
}

INSTANTIATE_TEST_SUITE_P(Shared, RewriteTest,
                         testing::Values("models/opt-3m/model.safetensors",
                                         "models/bloom-7m/model.safetensors",
                                         "models/llama-17m/model-00001-of-00003.safetensors",
                                         "golden/bert-sst2.safetensors",
                                         "golden/architectures/llama/model.safetensors",
                                         "golden/os_plus/llama-17m.sites.safetensors"),
                         [](const testing::TestParamInfo<const char*>& tested) {
                           return "File" + std::to_string(tested.index);
                         });

}  // namespace
}  // namespace evenkeel
