#include "io/corpus_file.h"

#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "io/hdf5.h"
#include "io/safetensors.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using Rows = std::vector<Tokens>;

class TokenFileTest : public testing::Test {
 protected:
  template <class Integer>
  std::filesystem::path safetensors(DType dtype, const std::vector<std::int64_t>& shape,
                                    const std::vector<Integer>& ids,
                                    const std::string& name = "input_ids") const {
    SafetensorsWriter writer(folder_ / "ids.safetensors", {{name, dtype, shape}}, {});
    writer.write(name, std::as_bytes(std::span(ids)));
    writer.commit();
    return folder_ / "ids.safetensors";
  }
  std::string fault(const std::filesystem::path& path) const {
    try {
      read(path);
    } catch (const InputError& error) {
      return std::string(error.what()).substr(folder_.path().string().size() + 1);
    }
    return "no error";
  }
  static Rows read(const std::filesystem::path& path) {
    return read_token_rows(path, 1000, nullptr, 100);
  }

  support::ScratchFolder folder_;
};

TEST_F(TokenFileTest, SafetensorsOfBothWidths) {
  const Rows expected = {{1, 2, 3}, {4, 5, 99}};
  EXPECT_EQ(read(safetensors<std::int64_t>(DType::I64, {2, 3}, {1, 2, 3, 4, 5, 99})), expected);
  EXPECT_EQ(read(safetensors<std::int32_t>(DType::I32, {2, 3}, {1, 2, 3, 4, 5, 99})), expected);
}

TEST_F(TokenFileTest, SafetensorsFaults) {
  EXPECT_EQ(fault(safetensors<std::int64_t>(DType::I64, {1, 2}, {7, 100})),
            "ids.safetensors: token 1 has id 100, which is outside the model's vocabulary [0, "
            "100); use the tokenizer and the ids of this model");
  EXPECT_NE(fault(safetensors<std::int64_t>(DType::I64, {1, 2}, {7, -1})), "no error");
  EXPECT_NE(fault(safetensors<std::int64_t>(DType::I64, {1, 2}, {7, std::int64_t{1} << 32U})),
            "no error");
  EXPECT_EQ(fault(safetensors<std::int32_t>(DType::I32, {2}, {1, 2})),
            "ids.safetensors: input_ids: expected a shape of [samples, length], got 1 dimensions");
  EXPECT_EQ(fault(safetensors<float>(DType::F32, {1, 2}, {1, 2})),
            "ids.safetensors: input_ids: expected I32 or I64, got F32");
  EXPECT_NE(fault(safetensors<std::int32_t>(DType::I32, {1, 2}, {1, 2}, "ids")), "no error");
}

TEST_F(TokenFileTest, AnyNumberOfEmptySamplesIsNothing) {
  EXPECT_EQ(read(safetensors<std::int32_t>(DType::I32, {1000000000, 0}, {})), Rows{});
}

TEST_F(TokenFileTest, Hdf5MustHaveTwoDimensions) {
  Hdf5Writer writer(folder_ / "ids.h5");
  writer.dataset("/input_ids", std::vector<std::int32_t>{1, 2, 3});
  writer.commit();
  EXPECT_EQ(fault(folder_ / "ids.h5"),
            "ids.h5: input_ids: expected a shape of [samples, length], got 1 dimensions");
}

}  // namespace
}  // namespace evenkeel
