#include "io/byte_level_splitter.h"

#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "io/regex.h"

namespace evenkeel {
namespace {

// The expression of GPT-2 (Radford et al. 2019, encoder.py). White space is spelt as the property:
// PCRE2's \s has one character more than that of the engine that made the vocabularies.
constexpr std::string_view gpt2_words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+)"
    R"(|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+)";

class ByteLevel : public PreTokenizer {
 public:
  explicit ByteLevel(const ComponentSettings& settings)
      : add_prefix_space_(settings.boolean("add_prefix_space")) {
    if (settings.boolean("use_regex", true)) words_.emplace(gpt2_words, settings.path().string());
  }

  bool split(const Word& text, const WordSink& sink) const override {
    if (!add_prefix_space_ || text.text.front() == ' ') return split_words(text, sink);
    return split_words({fmt::format(" {}", text.text), text.opens}, sink);
  }

  WordBytes word_bytes() const override { return WordBytes::byte_level; }

 private:
  bool split_words(const Word& text, const WordSink& sink) const {
    if (!words_) return sink(text);
    // Every character belongs to a match, so there is nothing between two of them.
    RegexScanner scanner(*words_, text.text);
    while (const std::optional<RegexMatch> match = scanner.next()) {
      if (!sink(text.part(match->begin, match->end))) return false;
    }
    return true;
  }

  bool add_prefix_space_;
  std::optional<Regex> words_;
};

}  // namespace

std::unique_ptr<const PreTokenizer> make_byte_level_splitter(const ComponentSettings& settings) {
  return std::make_unique<const ByteLevel>(settings);
}

}  // namespace evenkeel
