#include "io/safetensors.h"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"

namespace evenkeel {
namespace {

using support::bytes_of_numbers;
using support::expect_error;
using support::safetensors_bytes;
using support::ScratchFolder;
using support::shared_file;
using support::write_bytes;

// A file that only exists while it is looked at.
class SafetensorsTest : public testing::Test {
 protected:
  SafetensorsFile open(const std::string& bytes) const {
    write_bytes(path, bytes);
    return SafetensorsFile(path);
  }
  void refuses(const std::string& bytes, std::initializer_list<std::string_view> parts) const {
    expect_error<InputError>([&] { open(bytes); }, path, parts);
  }
  // A file whose only tensor has this entry.
  void refuses_entry(const std::string& entry, std::initializer_list<std::string_view> parts,
                     std::size_t data_size = 8) const {
    SCOPED_TRACE(entry);
    refuses(safetensors_bytes(R"({"x":)" + entry + "}", std::string(data_size, '\0')), parts);
  }

  const ScratchFolder folder;
  const std::filesystem::path path = folder / "model.safetensors";
};

std::string two_tensors() {
  return R"({"__metadata__":{"format":"pt"},)"
         R"("b":{"dtype":"I32","shape":[3],"data_offsets":[8,20]},)"
         R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
}

std::string two_tensors_data() {
  return bytes_of_numbers(std::vector{1.5F, -2.0F}) +
         bytes_of_numbers(std::vector<std::int32_t>{7, 8, 9});
}

TEST_F(SafetensorsTest, ReadsTensorsInTheOrderOfTheirData) {
  const SafetensorsFile file = open(safetensors_bytes(two_tensors(), two_tensors_data()));
  ASSERT_EQ(file.tensors().size(), 2U);
  const StoredTensor& a = file.tensors()[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.dtype, DType::F32);
  EXPECT_EQ(a.shape, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(a.shape_text(), "[1, 2]");
  EXPECT_EQ(a.elements(), 2);
  EXPECT_EQ(a.file_offset, 8 + two_tensors().size());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(a.bytes.data()), a.bytes.size()),
            two_tensors_data().substr(0, 8));
  EXPECT_EQ(&file.at("b"), &file.tensors()[1]);
  EXPECT_EQ(file.at("b").elements(), 3);
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  EXPECT_EQ(file.find("c"), nullptr);
  expect_error<InputError>([&] { file.at("c"); }, path, {"tensor 'c' is missing"});
  file.release(a);
  EXPECT_EQ(a.bytes[3], std::byte{0x3f});
}

TEST_F(SafetensorsTest, AMoveKeepsTheTensors) {
  SafetensorsFile first = open(safetensors_bytes(two_tensors(), two_tensors_data()));
  const StoredTensor* const a = first.find("a");
  const SafetensorsFile second = std::move(first);
  EXPECT_EQ(second.find("a"), a);
  EXPECT_EQ(a->bytes[3], std::byte{0x3f});
}

TEST_F(SafetensorsTest, ReadsScalarsEmptyTensorsAndNoTensors) {
  const SafetensorsFile file =
      open(safetensors_bytes(R"({"full":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("scalar":{"dtype":"F32","shape":[],"data_offsets":[4,8]},)"
                             R"("first":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]},)"
                             R"("between":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},)"
                             R"("last":{"dtype":"F32","shape":[7,0],"data_offsets":[8,8]}}   )",
                             std::string(8, '\0')));
  EXPECT_EQ(file.at("scalar").elements(), 1);
  EXPECT_EQ(file.at("scalar").shape_text(), "[]");
  for (const char* name : {"first", "between", "last"}) EXPECT_EQ(file.at(name).elements(), 0);
  EXPECT_TRUE(open(safetensors_bytes("{}", "")).tensors().empty());
}

// --- What a damaged or hostile file says.

TEST_F(SafetensorsTest, EveryTruncationIsAnError) {
  const std::string whole = safetensors_bytes(two_tensors(), two_tensors_data());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    refuses(whole.substr(0, size), {"damaged"});
  }
  EXPECT_NO_THROW(open(whole));
}

