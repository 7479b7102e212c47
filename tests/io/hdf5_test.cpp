#include "io/hdf5.h"

#include <array>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <hdf5.h>

#include "io/errors.h"
#include "io/file.h"
#include "support/scratch_folder.h"

namespace evenkeel {
namespace {

using Strings = std::vector<std::string>;
using Doubles = std::vector<double>;

class Hdf5Test : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_ / "record.h5"; }

  std::string fault(const std::function<void(const Hdf5Reader&)>& use) const {
    try {
      use(Hdf5Reader(path()));
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find(path().string() + ": "), 0U) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      return message.substr(path().string().size() + 2);
    }
    return "no error";
  }

  support::ScratchFolder folder_;
};

void write_record(const std::filesystem::path& path) {
  Hdf5Writer writer(path);
  for (int block = 0; block < 12; ++block) {
    const std::string site = "/blocks/" + std::to_string(block) + "/sites/attention";
    writer.dataset(site + "/shift", std::vector<float>{0.1F, -2, 3});
    writer.dataset(site + "/losses", Doubles{1e-300, 2});
    writer.attribute(site, "method", "os_plus");
    writer.attribute(site, "threshold", 0.1);
    writer.attribute(site, "bits", std::int64_t{8});
  }
  writer.dataset("/codes", std::vector<std::int32_t>{-7, INT32_MAX});
  writer.dataset("/empty", std::vector<float>{});
  writer.text("/job", "model: ö\n");
  writer.text("/nothing", "");
  writer.group("/progress/deep");
  writer.group("/progress");
  writer.commit();
}

TEST_F(Hdf5Test, WhatIsWrittenIsRead) {
  write_record(path());
  const Hdf5Reader reader(path());
  const std::string site = "/blocks/11/sites/attention";
  EXPECT_EQ(reader.dataset(site + "/shift"), (Doubles{0.1F, -2, 3}));
  EXPECT_EQ(reader.dataset(site + "/losses"), (Doubles{1e-300, 2}));
  EXPECT_EQ(reader.shape(site + "/shift"), std::vector<std::int64_t>{3});
  EXPECT_EQ(reader.integers("/codes"), (std::vector<std::int64_t>{-7, INT32_MAX}));
  EXPECT_EQ(reader.dataset("/empty"), Doubles{});
  EXPECT_EQ(reader.text("/job"), "model: ö\n");
  EXPECT_EQ(reader.text("/nothing"), "");
  EXPECT_EQ(reader.text_attribute(site, "method"), "os_plus");
  EXPECT_EQ(reader.number_attribute(site, "threshold"), 0.1);
  EXPECT_EQ(reader.number_attribute(site, "bits"), 8);
  EXPECT_EQ(reader.number_attribute(site, "absent"), std::nullopt);
  EXPECT_EQ(reader.text_attribute("/", "absent"), std::nullopt);
}

TEST_F(Hdf5Test, MembersAreInNumericOrder) {
  write_record(path());
  const Hdf5Reader reader(path());
  EXPECT_EQ(reader.members("/blocks"),
            (Strings{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}));
  EXPECT_EQ(reader.members("/"),
            (Strings{"blocks", "codes", "empty", "job", "nothing", "progress"}));
  EXPECT_EQ(reader.members("/progress/deep"), Strings{});
}

TEST_F(Hdf5Test, ExistsSeesGroupsAndDatasets) {
  write_record(path());
  const Hdf5Reader reader(path());
  for (const char* there : {"/", "/blocks", "/blocks/3/sites/attention/shift", "codes"}) {
    EXPECT_TRUE(reader.exists(there)) << there;
  }
  for (const char* absent : {"", "/block", "/blocks/12/sites", "/codes/x", "//"}) {
    EXPECT_FALSE(reader.exists(absent)) << absent;
  }
}

