#include "io/text_lines.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/file.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

void check(const TextLine& line) {
  if (line.text.size() > longest_line) {
    line.refuse(fmt::format("a line of {} bytes is longer than {}; give one text a line",
                            line.text.size(), longest_line));
  }
  if (const auto offset = first_invalid_utf8(line.text)) {
    line.refuse(fmt::format("not valid UTF-8 at byte {} of the line; convert it", *offset));
  }
}

}  // namespace

std::string TextLine::place() const { return fmt::format("{}:{}", file.string(), number); }

void TextLine::refuse(const std::string& message) const {
  throw InputError(fmt::format("{}: {}", place(), message));
}

void for_each_line(const std::filesystem::path& file,
                   const std::function<void(const TextLine& line)>& take) {
  const MappedFile mapped(file);
  const std::string_view bytes = mapped.text();
  std::size_t number = 0;
  std::size_t begin = bytes.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  while (begin < bytes.size()) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    TextLine line{file, ++number, bytes.substr(begin, end - begin), begin};
    begin = end + 1;
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);
    check(line);
    if (line.text.find_first_not_of(" \t") != std::string_view::npos) take(line);
  }
}

}  // namespace evenkeel
