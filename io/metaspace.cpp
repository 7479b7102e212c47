#include "io/metaspace.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "io/errors.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

enum class PrependScheme { first, never, always };

PrependScheme scheme_of(const ComponentSettings& settings) {
  const std::string given = settings.text("prepend_scheme", "always");
  if (!settings.boolean("add_prefix_space", true) && given != "never") {
    throw InputError(
        fmt::format("{}: 'add_prefix_space' is false but 'prepend_scheme' is {}; "
                    "make it \"never\"",
                    settings.path().string(), in_quotes(given)));
  }
  if (given == "always") return PrependScheme::always;
  if (given == "first") return PrependScheme::first;
  if (given == "never") return PrependScheme::never;
  throw InputError(
      fmt::format("{}: 'prepend_scheme': {} is not known; expected one of always, "
                  "first, never",
                  settings.path().string(), in_quotes(given)));
}

std::string replacement_of(const ComponentSettings& settings) {
  std::string replacement = settings.text("replacement");
  if (replacement.empty() || utf8_size(replacement.front()) != replacement.size()) {
    throw InputError(fmt::format("{}: 'replacement': expected one character, got {}",
                                 settings.path().string(), in_quotes(replacement)));
  }
  return replacement;
}

class Metaspace : public PreTokenizer {
 public:
  explicit Metaspace(const ComponentSettings& settings)
      : replacement_(replacement_of(settings)),
        scheme_(scheme_of(settings)),
        split_(settings.boolean("split", true)) {}

  bool split(const Word& text, const WordSink& sink) const override {
    const std::string written = rewritten(text);
    const Word whole{written, text.opens};
    return split_ ? split_words(whole, sink) : sink(whole);
  }

 private:
  std::string rewritten(const Word& text) const {
    std::string written;
    written.reserve(text.text.size() * 2);
    const bool begins = text.text.starts_with(replacement_) || text.text.starts_with(' ');
    const bool wanted =
        scheme_ == PrependScheme::always || (scheme_ == PrependScheme::first && text.opens);
    if (wanted && !begins) written += replacement_;
    for (const char c : text.text) {
      if (c == ' ') {
        written += replacement_;
      } else {
        written += c;
      }
    }
    return written;
  }

  bool split_words(const Word& text, const WordSink& sink) const {
    for (std::size_t begin = 0; begin < text.text.size();) {
      // A word has at most one of them, at its beginning.
      const std::size_t first =
          text.text.substr(begin).starts_with(replacement_) ? begin + replacement_.size() : begin;
      const std::size_t end = std::min(text.text.find(replacement_, first), text.text.size());
      if (!sink(text.part(begin, end))) return false;
      begin = end;
    }
    return true;
  }

  std::string replacement_;
  PrependScheme scheme_;
  bool split_;
};

}  // namespace

std::unique_ptr<const PreTokenizer> make_metaspace(const ComponentSettings& settings) {
  return std::make_unique<const Metaspace>(settings);
}

}  // namespace evenkeel
