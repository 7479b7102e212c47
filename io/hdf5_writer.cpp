#include <cassert>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "io/hdf5_handle.h"

namespace evenkeel {

// The file is made in memory: what is on disk, under the temporary name, is written in one go by
// the same code as every other file. A record holds a few vectors for each node, far less than the
// model it belongs to.
struct Hdf5Writer::File {
  std::filesystem::path path;
  std::optional<ReplacingFile> target;
  Hdf5Handle handle;
};

namespace {

// Growth of the file in memory.
constexpr std::size_t memory_step = std::size_t{1} << 20U;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw MachineError(fmt::format("{}: cannot write {}: {}", path.string(), what, hdf5_reason()));
}

// `property` of a new object, with the times of its changes left out: they would make equal
// content differ.
Hdf5Handle without_times(hid_t property_class) {
  Hdf5Handle properties(H5Pcreate(property_class), H5Pclose);
  if (properties.valid() && H5Pset_obj_track_times(properties.get(), false) < 0) return {};
  return properties;
}

Hdf5Handle create_in_memory(const std::filesystem::path& path) {
  const Hdf5Handle creation = without_times(H5P_FILE_CREATE);
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (!creation.valid() || !access.valid() ||
      H5Pset_fapl_core(access.get(), memory_step, false) < 0 ||
      // The oldest format that can say it: the newer superblock has a checksum, which the library's
      // image of a file in memory has wrong (seen with 1.10.8).
      H5Pset_libver_bounds(access.get(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) < 0) {
    return {};
  }
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose};
}

bool link_exists(hid_t file, const std::string& path) {
  return path.empty() || path == "/" || H5Lexists(file, path.c_str(), H5P_DEFAULT) > 0;
}

// Makes the group and those above it that are missing: the library's own way to do so gives the
// ones above times.
void require_group(hid_t file, const std::string& path, const std::filesystem::path& where) {
  assert(path.empty() || path.front() == '/');
  if (link_exists(file, path)) return;
  require_group(file, path.substr(0, path.rfind('/')), where);
  const Hdf5Handle properties = without_times(H5P_GROUP_CREATE);
  const Hdf5Handle group(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
                         H5Gclose);
  if (!group.valid()) fail(where, path);
}

void require_parent(hid_t file, const std::string& path, const std::filesystem::path& where) {
  require_group(file, path.substr(0, path.rfind('/')), where);
}

// What is stored, and what the values are in memory.
struct Types {
  hid_t stored;
  hid_t memory;
};

void write_dataset(hid_t file, const std::filesystem::path& where, const std::string& path,
                   const Hdf5Handle& space, Types types, const void* values) {
  require_parent(file, path, where);
  const Hdf5Handle properties = without_times(H5P_DATASET_CREATE);
  const Hdf5Handle dataset(H5Dcreate2(file, path.c_str(), types.stored, space.get(), H5P_DEFAULT,
                                      properties.get(), H5P_DEFAULT),
                           H5Dclose);
  if (!dataset.valid() ||
      H5Dwrite(dataset.get(), types.memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    fail(where, path);
  }
}

template <class Value>
void write_values(hid_t file, const std::filesystem::path& where, const std::string& path,
                  std::span<const Value> values, Types types) {
  const hsize_t size = values.size();
  const Hdf5Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
  // The library wants a pointer even to no values.
  constexpr Value none{};
  write_dataset(file, where, path, space, types, values.empty() ? &none : values.data());
}

void write_attribute(hid_t file, const std::filesystem::path& where, const std::string& path,
                     const std::string& name, Types types, const void* value) {
  require_group(file, path, where);
  const Hdf5Handle object(H5Oopen(file, path.c_str(), H5P_DEFAULT), H5Oclose);
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Hdf5Handle attribute(
      H5Acreate2(object.get(), name.c_str(), types.stored, space.get(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  if (!attribute.valid() || H5Awrite(attribute.get(), types.memory, value) < 0) {
    fail(where, fmt::format("{}, attribute {}", path, name));
  }
}

// Variable-length UTF-8: what other programs read as text, not as an array of bytes.
Hdf5Handle text_type() {
  Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  if (!type.valid() || H5Tset_size(type.get(), H5T_VARIABLE) < 0 ||
      H5Tset_cset(type.get(), H5T_CSET_UTF8) < 0) {
    return {};
  }
  return type;
}

// HDF5 ends a text at its first NUL.
std::string without_nul(const std::filesystem::path& where, const std::string& path,
                        std::string_view value) {
  if (value.find('\0') != std::string_view::npos) {
    throw MachineError(
        fmt::format("{}: cannot write {}: a text in HDF5 holds no NUL", where.string(), path));
  }
  return std::string(value);
}

}  // namespace

Hdf5Writer::Hdf5Writer(std::filesystem::path path) : file_(std::make_unique<File>()) {
  silence_hdf5();
  file_->target.emplace(path);
  file_->handle = create_in_memory(path);
  if (!file_->handle.valid()) fail(path, "the file");
  file_->path = std::move(path);
}

Hdf5Writer::~Hdf5Writer() = default;

void Hdf5Writer::group(const std::string& path) {
  require_group(file_->handle.get(), path, file_->path);
}

void Hdf5Writer::dataset(const std::string& path, std::span<const float> values) {
  write_values(file_->handle.get(), file_->path, path, values, {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT});
}

void Hdf5Writer::dataset(const std::string& path, std::span<const double> values) {
  write_values(file_->handle.get(), file_->path, path, values, {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE});
}

void Hdf5Writer::dataset(const std::string& path, std::span<const std::int32_t> values) {
  write_values(file_->handle.get(), file_->path, path, values, {H5T_STD_I32LE, H5T_NATIVE_INT32});
}

void Hdf5Writer::text(const std::string& path, std::string_view value) {
  const std::string text = without_nul(file_->path, path, value);
  const char* characters = text.c_str();
  const Hdf5Handle type = text_type();
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  write_dataset(file_->handle.get(), file_->path, path, space, {type.get(), type.get()},
                static_cast<const void*>(&characters));
}

void Hdf5Writer::attribute(const std::string& path, const std::string& name, double value) {
  write_attribute(file_->handle.get(), file_->path, path, name, {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE},
                  &value);
}

void Hdf5Writer::attribute(const std::string& path, const std::string& name, std::int64_t value) {
  write_attribute(file_->handle.get(), file_->path, path, name, {H5T_STD_I64LE, H5T_NATIVE_INT64},
                  &value);
}

void Hdf5Writer::attribute(const std::string& path, const std::string& name,
                           std::string_view value) {
  const std::string text = without_nul(file_->path, path, value);
  const char* characters = text.c_str();
  const Hdf5Handle type = text_type();
  write_attribute(file_->handle.get(), file_->path, path, name, {type.get(), type.get()},
                  static_cast<const void*>(&characters));
}

void Hdf5Writer::commit() {
  const hid_t file = file_->handle.get();
  const ssize_t size =
      H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, nullptr, 0);
  if (size < 0) fail(file_->path, "the file");
  std::string image(static_cast<std::size_t>(size), '\0');
  if (H5Fget_file_image(file, image.data(), image.size()) != size) fail(file_->path, "the file");
  file_->handle = {};
  file_->target->append(image);
  file_->target->commit();
  file_->target.reset();
}

}  // namespace evenkeel
