#include "io/text_pattern.h"

#include <optional>
#include <string>

#include "io/errors.h"
#include "io/oniguruma.h"

namespace evenkeel {
namespace {

// `text` as an expression that matches just it.
std::string escaped(std::string_view text) {
  constexpr std::string_view special = R"(\^$.[]|()?*+{}#-)";
  std::string pattern;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

}  // namespace

bool segments_by(const Regex& regex, std::string_view text, const SegmentSink& sink) {
  RegexScanner scanner(regex, text);
  std::size_t done = 0;
  bool any = false;
  while (const std::optional<RegexMatch> match = scanner.next()) {
    // An empty match where the last one ended is none to Oniguruma.
    if (any && match->begin == match->end && match->begin == done) continue;
    if (done < match->begin && !sink({done, match->begin, false})) return false;
    if (!sink({match->begin, match->end, true})) return false;
    done = match->end;
    any = true;
  }
  return done == text.size() || sink({done, text.size(), false});
}

Regex pattern_of(const ComponentSettings& settings) {
  const std::string where = settings.path().string() + ".pattern";
  if (settings.has("pattern.Regex")) {
    return Regex(from_oniguruma(settings.text("pattern.Regex"), where), where);
  }
  if (settings.has("pattern.String")) {
    return Regex(escaped(settings.text("pattern.String")), where);
  }
  throw InputError(fmt::format(R"({}: expected {{"String": "x"}} or {{"Regex": "x"}})", where));
}

}  // namespace evenkeel
