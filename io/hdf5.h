// HDF5 files for records: groups, float and integer datasets, attributes. A thin RAII over the
// C library; object times are off, so that equal content gives equal bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/matrix.h"

namespace evenkeel {

/// A file being written, under a temporary name until `commit`. Paths are absolute
/// ("/blocks/0/sites/attention"); groups are made as needed. Not thread-safe.
class Hdf5Writer {
 public:
  /// Throws: MachineError with the path and the library's reason.
  explicit Hdf5Writer(std::filesystem::path path);
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;
  ~Hdf5Writer();

  void group(const std::string& path);
  void dataset(const std::string& path, std::span<const float> values);
  void dataset(const std::string& path, std::span<const double> values);
  void dataset(const std::string& path, std::span<const std::int32_t> values);
  /// A scalar UTF-8 string dataset.
  void text(const std::string& path, std::string_view value);
  void attribute(const std::string& path, const std::string& name, double value);
  void attribute(const std::string& path, const std::string& name, std::int64_t value);
  void attribute(const std::string& path, const std::string& name, std::string_view value);
  /// Closes, syncs and renames. Throws: MachineError.
  void commit();

 private:
  struct File;
  std::unique_ptr<File> file_;
};

/// A file being read. Throws: InputError from every call: file, path, expected, actual.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::filesystem::path& path);
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;
  ~Hdf5Reader();

  bool exists(const std::string& path) const;
  /// Names of a group's members, sorted; numbers in numeric order.
  std::vector<std::string> members(const std::string& path) const;
  /// Any float dataset of at most 2^31 elements, flattened.
  std::vector<double> dataset(const std::string& path) const;
  std::vector<std::int64_t> shape(const std::string& path) const;
  std::vector<std::int64_t> integers(const std::string& path) const;
  std::string text(const std::string& path) const;
  std::optional<double> number_attribute(const std::string& path, const std::string& name) const;
  std::optional<std::string> text_attribute(const std::string& path, const std::string& name) const;

 private:
  struct File;
  std::unique_ptr<File> file_;
};

}  // namespace evenkeel
