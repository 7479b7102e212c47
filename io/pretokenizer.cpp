#include "io/pretokenizer.h"

#include <array>
#include <functional>
#include <vector>

#include <fmt/format.h>

#include "io/byte_level.h"
#include "io/byte_level_splitter.h"
#include "io/errors.h"
#include "io/metaspace.h"
#include "io/word_splitters.h"

namespace evenkeel {
namespace {

// Several pre-tokenizers, each splitting the words of the one before.
class Sequence : public PreTokenizer {
 public:
  explicit Sequence(const ComponentSettings& settings) {
    // A word is handed on by one call inside another; files in use have four steps at most.
    constexpr std::size_t most_steps = 64;
    const std::vector<ComponentSettings> list = component_list(settings, "pretokenizers");
    if (list.size() > most_steps) {
      throw InputError(fmt::format("{}: {} steps are too many; at most {} are supported",
                                   settings.path().string(), list.size(), most_steps));
    }
    for (const ComponentSettings& step : list) steps_.push_back(make_pretokenizer(step));
  }

  bool split(const Word& text, const WordSink& sink) const override { return run(0, text, sink); }

  WordBytes word_bytes() const override {
    return steps_.empty() ? WordBytes::text : steps_.back()->word_bytes();
  }

 private:
  bool run(std::size_t step, const Word& text, const WordSink& sink) const {
    if (step == steps_.size()) return sink(text);
    const bool last = step + 1 == steps_.size();
    const bool spells = !last && steps_[step]->word_bytes() == WordBytes::byte_level;
    const auto next = [&](const Word& word) {
      if (!spells) return run(step + 1, word, sink);
      // To the steps after it, a byte-level step's words are text in the byte-level alphabet.
      return run(step + 1, {to_byte_level(word.text), word.opens}, sink);
    };
    return steps_[step]->split(text, std::cref(next));
  }

  std::vector<std::unique_ptr<const PreTokenizer>> steps_;
};

std::unique_ptr<const PreTokenizer> make_sequence(const ComponentSettings& settings) {
  return std::make_unique<const Sequence>(settings);
}

using Type = ComponentType<PreTokenizer>;
constexpr std::array types = {
    Type{"BertPreTokenizer", make_bert_splitter},
    Type{"ByteLevel", make_byte_level_splitter},
    Type{"Digits", make_digits},
    Type{"Metaspace", make_metaspace},
    Type{"Punctuation", make_punctuation},
    Type{"Sequence", make_sequence},
    Type{"Split", make_split},
    Type{"Whitespace", make_whitespace},
    Type{"WhitespaceSplit", make_whitespace_split},
};

}  // namespace

std::unique_ptr<const PreTokenizer> make_pretokenizer(const ComponentSettings& settings) {
  return make_component(settings, settings.text("type"), std::span<const Type>(types));
}

}  // namespace evenkeel
