#include "io/gguf.h"

#include "tests/support/expect_error.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using support::GgufBuilder;
using support::number_bytes;
namespace type = support::gguf_type;

class GgufTest : public testing::Test {
 protected:
  GgufFile open(const std::string& bytes) const {
    support::write_bytes(path_, bytes);
    return GgufFile(path_);
  }
  GgufFile open(const GgufBuilder& file) const { return open(file.bytes()); }

  void refused(const GgufBuilder& file, std::initializer_list<std::string_view> parts) const {
    support::expect_error<InputError>([&] { open(file); }, path_, parts);
  }
  /// The tiny file after a change.
  void refused(const std::function<void(GgufBuilder&)>& change,
               std::initializer_list<std::string_view> parts) const {
    GgufBuilder file = small();
    change(file);
    refused(file, parts);
  }

  static GgufBuilder small() {
    GgufBuilder file;
    file.add_text("name", "a");
    file.add_tensor("w", {2, 64}, 8, std::string(136, '\1'));
    file.add_floats("v", {3}, 1.0F);
    return file;
  }

  support::ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "model.gguf";
};

TEST_F(GgufTest, ReadsMetadataOfEveryKind) {
  GgufBuilder file;
  file.add_text("text", "a text");
  file.add("u8", type::u8, number_bytes<std::uint8_t>(200));
  file.add("i8", 1, number_bytes<std::int8_t>(-2));
  file.add("u16", 2, number_bytes<std::uint16_t>(60000));
  file.add("i16", 3, number_bytes<std::int16_t>(-3));
  file.add("u32", type::u32, number_bytes<std::uint32_t>(4000000000U));
  file.add("i32", type::i32, number_bytes<std::int32_t>(-4));
  file.add("f32", type::f32, number_bytes(1e-6F));
  file.add("bool", type::boolean, std::string(1, '\1'));
  file.add("u64", type::u64, number_bytes<std::uint64_t>(1));
  file.add("i64", 11, number_bytes<std::int64_t>(-5));
  file.add("f64", 12, number_bytes(0.1));
  file.add("texts", type::array, support::gguf_texts({"x", "", "yz"}));
  file.add("numbers", type::array,
           support::gguf_array(type::i32, 2, number_bytes<std::int32_t>(-1) + number_bytes(7)));
  file.add(
      "nested", type::array,
      support::gguf_array(type::array, 2, support::gguf_texts({"q"}) + support::gguf_texts({})));
  for (const std::uint32_t version : {2U, 3U}) {
    file.version = version;
    const GgufFile read = open(file);
    EXPECT_EQ(read.text("text"), "a text");
    EXPECT_EQ(read.integer("u8"), 200);
    EXPECT_EQ(read.integer("i8"), -2);
    EXPECT_EQ(read.integer("u16"), 60000);
    EXPECT_EQ(read.integer("i16"), -3);
    EXPECT_EQ(read.integer("u32"), 4000000000);
    EXPECT_EQ(read.integer("i32"), -4);
    EXPECT_EQ(read.number("f32"), 1e-6);  // not the double nearest to the float
    EXPECT_EQ(read.boolean("bool"), true);
    EXPECT_EQ(read.integer("u64"), 1);
    EXPECT_EQ(read.integer("i64"), -5);
    EXPECT_EQ(read.number("f64"), 0.1);
    EXPECT_EQ(read.texts("texts"), (std::vector<std::string_view>{"x", "", "yz"}));
    EXPECT_EQ(read.numbers("numbers"), (std::vector<double>{-1, 7}));
    EXPECT_NE(read.find("nested"), nullptr);
    EXPECT_EQ(read.find("absent"), nullptr);
    EXPECT_EQ(read.integer("absent"), std::nullopt);
    EXPECT_TRUE(read.tensors().empty());
  }
}