TEST_F(Hdf5Test, NumbersThatAreNoNumbersAreKept) {
  Hdf5Writer writer(path());
  writer.dataset("/x", Doubles{std::numeric_limits<double>::infinity(), std::nan("")});
  writer.commit();
  const Doubles values = Hdf5Reader(path()).dataset("/x");
  EXPECT_EQ(values[0], std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(values[1]));
}

TEST_F(Hdf5Test, EqualContentGivesEqualBytes) {
  write_record(folder_ / "a.h5");
  write_record(folder_ / "b.h5");
  EXPECT_EQ(read_text(folder_ / "a.h5"), read_text(folder_ / "b.h5"));
}

TEST_F(Hdf5Test, NothingAppearsBeforeCommit) {
  write_text(path(), "before");
  {
    Hdf5Writer writer(path());
    writer.text("/x", "after");
    EXPECT_EQ(read_text(path()), "before");
  }
  EXPECT_EQ(read_text(path()), "before");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(Hdf5Test, AFolderThatIsNotThereIsRefused) {
  EXPECT_THROW(Hdf5Writer(folder_ / "absent" / "x.h5"), MachineError);
}

TEST_F(Hdf5Test, WritingWhatIsThereIsRefused) {
  Hdf5Writer writer(path());
  writer.text("/x", "");
  EXPECT_THROW(writer.text("/x", ""), MachineError);
  EXPECT_THROW(writer.group("/x/y"), MachineError);
  EXPECT_THROW(writer.text("/z", std::string_view("a\0b", 3)), MachineError);
}

// ---- Files that are not as they should be ----

TEST_F(Hdf5Test, WrongKindsAreNamed) {
  write_record(path());
  EXPECT_EQ(fault([](const auto& r) { r.dataset("/absent"); }),
            "/absent: expected a dataset, which is missing");
  EXPECT_EQ(fault([](const auto& r) { r.dataset("/blocks"); }),
            "/blocks: expected a dataset, got another kind of object");
  EXPECT_EQ(fault([](const auto& r) { r.members("/codes"); }),
            "/codes: expected a group, got another kind of object");
  EXPECT_EQ(fault([](const auto& r) { r.dataset("/codes"); }),
            "/codes: expected floats, got another type of values");
  EXPECT_EQ(fault([](const auto& r) { r.integers("/empty"); }),
            "/empty: expected integers, got another type of values");
  EXPECT_EQ(fault([](const auto& r) { r.text("/codes"); }),
            "/codes: expected a string, got another type of values");
  const std::string site = "/blocks/0/sites/attention";
  EXPECT_EQ(fault([&site](const auto& r) { r.number_attribute(site, "method"); }),
            site + ": attribute method: expected one number");
  EXPECT_EQ(fault([&site](const auto& r) { r.text_attribute(site, "bits"); }),
            site + ": expected one string");
  EXPECT_EQ(fault([](const auto& r) { r.text_attribute("/absent", "x"); }), "/absent: is missing");
}

TEST_F(Hdf5Test, OtherFilesAndTruncatedOnesAreRefused) {
  EXPECT_NE(fault([](const auto&) {}), "no error");
  write_text(path(), "not HDF5");
  EXPECT_EQ(fault([](const auto&) {}).find("not a complete HDF5 file: "), 0U);
  write_record(path());
  const std::string whole = read_text(path());
  for (std::size_t size = 0; size < whole.size(); size += 1009) {
    write_text(path(), whole.substr(0, size));
    EXPECT_NE(fault([](const auto&) {}), "no error") << size;
  }
}

// Makes files with the library itself, as another program might.
class Hdf5ForeignTest : public Hdf5Test {
 protected:
  Hdf5ForeignTest() : file_(H5Fcreate(path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}

  void dataset(
      const char* name, hid_t type, const std::vector<hsize_t>& shape, const void* values,
      const std::function<void(hid_t)>& set = [](hid_t) {}, const hsize_t* most = nullptr) const {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), most);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    set(properties);
    const hid_t made = H5Dcreate2(file_, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    ASSERT_GE(made, 0);
    if (values != nullptr) H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(made);
    H5Pclose(properties);
    H5Sclose(space);
  }
  hid_t file() const { return file_; }
  void close() const { H5Fclose(file_); }

 private:
  hid_t file_;
};

TEST_F(Hdf5ForeignTest, ReadsCompressedMatricesAndFixedStrings) {
  const std::vector<std::int64_t> ids(6000, 5);
  dataset("input_ids", H5T_NATIVE_INT64, {20, 300}, ids.data(), [](hid_t properties) {
    const std::array<hsize_t, 2> chunk = {20, 300};
    H5Pset_chunk(properties, 2, chunk.data());
    H5Pset_deflate(properties, 9);
  });
  const hid_t string = H5Tcopy(H5T_C_S1);
  H5Tset_size(string, 8);
  const hid_t scalar = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(file(), "note", string, scalar, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, string, "abc\0def");
  H5Aclose(attribute);
  H5Sclose(scalar);
  H5Tclose(string);
  close();
  const Hdf5Reader reader(path());
  EXPECT_EQ(reader.shape("input_ids"), (std::vector<std::int64_t>{20, 300}));
  EXPECT_EQ(reader.integers("input_ids"), ids);
  EXPECT_EQ(reader.text_attribute("/", "note"), "abc");
}

TEST_F(Hdf5ForeignTest, ShapesLargerThanTheFileAreRefusedBeforeAllocation) {
  // No values were written, so the file says a shape that it does not hold.
  dataset("contiguous", H5T_NATIVE_FLOAT, {1U << 30U}, nullptr);
  dataset("more", H5T_NATIVE_FLOAT, {1U << 20U, 1U << 20U, 1U << 20U}, nullptr);
  dataset("chunked", H5T_NATIVE_FLOAT, {1U << 30U}, nullptr, [](hid_t properties) {
    const hsize_t chunk = 1U << 29U;
    H5Pset_chunk(properties, 1, &chunk);
    H5Pset_deflate(properties, 1);
  });
  const hsize_t unlimited = H5S_UNLIMITED;
  dataset(
      "chunk", H5T_NATIVE_FLOAT, {16}, nullptr,
      [](hid_t properties) {
        const hsize_t chunk = 1U << 20U;
        H5Pset_chunk(properties, 1, &chunk);
      },
      &unlimited);
  close();
  for (const char* name : {"contiguous", "more", "chunked", "chunk"}) {
    EXPECT_NE(fault([name](const auto& r) { r.dataset(name); }).find("are more than a file of"),
              std::string::npos)
        << name;
  }
}

TEST_F(Hdf5ForeignTest, OtherFilesAreNotRead) {
  write_text(folder_ / "secret", std::string(64, 'x'));
  dataset("external", H5T_NATIVE_FLOAT, {4}, nullptr, [this](hid_t properties) {
    H5Pset_external(properties, (folder_ / "secret").c_str(), 0, 16);
  });
  write_record(folder_ / "other.h5");
  H5Lcreate_external("other.h5", "/codes", file(), "link", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/soft", file(), "soft", H5P_DEFAULT, H5P_DEFAULT);
  close();
  EXPECT_EQ(fault([](const auto& r) { r.dataset("external"); }),
            "external: its values are in other files, which is not supported");
  EXPECT_FALSE(Hdf5Reader(path()).exists("link"));
  EXPECT_NE(fault([](const auto& r) { r.integers("/link"); }), "no error");
  EXPECT_FALSE(Hdf5Reader(path()).exists("soft"));
}

TEST_F(Hdf5ForeignTest, TextMustBeUtf8) {
  const hid_t string = H5Tcopy(H5T_C_S1);
  H5Tset_size(string, 4);
  dataset("x", string, {1}, "ab\xFFz");
  H5Tclose(string);
  close();
  EXPECT_EQ(fault([](const auto& r) { r.text("x"); }), "x: expected UTF-8, which ends at byte 2");
}

}  // namespace
}  // namespace evenkeel
