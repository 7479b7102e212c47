#include "io/bert_normalizer.h"

#include <array>

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
        strip_accents_(settings.boolean("strip_accents", lowercase_)) {}

  std::string normalized(std::string_view text) const override {
    std::string result(text);
    if (clean_text_) result = cleaned(result);
    if (ideographs_apart_) result = with_ideographs_apart(result);
    if (strip_accents_) {
      result = without(is_nonspacing_mark, normalization_form(result, NormalizationForm::nfd));
    }
    return lowercase_ ? lower_case(result) : result;
  }

 private:
  bool clean_text_;
  bool ideographs_apart_;
  bool lowercase_;
  bool strip_accents_;
};

}  // namespace

std::unique_ptr<const Normalizer> make_bert_normalizer(const ComponentSettings& settings) {
  return std::make_unique<const BertNormalizer>(settings);
}

}  // namespace evenkeel
