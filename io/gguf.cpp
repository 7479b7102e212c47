#include "io/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/gguf_cursor.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr std::string_view magic = "GGUF";
constexpr std::string_view alignment_key = "general.alignment";
constexpr std::uint64_t default_alignment = 32;
constexpr std::uint32_t most_sizes = 4;
// Smallest entries: an empty key, a type and a byte; an empty name, no size, a type and an offset.
constexpr std::uint64_t smallest_entry = 8 + 4 + 1;
constexpr std::uint64_t smallest_tensor = 8 + 4 + 4 + 8;

struct TensorType {
  std::uint32_t id;
  DType dtype;
};
constexpr std::array tensor_types{
    TensorType{0, DType::F32},   TensorType{1, DType::F16},  TensorType{30, DType::BF16},
    TensorType{8, DType::Q8_0},  TensorType{2, DType::Q4_0}, TensorType{3, DType::Q4_1},
    TensorType{6, DType::Q5_0},  TensorType{7, DType::Q5_1}, TensorType{12, DType::Q4_K},
    TensorType{13, DType::Q5_K}, TensorType{14, DType::Q6_K}};

// What else a file in use may hold, for messages.
struct OtherType {
  std::uint32_t id;
  std::string_view name;
};
constexpr std::array other_types{
    OtherType{9, "Q8_1"},     OtherType{10, "Q2_K"},    OtherType{11, "Q3_K"},
    OtherType{15, "Q8_K"},    OtherType{16, "IQ2_XXS"}, OtherType{17, "IQ2_XS"},
    OtherType{18, "IQ3_XXS"}, OtherType{19, "IQ1_S"},   OtherType{20, "IQ4_NL"},
    OtherType{21, "IQ3_S"},   OtherType{22, "IQ2_S"},   OtherType{23, "IQ4_XS"},
    OtherType{24, "I8"},      OtherType{25, "I16"},     OtherType{26, "I32"},
    OtherType{27, "I64"},     OtherType{28, "F64"},     OtherType{29, "IQ1_M"},
    OtherType{34, "TQ1_0"},   OtherType{35, "TQ2_0"},   OtherType{39, "MXFP4"}};

std::string text_of_type(std::uint32_t id) {
  const auto* const found = std::ranges::find(other_types, id, &OtherType::id);
  return found == other_types.end() ? fmt::format("number {}", id) : fmt::format("{}", found->name);
}

std::string supported_types() {
  std::string names;
  for (const TensorType& type : tensor_types) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(type.dtype));
  }
  return names;
}

std::string described(const GgufValue& value) {
  struct Describe {
    std::string operator()(std::uint64_t number) const { return fmt::format("{}", number); }
    std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(float number) const { return fmt::format("{}", number); }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::string_view text) const { return in_quotes(text); }
    std::string operator()(const GgufArray& array) const {
      return fmt::format("an array of {}", array.count);
    }
  };
  return std::visit(Describe{}, value);
}

void check_version(const std::filesystem::path& path, std::uint32_t version) {
  if (version == 2 || version == 3) return;
  // A big-endian file's small number reads as a large one.
  const bool swapped = version != 0 && (version & 0xFFFFU) == 0;
  throw InputError(
      fmt::format("{}: GGUF version {} {}; supported: 2 and 3, little-endian; convert the file",
                  path.string(), swapped ? version >> 24U : version,
                  swapped ? "in big-endian order is not supported" : "is not supported"));
}

// One tensor's entry. Its place in the data is checked later, when the data's begin is known.
StoredTensor read_tensor(GgufCursor& cursor, const std::filesystem::path& path) {
  StoredTensor tensor;
  tensor.name = cursor.text("the name of a tensor");
  const std::string what = fmt::format("tensor {}", in_quotes(tensor.name));
  const auto sizes = cursor.number<std::uint32_t>(what);
  if (sizes == 0 || sizes > most_sizes) {
    cursor.fail(fmt::format("{} has {} sizes, not 1 to {}", what, sizes, most_sizes));
  }
  for (std::uint32_t i = 0; i < sizes; ++i) {
    const auto size = cursor.number<std::uint64_t>(what);
    if (size == 0 || size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      cursor.fail(fmt::format("{} has {} as a size", what, size));
    }
    tensor.shape.insert(tensor.shape.begin(), static_cast<std::int64_t>(size));
  }
  const auto id = cursor.number<std::uint32_t>(what);
  const auto* const type = std::ranges::find(tensor_types, id, &TensorType::id);
  if (type == tensor_types.end()) {
    throw InputError(
        fmt::format("{}: {}: type {} is not supported; supported: {}; convert the "
                    "file to one of these",
                    path.string(), what, text_of_type(id), supported_types()));
  }
  tensor.dtype = type->dtype;
  tensor.file_offset = cursor.number<std::uint64_t>(what);
  return tensor;
}

