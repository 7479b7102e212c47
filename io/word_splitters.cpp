#include "io/word_splitters.h"

#include <functional>
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

class BertSplitter : public PreTokenizer {
 public:
  bool split(const Word& text, const WordSink& sink) const override {
    const WordSink split_off_punctuation = [&sink](const Word& word) {
      return split_by(is_punctuation, SplitBehavior::isolated, word, sink);
    };
    return split_by(is_white_space, SplitBehavior::removed, text, split_off_punctuation);
  }
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