TEST_F(SafetensorsTest, TruncationsOfARealFileAreErrors) {
  EVENKEEL_NEEDS_SHARED("models/opt-3m/model.safetensors");
  const std::string whole = support::read_bytes(shared_file("models/opt-3m/model.safetensors"));
  const std::size_t data =
      SafetensorsFile(shared_file("models/opt-3m/model.safetensors")).tensors().front().file_offset;
  std::vector<std::size_t> sizes{0, 1, 7, 8, 9, data - 1, data, data + 1, whole.size() - 1};
  for (std::size_t size = 97; size < data; size += 97) sizes.push_back(size);
  for (const std::size_t size : sizes) {
    SCOPED_TRACE(size);
    refuses(whole.substr(0, size), {"download or export it again"});
  }
}

TEST_F(SafetensorsTest, AHeaderLengthThatLiesIsAnError) {
  const std::string header = two_tensors();
  const std::string data = two_tensors_data();
  const auto with_length = [&](std::uint64_t length) {
    return safetensors_bytes(length, header, data);
  };
  refuses("", {"0 bytes are too few"});
  refuses("1234567", {"7 bytes are too few"});
  refuses(with_length(std::numeric_limits<std::uint64_t>::max()),
          {"18446744073709551615", "100000000"});
  refuses(with_length(std::uint64_t{1} << 63), {"9223372036854775808"});
  refuses(with_length(100'000'001), {"100000001", "more than the largest allowed 100000000"});
  refuses(with_length(100'000'000), {"100000000", "bytes follow it"});
  refuses(with_length(header.size() + data.size() + 1), {"bytes follow it"});
  refuses(with_length(header.size() - 1), {"not valid JSON"});
  refuses(with_length(header.size() + 1), {"not valid JSON"});
  refuses(with_length(0), {"does not begin with '{'"});
}

TEST_F(SafetensorsTest, AHeaderThatIsNoObjectIsAnError) {
  for (const char* header : {"[]", "1", " {}", "\xef\xbb\xbf{}", "null", "\n"}) {
    refuses(safetensors_bytes(header, ""), {"does not begin with '{'"});
  }
  refuses(safetensors_bytes("{,}", ""), {"byte 10", "not valid JSON"});
  refuses(safetensors_bytes("{\"\xff\":1}", ""), {"not valid JSON"});
  std::string deep = R"({"x":)";
  deep += std::string(100'000, '[') + std::string(100'000, ']') + "}";
  refuses(safetensors_bytes(deep, ""), {"nested deeper than 256"});
}

TEST_F(SafetensorsTest, ANameTwiceIsAnError) {
  const std::string entry = R"("x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  refuses(safetensors_bytes("{" + entry + "," + entry + "}", std::string(8, '\0')), {"'x' twice"});
  refuses_entry(R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})",
                {"'dtype' twice"});
}

TEST_F(SafetensorsTest, MetadataMustMapStringsToStrings) {
  refuses(safetensors_bytes(R"({"__metadata__":[]})", ""), {"__metadata__ is [], not an object"});
  refuses(safetensors_bytes(R"({"__metadata__":{"a":1}})", ""),
          {"__metadata__: 'a' is 1, not a string"});
  refuses(safetensors_bytes(R"({"__metadata__":{"a":{"b":"c"}}})", ""), {"not a string"});
}

TEST_F(SafetensorsTest, AnEntryMustHaveItsThreeFields) {
  refuses_entry("1", {"tensor 'x'", "its entry is 1, not an object"});
  refuses_entry("{}", {"tensor 'x'", "has no dtype"});
  refuses_entry(R"({"dtype":"F32","data_offsets":[0,8]})", {"has no shape"});
  refuses_entry(R"({"dtype":"F32","shape":[2]})", {"has no data_offsets"});
}

