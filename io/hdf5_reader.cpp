#include <algorithm>
#include <array>
#include <functional>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/hdf5.h"
#include "io/hdf5_handle.h"
#include "io/one_line.h"
#include "io/utf8.h"

namespace evenkeel {

struct Hdf5Reader::File {
  std::filesystem::path path;
  std::uint64_t size = 0;
  Hdf5Handle handle;

  [[noreturn]] void fail(const std::string& object, const std::string& what) const {
    throw InputError(fmt::format("{}: {}: {}", path.string(), one_line(object), what));
  }

  bool exists(const std::string& object) const;
  Hdf5Handle open(const std::string& object, H5I_type_t kind, std::string_view expected) const;
  Hdf5Handle open_attribute(const std::string& object, const std::string& name) const;
};

namespace {

constexpr hssize_t most_elements = hssize_t{1} << 31U;
// What deflate, the best of the library's own filters, can make of a byte (zlib: 1032 to 1).
constexpr std::uint64_t best_compression = 1032;

using Link = H5L_info_t;

// "12" before "110", numbers before names.
auto order_of(const std::string& name) {
  const bool number =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  return std::tuple(!number, number ? name.size() : 0, name);
}

herr_t add_name(hid_t /*group*/, const char* name, const Link* /*link*/, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

std::vector<hsize_t> dimensions_of(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> dimensions(static_cast<std::size_t>(std::max(rank, 0)));
  if (rank > 0) H5Sget_simple_extent_dims(space, dimensions.data(), nullptr);
  return dimensions;
}

// A dataset that is about to be read, found to be what a file of this size can hold.
struct Stored {
  Hdf5Handle dataset;
  Hdf5Handle type;
  Hdf5Handle space;
  std::size_t elements = 0;
};

}  // namespace

// Only what is in this file itself: a link elsewhere would read a file that nobody named.
bool Hdf5Reader::File::exists(const std::string& object) const {
  if (object == "/") return true;
  for (std::size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
    const std::string above = object.substr(0, end);
    Link link;
    if (H5Lexists(handle.get(), above.c_str(), H5P_DEFAULT) <= 0 ||
        H5Lget_info(handle.get(), above.c_str(), &link, H5P_DEFAULT) < 0 ||
        link.type != H5L_TYPE_HARD) {
      return false;
    }
    if (end == std::string::npos) return true;
  }
}

Hdf5Handle Hdf5Reader::File::open(const std::string& object, H5I_type_t kind,
                                  std::string_view expected) const {
  if (!exists(object)) fail(object, fmt::format("expected a {}, which is missing", expected));
  Hdf5Handle opened(H5Oopen(handle.get(), object.c_str(), H5P_DEFAULT), H5Oclose);
  if (!opened.valid()) fail(object, hdf5_reason());
  if (H5Iget_type(opened.get()) != kind) {
    fail(object, fmt::format("expected a {}, got another kind of object", expected));
  }
  return opened;
}

Hdf5Handle Hdf5Reader::File::open_attribute(const std::string& object,
                                            const std::string& name) const {
  if (!exists(object)) fail(object, "is missing");
  const htri_t there = H5Aexists_by_name(handle.get(), object.c_str(), name.c_str(), H5P_DEFAULT);
  if (there == 0) return {};
  Hdf5Handle attribute(
      H5Aopen_by_name(handle.get(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  if (!attribute.valid()) fail(object, hdf5_reason());
  return attribute;
}

namespace {

// How many bytes of values this file can hold for a dataset stored in this way.
std::uint64_t most_bytes(hid_t properties, std::uint64_t file_size) {
  const bool filtered = H5Pget_nfilters(properties) != 0;
  return filtered ? file_size * best_compression : file_size;
}

bool chunks_fit(hid_t properties, std::size_t element_size, std::uint64_t limit) {
  if (H5Pget_layout(properties) != H5D_CHUNKED) return true;
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  const int rank = H5Pget_chunk(properties, H5S_MAX_RANK, chunk.data());
  std::uint64_t bytes = element_size;
  for (std::size_t i = 0; rank > 0 && i < static_cast<std::size_t>(rank); ++i) {
    if (chunk.at(i) == 0 || bytes > limit / chunk.at(i)) return false;
    bytes *= chunk.at(i);
  }
  return rank > 0;
}

template <class File>
Stored open_dataset(const File& file, const std::string& path, H5T_class_t expected,
                    std::string_view expected_name) {
  Stored stored;
  stored.dataset = file.open(path, H5I_DATASET, "dataset");
  const hid_t dataset = stored.dataset.get();
  stored.type = Hdf5Handle(H5Dget_type(dataset), H5Tclose);
  stored.space = Hdf5Handle(H5Dget_space(dataset), H5Sclose);
  const Hdf5Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  if (!stored.type.valid() || !stored.space.valid() || !properties.valid()) {
    file.fail(path, hdf5_reason());
  }
  if (H5Tget_class(stored.type.get()) != expected) {
    file.fail(path, fmt::format("expected {}, got another type of values", expected_name));
  }
  if (H5Pget_external_count(properties.get()) != 0 ||
      H5Pget_layout(properties.get()) == H5D_VIRTUAL) {
    file.fail(path, "its values are in other files, which is not supported");
  }
  const hssize_t elements = H5Sget_simple_extent_npoints(stored.space.get());
  const std::size_t element_size = H5Tget_size(stored.type.get());
  const std::uint64_t limit = most_bytes(properties.get(), file.size);
  if (elements < 0 || elements > most_elements || element_size == 0 ||
      static_cast<std::uint64_t>(elements) > limit / element_size ||
      !chunks_fit(properties.get(), element_size, limit)) {
    file.fail(path, fmt::format("{} values of {} bytes are more than a file of {} bytes holds",
                                elements, element_size, file.size));
  }
  stored.elements = static_cast<std::size_t>(elements);
  return stored;
}

template <class Value, class File>
std::vector<Value> read_values(const File& file, const std::string& path, const Stored& stored,
                               hid_t memory_type) {
  std::vector<Value> values(stored.elements);
  if (values.empty()) return values;
  if (H5Dread(stored.dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) <
      0) {
    file.fail(path, hdf5_reason());
  }
  return values;
}

// One string, of fixed or variable length; `read` fills memory of a type, as H5Dread does.
template <class File>
std::string read_string(const File& file, const std::string& path, hid_t type, hid_t space,
                        const std::function<herr_t(hid_t, void*)>& read) {
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) {
    file.fail(path, "expected one string");
  }
  std::string text;
  if (H5Tis_variable_str(type) > 0) {
    char* characters = nullptr;
    if (read(type, static_cast<void*>(&characters)) < 0) file.fail(path, hdf5_reason());
    if (characters != nullptr) text = characters;
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, static_cast<void*>(&characters));
  } else {
    const std::size_t size = H5Tget_size(type);
    if (size > file.size) file.fail(path, fmt::format("a string of {} bytes is cut off", size));
    text.resize(size);
    if (read(type, text.data()) < 0) file.fail(path, hdf5_reason());
    text.resize(std::min(text.find('\0'), text.size()));
  }
  if (const auto offset = first_invalid_utf8(text)) {
    file.fail(path, fmt::format("expected UTF-8, which ends at byte {}", *offset));
  }
  return text;
}

}  // namespace

Hdf5Reader::Hdf5Reader(const std::filesystem::path& path) : file_(std::make_unique<File>()) {
  silence_hdf5();
  std::error_code error;
  file_->path = path;
  file_->size = std::filesystem::file_size(path, error);
  if (error) throw InputError(fmt::format("{}: {}", path.string(), error.message()));
  file_->handle = {H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose};
  if (!file_->handle.valid()) {
    throw InputError(fmt::format("{}: not a complete HDF5 file: {}", path.string(), hdf5_reason()));
  }
}

Hdf5Reader::~Hdf5Reader() = default;

bool Hdf5Reader::exists(const std::string& path) const { return file_->exists(path); }

std::vector<std::string> Hdf5Reader::members(const std::string& path) const {
  const Hdf5Handle group = file_->open(path, H5I_GROUP, "group");
  std::vector<std::string> names;
  if (H5Literate(group.get(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, add_name, &names) < 0) {
    file_->fail(path, hdf5_reason());
  }
  std::sort(names.begin(), names.end(),
            [](const auto& a, const auto& b) { return order_of(a) < order_of(b); });
  return names;
}

std::vector<double> Hdf5Reader::dataset(const std::string& path) const {
  const Stored stored = open_dataset(*file_, path, H5T_FLOAT, "floats");
  return read_values<double>(*file_, path, stored, H5T_NATIVE_DOUBLE);
}

std::vector<std::int64_t> Hdf5Reader::integers(const std::string& path) const {
  const Stored stored = open_dataset(*file_, path, H5T_INTEGER, "integers");
  return read_values<std::int64_t>(*file_, path, stored, H5T_NATIVE_INT64);
}

std::vector<std::int64_t> Hdf5Reader::shape(const std::string& path) const {
  const Hdf5Handle dataset = file_->open(path, H5I_DATASET, "dataset");
  const Hdf5Handle space(H5Dget_space(dataset.get()), H5Sclose);
  if (!space.valid()) file_->fail(path, hdf5_reason());
  std::vector<std::int64_t> shape;
  for (const hsize_t size : dimensions_of(space.get())) {
    if (size > static_cast<hsize_t>(INT64_MAX)) file_->fail(path, "its shape is too large");
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

std::string Hdf5Reader::text(const std::string& path) const {
  const Stored stored = open_dataset(*file_, path, H5T_STRING, "a string");
  return read_string(
      *file_, path, stored.type.get(), stored.space.get(), [&](hid_t type, void* memory) {
        return H5Dread(stored.dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, memory);
      });
}

std::optional<double> Hdf5Reader::number_attribute(const std::string& path,
                                                   const std::string& name) const {
  const Hdf5Handle attribute = file_->open_attribute(path, name);
  if (!attribute.valid()) return std::nullopt;
  const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
  const H5T_class_t kind = H5Tget_class(type.get());
  if ((kind != H5T_FLOAT && kind != H5T_INTEGER) ||
      H5Sget_simple_extent_npoints(space.get()) != 1) {
    file_->fail(path, fmt::format("attribute {}: expected one number", one_line(name)));
  }
  double value = 0;
  if (H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value) < 0) file_->fail(path, hdf5_reason());
  return value;
}

std::optional<std::string> Hdf5Reader::text_attribute(const std::string& path,
                                                      const std::string& name) const {
  const Hdf5Handle attribute = file_->open_attribute(path, name);
  if (!attribute.valid()) return std::nullopt;
  const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
  return read_string(*file_, path, type.get(), space.get(), [&](hid_t memory_type, void* memory) {
    return H5Aread(attribute.get(), memory_type, memory);
  });
}

}  // namespace evenkeel
