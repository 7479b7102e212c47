#include "io/unicode.h"

#include <array>
#include <cstdint>
#include <stdexcept>

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>

#include "io/errors.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

constexpr std::uint8_t bert_version = 8;
constexpr std::uint8_t normalization_version = 9;
constexpr char32_t sharada_sandhi_mark = 0x111C9;  // punctuation until Unicode 11

bool in_version(char32_t character, std::uint8_t version) {
  UVersionInfo age{};
  u_charAge(static_cast<UChar32>(character), age);
  return age[0] != 0 && age[0] <= version;
}

bool has_category(char32_t character, std::uint32_t categories) {
  return (U_GET_GC_MASK(static_cast<UChar32>(character)) & categories) != 0;
}

bool is_ascii_symbol(char32_t character) {
  return (character >= 0x21 && character <= 0x2F) || (character >= 0x3A && character <= 0x40) ||
         (character >= 0x5B && character <= 0x60) || (character >= 0x7B && character <= 0x7E);
}

// ICU's own data are never missing; a failure means that it is not installed as it should be.
void check(UErrorCode status) {
  if (U_FAILURE(status)) throw std::runtime_error(std::string("ICU: ") + u_errorName(status));
}

const icu::Normalizer2& newest(NormalizationForm form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = nullptr;
  switch (form) {
    case NormalizationForm::nfc:
      normalizer = icu::Normalizer2::getNFCInstance(status);
      break;
    case NormalizationForm::nfd:
      normalizer = icu::Normalizer2::getNFDInstance(status);
      break;
    case NormalizationForm::nfkc:
      normalizer = icu::Normalizer2::getNFKCInstance(status);
      break;
    case NormalizationForm::nfkd:
      normalizer = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  check(status);
  return *normalizer;
}

// Characters assigned later stay as they are.
const icu::UnicodeSet& normalized_characters() {
  static const icu::UnicodeSet characters = [] {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeSet set(icu::UnicodeString("[:age=9.0:]"), status);
    check(status);
    set.freeze();
    return set;
  }();
  return characters;
}

std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return plain;
}

}  // namespace

bool is_punctuation(char32_t character) {
  if (character < 0x80) return is_ascii_symbol(character);
  // These two were punctuation in Unicode 8, and are not now.
  if (character == 0x166D || character == sharada_sandhi_mark) return true;
  return has_category(character, U_GC_P_MASK) && in_version(character, bert_version);
}

bool is_control(char32_t character) {
  return has_category(character, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK) &&
         in_version(character, bert_version);
}

bool is_nonspacing_mark(char32_t character) {
  if (character < 0x300) return false;
  if (character == 0x1734) return true;  // it was in Unicode 8; these four were not
  if (character == 0x1885 || character == 0x1886 || character == 0xA9BD) return false;
  if (character == sharada_sandhi_mark) return false;
  return has_category(character, U_GC_MN_MASK) && in_version(character, bert_version);
}

bool is_mark(char32_t character) {
  if (character < 0x300) return false;
  // In Unicode 9 the first two were marks and the third was none.
  if (character == 0x1CF2 || character == 0x1CF3) return true;
  if (character == sharada_sandhi_mark) return false;
  return has_category(character, U_GC_M_MASK) && in_version(character, normalization_version);
}

bool is_number(char32_t character) { return has_category(character, U_GC_N_MASK); }

std::string without(bool (*matches)(char32_t character), std::string_view text) {
  std::string rest;
  rest.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); i += utf8_size(text[i])) {
    if (!matches(utf8_at(text, i))) rest += text.substr(i, utf8_size(text[i]));
  }
  return rest;
}

std::string lower_case(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); i += utf8_size(text[i])) {
    const char32_t character = utf8_at(text, i);
    append_utf8(lower, static_cast<char32_t>(u_tolower(static_cast<UChar32>(character))));
    // The one character whose lower case is two (Unicode's SpecialCasing.txt).
    if (character == 0x130) append_utf8(lower, 0x307);
  }
  return lower;
}

std::string normalization_form(std::string_view text, NormalizationForm form) {
  constexpr std::size_t most_bytes = std::size_t{1} << 30U;
  if (text.size() > most_bytes) {
    throw InputError(
        fmt::format("a stretch of text of {} bytes is too large to normalize; split it "
                    "into texts of at most {}",
                    text.size(), most_bytes));
  }
  const icu::FilteredNormalizer2 normalizer(newest(form), normalized_characters());
  std::string result;
  icu::StringByteSink<std::string> sink(&result, static_cast<std::int32_t>(text.size()));
  UErrorCode status = U_ZERO_ERROR;
  normalizer.normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())),
                           sink, nullptr, status);
  check(status);
  return result;
}

std::optional<std::string> regex_property(std::string_view name) {
  struct Property {
    std::string_view name;
    std::string_view spelling;
  };
  static constexpr std::array binary = {
      Property{"alpha", "Alphabetic"},  Property{"alphabetic", "Alphabetic"},
      Property{"lower", "Lowercase"},   Property{"lowercase", "Lowercase"},
      Property{"upper", "Uppercase"},   Property{"uppercase", "Uppercase"},
      Property{"space", "White_Space"}, Property{"whitespace", "White_Space"},
      Property{"emoji", "Emoji"},       Property{"ideographic", "Ideographic"},
      Property{"any", "Any"},           Property{"digit", "Nd"},
  };
  const std::string plain = plain_name(name);
  for (const Property& property : binary) {
    if (property.name == plain) return std::string(property.spelling);
  }
  const std::int32_t category = u_getPropertyValueEnum(UCHAR_GENERAL_CATEGORY_MASK, plain.c_str());
  if (category != UCHAR_INVALID_CODE) {
    const char* spelling =
        u_getPropertyValueName(UCHAR_GENERAL_CATEGORY_MASK, category, U_SHORT_PROPERTY_NAME);
    if (spelling != nullptr) return std::string(spelling) == "LC" ? "L&" : spelling;
  }
  const std::int32_t script = u_getPropertyValueEnum(UCHAR_SCRIPT, plain.c_str());
  if (script != UCHAR_INVALID_CODE) {
    const char* spelling = u_getPropertyValueName(UCHAR_SCRIPT, script, U_LONG_PROPERTY_NAME);
    if (spelling != nullptr) return std::string("sc:") + spelling;
  }
  return std::nullopt;
}

}  // namespace evenkeel