TEST_F(SafetensorsTest, ADTypeMustBeKnown) {
  refuses_entry(R"({"dtype":1,"shape":[2],"data_offsets":[0,8]})", {"dtype is 1, not a string"});
  refuses_entry(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})",
                {"tensor 'x'", "\"F8_E4M3\" is not supported", "F64, F32, F16, BF16"});
}

TEST_F(SafetensorsTest, AShapeMustBeSizes) {
  refuses_entry(R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})", {"shape is 2, not an array"});
  for (const std::string size : {"-1", "-9223372036854775808", "2.0", "\"2\"", "null", "[2]",
                                 "9223372036854775808", "18446744073709551615", "1e3"}) {
    refuses_entry(R"({"dtype":"F32","shape":[)" + size + R"(],"data_offsets":[0,8]})",
                  {"tensor 'x'", "which is no size"});
  }
}

TEST_F(SafetensorsTest, AShapeWhoseProductOverflowsIsAnError) {
  for (const std::string shape :
       {"[4294967296,4294967296]", "[9223372036854775807]", "[2305843009213693952]",
        "[4611686018427387904,4,0]", "[65536,65536,65536,65536]"}) {
    refuses_entry(R"({"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,8]})",
                  {"tensor 'x'", "too many elements"});
  }
}

TEST_F(SafetensorsTest, OffsetsMustLieInTheFileAndMatchTheShape) {
  const auto entry = [](const std::string& offsets) {
    return R"({"dtype":"F32","shape":[2],"data_offsets":)" + offsets + "}";
  };
  for (const char* offsets : {"8", "[]", "[0]", "[0,8,9]", "[0,8.0]", "[-8,0]", "[0,\"8\"]",
                              "[0,18446744073709551616]"}) {
    refuses_entry(entry(offsets), {"tensor 'x'", "not [begin, end]"});
  }
  refuses_entry(entry("[8,0]"), {"data_offsets [8, 0] end before they begin"});
  refuses_entry(entry("[0,9]"), {"reach beyond the 8 bytes of data"});
  refuses_entry(entry("[18446744073709551608,18446744073709551615]"), {"reach beyond"});
  refuses_entry(entry("[0,4]"), {"data_offsets [0, 4] give 4 bytes, but F32 [2] needs 8"});
  refuses_entry(entry("[0,8]"), {"bytes 70 to 74 at the end belong to no tensor"}, 12);
  refuses_entry(R"({"dtype":"F16","shape":[10,11],"data_offsets":[0,400]})",
                {"data_offsets [0, 400] give 400 bytes, but F16 [10, 11] needs 220"}, 400);
}

TEST_F(SafetensorsTest, TensorsMustCoverTheDataOnce) {
  const auto file = [](const std::string& a, const std::string& b, std::size_t data) {
    return safetensors_bytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
                                 R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}",
                             std::string(data, '\0'));
  };
  EXPECT_NO_THROW(open(file("[0,4]", "[4,8]", 8)));
  refuses(file("[0,4]", "[3,7]", 7), {"tensor 'b'", "overlaps"});
  refuses(file("[0,4]", "[0,4]", 4), {"tensor 'b'", "overlaps"});
  refuses(file("[0,4]", "[5,9]", 9), {"before tensor 'b' belong to no tensor"});
  refuses(file("[1,5]", "[5,9]", 9), {"before tensor 'a' belong to no tensor"});
  refuses(file("[0,4]", "[4,8]", 9), {"at the end belong to no tensor"});
  refuses(safetensors_bytes("{}", "x"), {"at the end belong to no tensor"});
}