TEST_F(GgufTest, PlacesTensorsByAlignment) {
  for (const std::uint32_t alignment : {8U, 32U, 64U}) {
    GgufBuilder file;
    file.alignment = alignment;
    file.add_count("general.alignment", alignment);
    file.add_floats("a", {3}, 5.0F);
    file.add_floats("b", {2, 2}, 9.0F);
    const GgufFile read = open(file);
    ASSERT_EQ(read.tensors().size(), 2U);
    const StoredTensor& b = *read.find_tensor("b");
    EXPECT_EQ(b.shape, (std::vector<std::int64_t>{2, 2}));
    EXPECT_EQ(b.file_offset % alignment, 0U);
    std::vector<float> values(4);
    decode(b, 0, values);
    EXPECT_EQ(values, (std::vector<float>{9, 10, 11, 12}));
  }
}

TEST_F(GgufTest, ReversesSizes) {
  GgufBuilder file;
  file.add_tensor("w", {2, 3, 32}, 8, std::string(204, '\0'));
  EXPECT_EQ(open(file).tensors().front().shape, (std::vector<std::int64_t>{2, 3, 32}));
}

TEST_F(GgufTest, KindsThatDoNotFitAreErrors) {
  GgufBuilder file = small();
  file.add("large", type::u64, number_bytes<std::uint64_t>(1ULL << 63U));
  file.add_number("infinite", std::numeric_limits<float>::infinity());
  file.add("mixed", type::array,
           support::gguf_array(type::u32, 2, number_bytes(1) + number_bytes(2)));
  const GgufFile read = open(file);
  support::expect_error<InputError>([&] { read.integer("name"); }, path_,
                                    {"'name'", "an integer", "'a'"});
  support::expect_error<InputError>([&] { read.integer("large"); }, path_, {"9223372036854775808"});
  support::expect_error<InputError>([&] { read.boolean("name"); }, path_, {"true or false"});
  support::expect_error<InputError>([&] { read.text("large"); }, path_, {"text"});
  support::expect_error<InputError>([&] { read.texts("mixed"); }, path_, {"array of texts"});
  support::expect_error<InputError>([&] { read.number("infinite"); }, path_, {"finite", "inf"});
  support::expect_error<InputError>([&] { read.number("mixed"); }, path_, {"an array of 2"});
  support::expect_error<InputError>([&] { read.count("mixed"); }, path_,
                                    {"the same for every block"});
}

// What is wrong with a file.

TEST_F(GgufTest, TruncationAtEveryLengthIsAnError) {
  const std::string bytes = small().bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    SCOPED_TRACE(length);
    support::expect_error<InputError>([&] { open(bytes.substr(0, length)); }, path_, {});
  }
  EXPECT_NO_THROW(open(bytes));
}

TEST_F(GgufTest, EveryByteChangedIsReadOrAnError) {
  const std::string bytes = small().bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const char value : {'\0', '\1', '\x7F', '\xFF'}) {
      std::string changed = bytes;
      changed[i] = value;
      try {
        open(changed);
      } catch (const InputError& error) {
        EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
      }
    }
  }
}

TEST_F(GgufTest, BeginsWithMagicAndVersion) {
  refused([](GgufBuilder& file) { file.magic = "GGML"; }, {"not a GGUF file"});
  refused([](GgufBuilder& file) { file.version = 1; }, {"version 1 is not supported", "2 and 3"});
  refused([](GgufBuilder& file) { file.version = 4; }, {"version 4 is not supported"});
  refused([](GgufBuilder& file) { file.version = 0x03000000; }, {"big-endian"});
}

TEST_F(GgufTest, LyingCountsAreErrorsAndAllocateNothing) {
  refused([](GgufBuilder& file) { file.more_entries = 1LL << 60; }, {"metadata entries"});
  refused([](GgufBuilder& file) { file.more_entries = -2; }, {"metadata entries"});
  refused([](GgufBuilder& file) { file.more_tensors = 1LL << 60; }, {"tensors"});
  refused([](GgufBuilder& file) { file.more_entries = 1; }, {});
  refused([](GgufBuilder& file) { file.more_tensors = 1; }, {});
  for (const std::uint32_t element : {type::u8, type::u64, type::text, type::array}) {
    for (const std::uint64_t count : {1ULL << 40U, 1ULL << 61U, ~0ULL}) {
      refused(
          [&](GgufBuilder& file) {
            file.add("list", type::array, support::gguf_array(element, count, "abc"));
          },
          {"'list'", "bytes left"});
    }
  }
  refused(
      [](GgufBuilder& file) {
        file.add("long", type::text, number_bytes<std::uint64_t>(~0ULL) + "abc");
      },
      {"'long'", "18446744073709551615"});
}