// Turns a tensor's offset in the data into its bytes.
void place(StoredTensor& tensor, GgufCursor& cursor, std::span<const std::byte> file,
           std::uint64_t data_begin, std::uint64_t alignment) {
  const std::string what = fmt::format("tensor {}", in_quotes(tensor.name));
  const auto needed = bytes_of(tensor.dtype, tensor.shape);
  if (!needed) {
    cursor.fail(fmt::format(
        "{}: {} {} is not a shape that can be stored: blocks of {} divide "
        "rows, and the bytes fit 63 bits",
        what, name_of(tensor.dtype), tensor.shape_text(), block_elements(tensor.dtype)));
  }
  if (tensor.file_offset % alignment != 0) {
    cursor.fail(fmt::format("{}: its offset {} is not a multiple of the alignment {}", what,
                            tensor.file_offset, alignment));
  }
  const std::uint64_t available = file.size() > data_begin ? file.size() - data_begin : 0;
  if (tensor.file_offset > available || *needed > available - tensor.file_offset) {
    cursor.fail(
        fmt::format("{}: {} {} at offset {} needs {} bytes, but the data, from byte {}, "
                    "has {}",
                    what, name_of(tensor.dtype), tensor.shape_text(), tensor.file_offset, *needed,
                    data_begin, available));
  }
  tensor.file_offset += data_begin;
  tensor.bytes = file.subspan(tensor.file_offset, *needed);
}

void check_overlaps(const std::vector<StoredTensor>& tensors, const GgufCursor& cursor) {
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i].file_offset >= tensors[i - 1].file_offset + tensors[i - 1].bytes.size())
      continue;
    cursor.fail(fmt::format("the data of tensor {} overlaps that of {}", in_quotes(tensors[i].name),
                            in_quotes(tensors[i - 1].name)));
  }
}

}  // namespace

bool GgufFile::is_one(const std::filesystem::path& path) noexcept {
  try {
    return MappedFile(path).text().starts_with(magic);
  } catch (const std::exception&) {
    return false;
  }
}

GgufFile::GgufFile(const std::filesystem::path& path)
    : path_(path), file_(std::make_shared<const MappedFile>(path)) {
  if (!file_->text().starts_with(magic)) {
    throw InputError(
        fmt::format("{}: is not a GGUF file, which begins with \"GGUF\"", path.string()));
  }
  GgufCursor cursor(path_, file_->bytes());
  cursor.number<std::uint32_t>("the magic");
  check_version(path, cursor.number<std::uint32_t>("the version"));
  const auto tensors = cursor.number<std::uint64_t>("the number of tensors");
  const auto entries = cursor.number<std::uint64_t>("the number of metadata entries");
  cursor.require(entries, smallest_entry, "the number of metadata entries");
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::string_view key = cursor.text("a metadata key");
    const GgufValue value = cursor.value(fmt::format("metadata {}", in_quotes(key)));
    if (!metadata_.emplace(key, value).second) {
      cursor.fail(fmt::format("metadata {} is given twice", in_quotes(key)));
    }
  }
  cursor.require(tensors, smallest_tensor, "the number of tensors");
  for (std::uint64_t i = 0; i < tensors; ++i) tensors_.push_back(read_tensor(cursor, path));

  const auto alignment = static_cast<std::uint64_t>(
      integer(alignment_key).value_or(static_cast<std::int64_t>(default_alignment)));
  if (!std::has_single_bit(alignment) || alignment > std::numeric_limits<std::uint32_t>::max()) {
    refuse(alignment_key, "a power of two below 2^32");
  }
  const std::uint64_t data_begin = (cursor.position() + alignment - 1) / alignment * alignment;
  for (StoredTensor& tensor : tensors_) {
    place(tensor, cursor, file_->bytes(), data_begin, alignment);
  }
  std::ranges::stable_sort(tensors_, {}, &StoredTensor::file_offset);
  check_overlaps(tensors_, cursor);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (by_name_.emplace(tensors_[i].name, i).second) continue;
    cursor.fail(fmt::format("tensor {} is there twice", in_quotes(tensors_[i].name)));
  }
}

const StoredTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

void GgufFile::refuse(std::string_view key, std::string_view expected) const {
  const GgufValue* const value = find(key);
  throw InputError(fmt::format("{}: metadata {}: expected {}, got {}", path_.string(),
                               in_quotes(key), expected,
                               value == nullptr ? "nothing" : described(*value)));
}

void GgufFile::missing(std::string_view key) const {
  throw InputError(fmt::format("{}: metadata {} is missing; convert the model again",
                               path_.string(), in_quotes(key)));
}

std::optional<std::int64_t> GgufFile::integer(std::string_view key) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = std::get_if<std::int64_t>(value)) return *number;
  const auto* const number = std::get_if<std::uint64_t>(value);
  if (number == nullptr || !std::in_range<std::int64_t>(*number)) refuse(key, "an integer");
  return static_cast<std::int64_t>(*number);
}

std::optional<std::int64_t> GgufFile::count(std::string_view key) const {
  const GgufValue* const value = find(key);
  if (value == nullptr || !std::holds_alternative<GgufArray>(*value)) return integer(key);
  const std::vector<double> counts = *numbers(key);
  const bool differ = std::ranges::adjacent_find(counts, std::not_equal_to<>()) != counts.end();
  if (counts.empty() || differ || !(counts.front() >= 0.0 && counts.front() < 0x1p31)) {
    refuse(key, "one count, or the same for every block");
  }
  return static_cast<std::int64_t>(counts.front());
}

std::optional<double> GgufFile::number(std::string_view key) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* single = std::get_if<float>(value); single != nullptr && std::isfinite(*single)) {
    // The number that was meant: 1e-6, not 9.999999974752427e-07; the same float.
    return std::stod(fmt::format("{}", *single));
  }
  const auto* const precise = std::get_if<double>(value);
  if (precise != nullptr && std::isfinite(*precise)) return *precise;
  if (const auto* number = std::get_if<std::uint64_t>(value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<std::int64_t>(value)) return static_cast<double>(*number);
  refuse(key, "a finite number");
}

std::optional<bool> GgufFile::boolean(std::string_view key) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* const flag = std::get_if<bool>(value);
  if (flag == nullptr) refuse(key, "true or false");
  return *flag;
}

std::optional<std::string_view> GgufFile::text(std::string_view key) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* const text = std::get_if<std::string_view>(value);
  if (text == nullptr) refuse(key, "text");
  return *text;
}

std::optional<std::vector<std::string_view>> GgufFile::texts(std::string_view key) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* const array = std::get_if<GgufArray>(value);
  if (array == nullptr || array->type != GgufType::text) refuse(key, "an array of texts");
  std::vector<std::string_view> texts;
  texts.reserve(array->count);
  GgufCursor cursor(path_, array->bytes);
  for (std::uint64_t i = 0; i < array->count; ++i) texts.push_back(cursor.text(key));
  return texts;
}

std::optional<std::vector<double>> GgufFile::numbers(std::string_view key) const {
  const GgufValue* const value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* const array = std::get_if<GgufArray>(value);
  if (array == nullptr) refuse(key, "an array of numbers");
  std::vector<double> numbers;
  numbers.reserve(array->count);
  GgufCursor cursor(path_, array->bytes);
  for (std::uint64_t i = 0; i < array->count; ++i) {
    const GgufValue element = cursor.value_of(array->type, key);
    if (const auto* single = std::get_if<float>(&element)) {
      numbers.push_back(*single);
    } else if (const auto* number = std::get_if<double>(&element)) {
      numbers.push_back(*number);
    } else if (const auto* count = std::get_if<std::uint64_t>(&element)) {
      numbers.push_back(static_cast<double>(*count));
    } else if (const auto* integer = std::get_if<std::int64_t>(&element)) {
      numbers.push_back(static_cast<double>(*integer));
    } else {
      refuse(key, "an array of numbers");
    }
  }
  return numbers;
}

}  // namespace evenkeel