TEST_F(SafetensorsTest, ANameCannotForgeAMessage) {
  const std::string name(5000, 'n');
  refuses(safetensors_bytes(R"({"x\nERROR\u001b[31m":1})", ""), {"'x\\x0aERROR\\x1b[31m'"});
  refuses(safetensors_bytes("{\"" + name + "\":1}", ""), {"nnn..."});
}

// Every single byte of the header changed: read, or refused with a clear message, never worse.
TEST_F(SafetensorsTest, EveryChangedHeaderByteIsReadOrRefused) {
  const std::string whole = safetensors_bytes(two_tensors(), two_tensors_data());
  for (std::size_t i = 0; i < 8 + two_tensors().size(); ++i) {
    for (const char c : {'\0', '9', '"', '}', ',', '\x80', '\xff'}) {
      std::string changed = whole;
      changed[i] = c;
      try {
        const SafetensorsFile file = open(changed);
        std::size_t covered = 0;
        for (const StoredTensor& tensor : file.tensors()) covered += tensor.bytes.size();
        EXPECT_EQ(covered, two_tensors_data().size());
      } catch (const InputError& error) {
        EXPECT_TRUE(std::string_view(error.what()).starts_with(path.string())) << error.what();
      }
    }
  }
}

TEST(SafetensorsSizeTest, BytesOfChecksEveryProduct) {
  EXPECT_EQ(bytes_of(DType::F16, {3, 5}), 30U);
  EXPECT_EQ(bytes_of(DType::I64, {}), 8U);
  EXPECT_EQ(bytes_of(DType::U8, {0, 7}), 0U);
  EXPECT_EQ(bytes_of(DType::U8, {std::numeric_limits<std::int64_t>::max()}),
            static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(bytes_of(DType::F16, {std::numeric_limits<std::int64_t>::max()}), std::nullopt);
  EXPECT_EQ(bytes_of(DType::U8, {-1}), std::nullopt);
  EXPECT_EQ(bytes_of(DType::U8, {0, -1}), std::nullopt);
}

TEST(SafetensorsSizeTest, AnElementIsNamedByRowAndColumn) {
  EXPECT_EQ(element_text({4, 192}, 593), "row 3, column 17");
  EXPECT_EQ(element_text({768}, 593), "element 593");
  EXPECT_EQ(element_text({2, 3, 4}, 5), "element 5");
}

// What the files of ../shared hold was listed with Python's json over the header.
struct SharedFile {
  const char* path;
  std::size_t tensors;
  const char* name;
  DType dtype;
  std::vector<std::int64_t> shape;
};

class SharedSafetensorsTest : public testing::TestWithParam<SharedFile> {};

TEST_P(SharedSafetensorsTest, IsReadAsItWasWritten) {
  const SharedFile& known = GetParam();
  EVENKEEL_NEEDS_SHARED(known.path);
  const SafetensorsFile file(shared_file(known.path));
  EXPECT_EQ(file.tensors().size(), known.tensors);
  EXPECT_EQ(file.at(known.name).dtype, known.dtype);
  EXPECT_EQ(file.at(known.name).shape, known.shape);
}

INSTANTIATE_TEST_SUITE_P(
    Shared, SharedSafetensorsTest,
    testing::Values(
        SharedFile{"models/opt-3m/model.safetensors",
                   100,
                   "model.decoder.embed_tokens.weight",
                   DType::F16,
                   {4096, 192}},
        SharedFile{"models/llama-17m/model-00002-of-00003.safetensors",
                   37,
                   "model.layers.3.input_layernorm.weight",
                   DType::F16,
                   {384}},
        SharedFile{
            "golden/architectures/opt/golden.safetensors", 6, "input_ids", DType::I32, {2, 24}},
        SharedFile{"golden/os_plus/opt-3m-outlier.sites.safetensors",
                   133,
                   "site.0.8bit.loss",
                   DType::F64,
                   {100}}),
    [](const testing::TestParamInfo<SharedFile>& tested) {
      return "File" + std::to_string(tested.index);
    });

}  // namespace
}  // namespace evenkeel
