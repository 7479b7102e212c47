#include "io/gguf_cursor.h"

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr int deepest_array = 8;

// Bytes of a value of a fixed size; 0 for texts and arrays.
std::uint64_t size_of(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    case GgufType::text:
    case GgufType::array:
      break;
  }
  return 0;
}

constexpr std::uint64_t length_size = 8;
constexpr std::uint64_t smallest_array = 12;  // its type and its length

}  // namespace

void GgufCursor::fail(std::string_view what) const {
  throw InputError(
      fmt::format("{}: {}, at byte {}; the file is damaged, download or export it again",
                  path_.string(), what, position_));
}

std::span<const std::byte> GgufCursor::take(std::uint64_t size, std::string_view what) {
  if (size > left()) {
    fail(fmt::format("{} needs {} bytes, but {} are left", one_line(what), size, left()));
  }
  const auto taken = bytes_.subspan(position_, size);
  position_ += size;
  return taken;
}

void GgufCursor::require(std::uint64_t count, std::uint64_t size, std::string_view what) const {
  if (count > left() / size) {
    fail(fmt::format("{} says {}, more than the {} bytes left can hold", one_line(what), count,
                     left()));
  }
}

std::string_view GgufCursor::text(std::string_view what) {
  const auto length = number<std::uint64_t>(what);
  const auto bytes = take(length, what);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

GgufType GgufCursor::type(std::string_view what) {
  const auto id = number<std::uint32_t>(what);
  if (id > static_cast<std::uint32_t>(GgufType::f64)) {
    fail(fmt::format("{} has value type {}, which is not one of 0 .. 12", one_line(what), id));
  }
  return static_cast<GgufType>(id);
}

GgufArray GgufCursor::array(std::string_view what, int depth) {
  if (depth > deepest_array) {
    fail(fmt::format("{} nests arrays deeper than {}", one_line(what), deepest_array));
  }
  GgufArray array;
  array.type = type(what);
  array.count = number<std::uint64_t>(what);
  const std::uint64_t begin = position_;
  const std::uint64_t fixed = size_of(array.type);
  if (fixed != 0) {
    require(array.count, fixed, what);
    take(array.count * fixed, what);
  } else {
    const bool texts = array.type == GgufType::text;
    require(array.count, texts ? length_size : smallest_array, what);
    for (std::uint64_t i = 0; i < array.count; ++i) {
      if (texts) {
        text(what);
      } else {
        this->array(what, depth + 1);
      }
    }
  }
  array.bytes = bytes_.subspan(begin, position_ - begin);
  return array;
}

GgufValue GgufCursor::value(std::string_view what) { return value_of(type(what), what); }

GgufValue GgufCursor::value_of(GgufType type, std::string_view what) {
  switch (type) {
    case GgufType::u8:
      return std::uint64_t{number<std::uint8_t>(what)};
    case GgufType::i8:
      return std::int64_t{number<std::int8_t>(what)};
    case GgufType::u16:
      return std::uint64_t{number<std::uint16_t>(what)};
    case GgufType::i16:
      return std::int64_t{number<std::int16_t>(what)};
    case GgufType::u32:
      return std::uint64_t{number<std::uint32_t>(what)};
    case GgufType::i32:
      return std::int64_t{number<std::int32_t>(what)};
    case GgufType::f32:
      return number<float>(what);
    case GgufType::boolean:
      return number<std::uint8_t>(what) != 0;
    case GgufType::text:
      return text(what);
    case GgufType::array:
      return array(what, 1);
    case GgufType::u64:
      return number<std::uint64_t>(what);
    case GgufType::i64:
      return number<std::int64_t>(what);
    case GgufType::f64:
      return number<double>(what);
  }
  fail("a value of no known type");
}

}  // namespace evenkeel
