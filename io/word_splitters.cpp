#include "io/word_splitters.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "io/split_behavior.h"
#include "io/unicode.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

// By PCRE2's Unicode (14 in release 10.42), where the library's is newer: scripts and letters
// added since count as neither letters nor digits.
class RegexSplitter : public PreTokenizer {
 public:
  RegexSplitter(Regex regex, bool invert, SplitBehavior behavior)
      : regex_(std::move(regex)), invert_(invert), behavior_(behavior) {}

  bool split(const Word& text, const WordSink& sink) const override {
    return split_by(regex_, invert_, behavior_, text, sink);
  }

 private:
  Regex regex_;
  bool invert_;
  SplitBehavior behavior_;
};

class CharacterSplitter : public PreTokenizer {
 public:
  CharacterSplitter(bool (*matches)(char32_t character), SplitBehavior behavior)
      : matches_(matches), behavior_(behavior) {}

  bool split(const Word& text, const WordSink& sink) const override {
    return split_by(matches_, behavior_, text, sink);
  }

 private:
  bool (*matches_)(char32_t character);
  SplitBehavior behavior_;
};

// Words end at white space, which goes, and at punctuation, each of which is a word of its own.
class BertSplitter : public PreTokenizer {
 public:
  BertSplitter() {
    for (std::size_t byte = 0; byte < ascii_.size(); ++byte) {
      ascii_.at(byte) = of_character(static_cast<char32_t>(byte));
    }
  }

  bool split(const Word& text, const WordSink& sink) const override {
    const auto give = [&](std::size_t begin, std::size_t end) {
      return begin == end || sink(text.part(begin, end));
    };
    std::size_t done = 0;
    for (std::size_t i = 0, end = 0; i < text.text.size(); i = end) {
      end = i + utf8_size(text.text[i]);
      const Kind kind = kind_at(text.text, i);
      if (kind == Kind::of_word) continue;
      if (!give(done, i)) return false;
      if (kind == Kind::punctuation && !give(i, end)) return false;
      done = end;
    }
    return give(done, text.text.size());
  }

 private:
  enum class Kind : std::uint8_t { of_word, white_space, punctuation };

  static Kind of_character(char32_t character) {
    if (is_white_space(character)) return Kind::white_space;
    return is_punctuation(character) ? Kind::punctuation : Kind::of_word;
  }
  Kind kind_at(std::string_view text, std::size_t offset) const {
    return is_ascii(text[offset]) ? ascii_[static_cast<unsigned char>(text[offset])]
                                  : of_character(utf8_at(text, offset));
  }

  std::array<Kind, 128> ascii_;
};

using Made = std::unique_ptr<const PreTokenizer>;

}  // namespace

Made make_split(const ComponentSettings& settings) {
  return std::make_unique<const RegexSplitter>(pattern_of(settings), settings.boolean("invert"),
                                               split_behavior_of(settings));
}

Made make_digits(const ComponentSettings& settings) {
  return std::make_unique<const CharacterSplitter>(is_number, settings.boolean("individual_digits")
                                                                  ? SplitBehavior::isolated
                                                                  : SplitBehavior::contiguous);
}

Made make_punctuation(const ComponentSettings& settings) {
  return std::make_unique<const CharacterSplitter>(
      is_punctuation, split_behavior_of(settings, SplitBehavior::isolated));
}

Made make_whitespace(const ComponentSettings& settings) {
  return std::make_unique<const RegexSplitter>(
      Regex(fmt::format(R"([{0}]+|[^{0}\p{{White_Space}}]+)", word_characters),
            settings.path().string()),
      true, SplitBehavior::removed);
}

Made make_whitespace_split(const ComponentSettings& /*settings*/) {
  return std::make_unique<const CharacterSplitter>(is_white_space, SplitBehavior::removed);
}

Made make_bert_splitter(const ComponentSettings& /*settings*/) {
  return std::make_unique<const BertSplitter>();
}

}  // namespace evenkeel
