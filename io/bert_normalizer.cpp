#include "io/bert_normalizer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "io/unicode.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

// The published code's list, with the slips of the `tokenizers` library: what lies between two of
// its blocks counts (2B740), and the first hundred of extension E do not (2B820 to 2B91F).
bool is_ideograph(char32_t character) {
  struct Block {
    char32_t first;
    char32_t last;
  };
  static constexpr std::array blocks = {
      Block{0x3400, 0x4DBF},   Block{0x4E00, 0x9FFF},   Block{0xF900, 0xFAFF},
      Block{0x20000, 0x2A6DF}, Block{0x2A700, 0x2B81F}, Block{0x2B920, 0x2CEAF},
      Block{0x2F800, 0x2FA1F},
  };
  for (const Block& block : blocks) {
    if (character >= block.first && character <= block.last) return true;
  }
  return false;
}

std::string cleaned(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); i += utf8_size(text[i])) {
    const char32_t character = utf8_at(text, i);
    const bool blank = character == '\t' || character == '\n' || character == '\r';
    if (!blank && (character == 0xFFFD || is_control(character))) continue;
    append_utf8(result, is_white_space(character) ? U' ' : character);
  }
  return result;
}

std::string with_ideographs_apart(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); i += utf8_size(text[i])) {
    const std::string_view character = text.substr(i, utf8_size(text[i]));
    const bool apart = is_ideograph(utf8_at(text, i));
    if (apart) result += ' ';
    result += character;
    if (apart) result += ' ';
  }
  return result;
}

class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const ComponentSettings& settings)
      : clean_text_(settings.boolean("clean_text")),
        ideographs_apart_(settings.boolean("handle_chinese_chars")),
        lowercase_(settings.boolean("lowercase")),
        strip_accents_(settings.boolean("strip_accents", lowercase_)),
        ascii_(ascii_table()) {}

  std::string normalized(std::string_view text) const override {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
      if (is_ascii(text[i])) {
        const std::int8_t became = ascii_[static_cast<unsigned char>(text[i++])];
        if (became != gone) result += static_cast<char>(became);
      } else {
        const std::size_t end = end_of_stretch(text, i);
        result += normalized_stretch(text.substr(i, end - i));
        i = end;
      }
    }
    return result;
  }

 private:
  static constexpr std::int8_t gone = -1;

  std::array<std::int8_t, 128> ascii_table() const {
    std::array<std::int8_t, 128> table{};
    for (std::size_t byte = 0; byte < table.size(); ++byte) {
      const char character = static_cast<char>(byte);
      const std::string became = normalized_stretch({&character, 1});
      table.at(byte) = became.empty() ? gone : static_cast<std::int8_t>(became.front());
    }
    return table;
  }

  // Where a text that begins beyond ASCII at `begin` can be cut: before ASCII that stays, as no
  // character is composed with it or changes place with it. Only a run of ASCII is worth the cut.
  std::size_t end_of_stretch(std::string_view text, std::size_t begin) const {
    constexpr std::size_t worth_a_cut = 16;
    std::size_t run = 0;
    std::size_t cut = text.size();
    for (std::size_t i = begin; i < text.size(); ++i) {
      if (!is_ascii(text[i])) {
        run = 0;
      } else if (ascii_[static_cast<unsigned char>(text[i])] != gone) {
        if (run++ == 0) cut = i;
        if (run == worth_a_cut) return cut;
      }
    }
    return text.size();
  }

  std::string normalized_stretch(std::string_view text) const {
    std::string result(text);
    if (clean_text_) result = cleaned(result);
    if (ideographs_apart_) result = with_ideographs_apart(result);
    if (strip_accents_) {
      result = without(is_nonspacing_mark, normalization_form(result, NormalizationForm::nfd));
    }
    return lowercase_ ? lower_case(result) : result;
  }

  bool clean_text_;
  bool ideographs_apart_;
  bool lowercase_;
  bool strip_accents_;
  std::array<std::int8_t, 128> ascii_;  // what each character becomes
};

}  // namespace

std::unique_ptr<const Normalizer> make_bert_normalizer(const ComponentSettings& settings) {
  return std::make_unique<const BertNormalizer>(settings);
}

}  // namespace evenkeel
