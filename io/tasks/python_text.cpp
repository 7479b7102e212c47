#include "io/tasks/python_text.h"

#include <unicode/locid.h>
#include <unicode/unistr.h>

#include "io/unicode.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

// What str.isspace() says of a character.
bool is_python_space(char32_t character) {
  return is_white_space(character) || (character >= 0x1C && character <= 0x1F);
}

icu::UnicodeString utf16(std::string_view text) {
  return icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
}

std::string utf8(const icu::UnicodeString& text) {
  std::string bytes;
  return text.toUTF8String(bytes);
}

}  // namespace

std::string_view right_stripped(std::string_view text) {
  while (!text.empty()) {
    const std::size_t last = utf8_before(text, text.size());
    if (!is_python_space(utf8_at(text, last))) break;
    text = text.substr(0, last);
  }
  return text;
}

std::string_view stripped(std::string_view text) {
  text = right_stripped(text);
  while (!text.empty() && is_python_space(utf8_at(text, 0))) {
    text.remove_prefix(utf8_size(text.front()));
  }
  return text;
}

std::string capitalized(std::string_view text) {
  if (text.empty()) return {};
  const icu::Locale& root = icu::Locale::getRoot();
  const std::string_view first = text.substr(0, utf8_size(text.front()));
  // Lowered as a whole, since whether a sigma is final depends on what is before it.
  const icu::UnicodeString lower = utf16(text).toLower(root);
  const icu::UnicodeString lower_first = utf16(first).toLower(root);
  return utf8(utf16(first).toTitle(nullptr, root)) +
         utf8(lower.tempSubString(lower_first.length()));
}

std::string with_first_lowered(std::string_view text) {
  if (text.empty()) return {};
  const std::size_t first = utf8_size(text.front());
  return lower_case(text.substr(0, first)) + std::string(text.substr(first));
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  std::size_t begin = 0;
  for (std::size_t found = text.find(from); found != std::string_view::npos;
       found = text.find(from, begin)) {
    result += text.substr(begin, found - begin);
    result += to;
    begin = found + from.size();
  }
  return result += text.substr(begin);
}

std::size_t character_count(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); i += utf8_size(text[i])) ++count;
  return count;
}

}  // namespace evenkeel