TEST_F(GgufTest, NestingIsBounded) {
  std::string value = support::gguf_texts({});
  for (int depth = 0; depth < 20; ++depth) value = support::gguf_array(type::array, 1, value);
  refused([&](GgufBuilder& file) { file.add("deep", type::array, value); }, {"'deep'", "deeper"});
}

TEST_F(GgufTest, UnknownValueTypesAreErrors) {
  refused([](GgufBuilder& file) { file.add("odd", 13, "aaaaaaaa"); }, {"'odd'", "type 13"});
}

TEST_F(GgufTest, KeysAndNamesAreUnique) {
  refused([](GgufBuilder& file) { file.add_text("name", "b"); }, {"'name'", "twice"});
  refused([](GgufBuilder& file) { file.add_floats("v", {1}); }, {"'v'", "twice"});
}

TEST_F(GgufTest, AlignmentIsAPowerOfTwo) {
  for (const std::uint32_t alignment : {0U, 12U}) {
    refused([&](GgufBuilder& file) { file.add_count("general.alignment", alignment); },
            {"general.alignment", "power of two"});
  }
  refused(
      [](GgufBuilder& file) {
        file.add("general.alignment", type::u64, number_bytes<std::uint64_t>(1ULL << 62U));
      },
      {"general.alignment"});
  refused([](GgufBuilder& file) { file.tensors[1].offset += 4; }, {"'v'", "multiple"});
}

TEST_F(GgufTest, ShapesAreChecked) {
  refused(
      [](GgufBuilder& file) {
        file.tensors[0].sizes = {2, 65};
      },
      {"'w'", "Q8_0", "blocks of 32"});
  refused([](GgufBuilder& file) { file.tensors[0].sizes = {}; }, {"'w'", "0 sizes"});
  refused([](GgufBuilder& file) { file.tensors[0].sizes = {1, 1, 1, 1, 32}; }, {"5 sizes"});
  refused([](GgufBuilder& file) { file.tensors[0].sizes = {0, 32}; }, {"'w'", "has 0"});
  refused(
      [](GgufBuilder& file) {
        file.tensors[0].sizes = {1ULL << 40U, 1ULL << 40U};
      },
      {"'w'", "63 bits"});
  refused([](GgufBuilder& file) { file.tensors[0].sizes = {~0ULL, 32}; }, {"'w'"});
}

TEST_F(GgufTest, DataLiesInTheFileAndDoesNotOverlap) {
  refused(
      [](GgufBuilder& file) {
        file.tensors[0].sizes = {200, 64};
      },
      {"'w'", "needs 13600 bytes"});
  refused([](GgufBuilder& file) { file.tensors[1].offset = 1ULL << 40U; }, {"'v'"});
  refused([](GgufBuilder& file) { file.tensors[1].offset = ~0ULL - 31; }, {"'v'"});
  refused([](GgufBuilder& file) { file.tensors[1].offset = 0; }, {"'v'", "overlaps", "'w'"});
}

TEST_F(GgufTest, OtherTensorTypesAreNamed) {
  refused(
      [](GgufBuilder& file) { file.tensors[0].type = 10; },
      {"'w'", "Q2_K", "supported: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K"});
  refused([](GgufBuilder& file) { file.tensors[0].type = 99; }, {"'w'", "number 99"});
}

TEST_F(GgufTest, KnowsItsOwn) {
  open(small());
  EXPECT_TRUE(GgufFile::is_one(path_));
  EXPECT_FALSE(GgufFile::is_one(folder_ / "absent"));
  EXPECT_FALSE(GgufFile::is_one(folder_.path()));
  support::write_bytes(path_, "GGU");
  EXPECT_FALSE(GgufFile::is_one(path_));
}

}  // namespace
}  // namespace evenkeel
