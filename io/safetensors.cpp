#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/errors.h"
#include "io/one_line.h"
#include "io/safetensors_layout.h"
#include "io/strict_json.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using safetensors_layout::length_size;
using safetensors_layout::longest_header;
using safetensors_layout::metadata_key;

constexpr std::string_view advice = "the file is damaged, download or export it again";

[[noreturn]] void damaged(const std::filesystem::path& path, std::string_view what) {
  throw InputError(fmt::format("{}: {}; {}", path.string(), what, advice));
}

[[noreturn]] void damaged_tensor(const std::filesystem::path& path, std::string_view name,
                                 std::string_view what) {
  damaged(path, fmt::format("tensor {}: {}", in_quotes(name), what));
}

// A value of the header in a message.
std::string shown(const Json& value) {
  return one_line(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

// The header's text, once the length before it is known to be true.
std::string_view header_of(const std::filesystem::path& path, std::string_view file) {
  if (file.size() < length_size) {
    damaged(path, fmt::format("{} bytes are too few for a safetensors file, which begins with 8 "
                              "bytes of header length",
                              file.size()));
  }
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), length_size);
  if (length > longest_header) {
    damaged(path, fmt::format("the header length at byte 0 is {}, more than the largest allowed {}",
                              length, longest_header));
  }
  if (length > file.size() - length_size) {
    damaged(path, fmt::format("the header length at byte 0 is {}, but only {} bytes follow it",
                              length, file.size() - length_size));
  }
  const std::string_view header = file.substr(length_size, length);
  if (!header.starts_with('{')) damaged(path, "the header at byte 8 does not begin with '{'");
  return header;
}

std::map<std::string, std::string> metadata_of(const std::filesystem::path& path,
                                               const Json& header) {
  std::map<std::string, std::string> metadata;
  const auto found = header.find(metadata_key);
  if (found == header.end()) return metadata;
  if (!found->is_object()) {
    damaged(path, fmt::format("__metadata__ is {}, not an object", shown(*found)));
  }
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) {
      damaged(path,
              fmt::format("__metadata__: {} is {}, not a string", in_quotes(key), shown(value)));
    }
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

// An entry of the header, whose every field is checked before it is used.
class Entry {
 public:
  Entry(const std::filesystem::path& path, const std::string& name, const Json& value)
      : path_(path), name_(name), value_(value) {
    if (!value.is_object()) fail(fmt::format("its entry is {}, not an object", shown(value)));
  }

  StoredTensor read(std::span<const std::byte> data, std::uint64_t data_offset) const {
    StoredTensor tensor;
    tensor.name = name_;
    tensor.dtype = dtype();
    tensor.shape = shape();
    const auto expected = bytes_of(tensor.dtype, tensor.shape);
    if (!expected) fail(fmt::format("shape {} has too many elements", tensor.shape_text()));
    const auto [begin, end] = offsets();
    if (begin > end) fail(fmt::format("data_offsets [{}, {}] end before they begin", begin, end));
    if (end > data.size()) {
      fail(
          fmt::format("data_offsets [{}, {}] reach beyond the {} bytes of data that begin at byte "
                      "{} of the file",
                      begin, end, data.size(), data_offset));
    }
    if (end - begin != *expected) {
      fail(fmt::format("data_offsets [{}, {}] give {} bytes, but {} {} needs {}", begin, end,
                       end - begin, name_of(tensor.dtype), tensor.shape_text(), *expected));
    }
    tensor.bytes = data.subspan(begin, end - begin);
    tensor.file_offset = data_offset + begin;
    return tensor;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const { damaged_tensor(path_, name_, what); }

  const Json& field(const char* key) const {
    const auto found = value_.find(key);
    if (found == value_.end()) fail(fmt::format("it has no {}", key));
    return *found;
  }

  DType dtype() const {
    const Json& value = field("dtype");
    if (!value.is_string()) fail(fmt::format("dtype is {}, not a string", shown(value)));
    const auto dtype = dtype_named(value.get_ref<const std::string&>());
    if (dtype) return *dtype;
    throw InputError(fmt::format("{}: tensor {}: dtype {} is not supported; export it as one of {}",
                                 path_.string(), in_quotes(name_), shown(value), dtype_names()));
  }

  std::vector<std::int64_t> shape() const {
    const Json& value = field("shape");
    if (!value.is_array()) fail(fmt::format("shape is {}, not an array", shown(value)));
    std::vector<std::int64_t> shape;
    for (const Json& size : value) {
      if (!size.is_number_unsigned() ||
          size.get<std::uint64_t>() >
              static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        fail(fmt::format("shape {} holds {}, which is no size", shown(value), shown(size)));
      }
      shape.push_back(size.get<std::int64_t>());
    }
    return shape;
  }

  std::pair<std::uint64_t, std::uint64_t> offsets() const {
    const Json& value = field("data_offsets");
    if (!value.is_array() || value.size() != 2 || !value[0].is_number_unsigned() ||
        !value[1].is_number_unsigned()) {
      fail(fmt::format("data_offsets are {}, not [begin, end]", shown(value)));
    }
    return {value[0].get<std::uint64_t>(), value[1].get<std::uint64_t>()};
  }

  const std::filesystem::path& path_;
  const std::string& name_;
  const Json& value_;
};

// Every byte of the data belongs to exactly one tensor. `tensors` are in the order of offsets.
void check_coverage(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors,
                    std::uint64_t data_offset, std::uint64_t file_size) {
  std::uint64_t covered = data_offset;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.file_offset < covered) {
      damaged_tensor(path, tensor.name,
                     fmt::format("its data at byte {} overlaps that of the tensor before it, which "
                                 "ends at byte {}",
                                 tensor.file_offset, covered));
    }
    if (tensor.file_offset > covered) {
      damaged(path, fmt::format("bytes {} to {} before tensor {} belong to no tensor", covered,
                                tensor.file_offset, in_quotes(tensor.name)));
    }
    covered += tensor.bytes.size();
  }
  if (covered != file_size) {
    damaged(path, fmt::format("bytes {} to {} at the end belong to no tensor", covered, file_size));
  }
}

TensorFile read_file(const std::filesystem::path& path) {
  MappedFile file(path);
  const std::string_view header_text = header_of(path, file.text());
  const Json header = parse_json(path, header_text, length_size);
  if (!header.is_object()) damaged(path, "the header is not a JSON object");
  std::map<std::string, std::string> metadata = metadata_of(path, header);

  const std::uint64_t data_offset = length_size + header_text.size();
  const std::span<const std::byte> data = file.bytes().subspan(data_offset);
  std::vector<StoredTensor> tensors;
  for (const auto& [name, value] : header.items()) {
    if (name == metadata_key) continue;
    tensors.push_back(Entry(path, name, value).read(data, data_offset));
  }
  // Empty tensors begin where the next one does; they come before it.
  std::ranges::stable_sort(tensors, {}, [](const StoredTensor& tensor) {
    return std::pair(tensor.file_offset, tensor.bytes.size());
  });
  check_coverage(path, tensors, data_offset, file.bytes().size());
  return {path, path.filename().string(), std::make_shared<const MappedFile>(std::move(file)),
          std::move(tensors), std::move(metadata)};
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : TensorFile(read_file(path)) {}

}  // namespace evenkeel
