#include "io/pretokenizer.h"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/regex.h"

namespace evenkeel {
namespace {

// The expression of GPT-2 (Radford et al. 2019, encoder.py). White space is spelt as the property:
// PCRE2's \s has one character more than that of the engine that made the vocabularies.
constexpr std::string_view gpt2_words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+)"
    R"(|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+)";

// Words that are bytes, split by the GPT-2 expression unless `use_regex` is false, each text with
// a space before it when `add_prefix_space`.
class ByteLevel : public PreTokenizer {
 public:
  explicit ByteLevel(const ComponentSettings& settings)
      : add_prefix_space_(settings.boolean("add_prefix_space", true)) {
    if (!settings.has("add_prefix_space")) {
      throw InputError(fmt::format("{}: 'add_prefix_space' is missing: expected true or false",
                                   settings.path().string()));
    }
    if (settings.boolean("use_regex", true)) words_.emplace(gpt2_words, settings.path().string());
  }

  bool split(std::string_view text, const WordSink& sink) const override {
    if (!add_prefix_space_ || text.front() == ' ') return split_words(text, sink);
    return split_words(fmt::format(" {}", text), sink);
  }

  WordBytes word_bytes() const override { return WordBytes::byte_level; }

 private:
  bool split_words(std::string_view text, const WordSink& sink) const {
    if (!words_) return sink(text);
    // Every character belongs to a match, so there is nothing between two of them.
    RegexScanner scanner(*words_, text);
    while (const std::optional<RegexMatch> match = scanner.next()) {
      if (!sink(text.substr(match->begin, match->end - match->begin))) return false;
    }
    return true;
  }

  bool add_prefix_space_;
  std::optional<Regex> words_;
};

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
    for (const ComponentSettings& step : list) {
      if (word_bytes() != WordBytes::text) {
        throw InputError(
            fmt::format("{}: a step after ByteLevel is not supported", step.path().string()));
      }
      steps_.push_back(make_pretokenizer(step));
    }
  }

  bool split(std::string_view text, const WordSink& sink) const override {
    return run(0, text, sink);
  }

  WordBytes word_bytes() const override {
    return steps_.empty() ? WordBytes::text : steps_.back()->word_bytes();
  }

 private:
  bool run(std::size_t step, std::string_view text, const WordSink& sink) const {
    if (step == steps_.size()) return sink(text);
    const auto next = [&](std::string_view word) { return run(step + 1, word, sink); };
    return steps_[step]->split(text, std::cref(next));
  }

  std::vector<std::unique_ptr<const PreTokenizer>> steps_;
};

template <class Type>
std::unique_ptr<const PreTokenizer> make(const ComponentSettings& settings) {
  return std::make_unique<const Type>(settings);
}

using Type = ComponentType<PreTokenizer>;
constexpr std::array types = {Type{"ByteLevel", make<ByteLevel>}, Type{"Sequence", make<Sequence>}};

}  // namespace

std::unique_ptr<const PreTokenizer> make_pretokenizer(const ComponentSettings& settings) {
  return make_component(settings, settings.text("type"), std::span<const Type>(types));
}

}  // namespace evenkeel
