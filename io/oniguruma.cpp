#include "io/oniguruma.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"
#include "io/unicode.h"

namespace evenkeel {
namespace {

struct Spelling {
  std::string_view theirs;
  std::string_view ours;  // members of a class
};

// The superscripts and fractions of Latin-1 are Oniguruma's own addition.
constexpr std::string_view word_members =
    R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";

constexpr std::array escapes = {
    Spelling{"s", R"(\p{White_Space})"}, Spelling{"d", R"(\p{Nd})"}, Spelling{"w", word_members},
    Spelling{"h", "0-9A-Fa-f"},          Spelling{"v", R"(\x0B)"},
};
constexpr std::array posix_classes = {
    Spelling{"alpha", R"(\p{Alphabetic})"}, Spelling{"alnum", R"(\p{Alphabetic}\p{Nd})"},
    Spelling{"digit", R"(\p{Nd})"},         Spelling{"lower", R"(\p{Lowercase})"},
    Spelling{"upper", R"(\p{Uppercase})"},  Spelling{"space", R"(\p{White_Space})"},
    Spelling{"word", word_members},         Spelling{"punct", R"(\p{P}\p{S})"},
    Spelling{"cntrl", R"(\p{Cc})"},         Spelling{"xdigit", "0-9A-Fa-f"},
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

template <std::size_t N>
std::optional<std::string_view> members_of(const std::array<Spelling, N>& table,
                                           std::string_view name) {
  for (const Spelling& entry : table) {
    if (entry.theirs == name) return entry.ours;
  }
  return std::nullopt;
}

class Translator {
 public:
  Translator(std::string_view pattern, std::string_view where) : pattern_(pattern), where_(where) {}

  std::string run() {
    // ^ and $ are always at lines.
    out_ = "(?m)";
    while (at_ < pattern_.size()) step();
    if (in_class_) refuse("a class without its ]");
    return out_;
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw InputError(fmt::format("{}: regular expression {}: {} at byte {} is not supported",
                                 where_, in_quotes(pattern_), what, at_));
  }
  bool next_is(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  void copy(std::size_t bytes) {
    out_ += pattern_.substr(at_, bytes);
    at_ += bytes;
  }

  void step() {
    const char c = pattern_[at_];
    if (c == '\\') return escape();
    if (in_class_) return class_member();
    if (c == '[') return open_class();
    if (c == '(') return open_group();
    if (c == '{') return interval();
    copy(1);
  }

  void open_class() {
    in_class_ = true;
    copy(1);
    if (next_is("^")) copy(1);
    if (next_is("]")) refuse("an empty class");
  }

  void class_member() {
    if (next_is("[:")) return posix_class();
    if (next_is("[")) refuse("a set within a set");
    if (next_is("&&")) refuse("an intersection of sets");
    if (next_is("]")) in_class_ = false;
    copy(1);
  }

  void posix_class() {
    const std::size_t end = pattern_.find(":]", at_);
    if (end == std::string_view::npos) refuse("a set within a set");
    const auto members = members_of(posix_classes, pattern_.substr(at_ + 2, end - at_ - 2));
    if (!members) refuse(in_quotes(pattern_.substr(at_, end + 2 - at_)));
    out_ += *members;
    at_ = end + 2;
  }

  // (?i), (?m:...) and the like; Oniguruma's m is PCRE2's s.
  void open_group() {
    if (next_is("(*")) refuse("a callout");
    copy(1);
    if (!next_is("?")) return;
    copy(1);
    for (; at_ < pattern_.size() && (is_letter(pattern_[at_]) || pattern_[at_] == '-'); ++at_) {
      const char flag = pattern_[at_];
      if (flag != 'i' && flag != 'm' && flag != '-') refuse("this option");
      out_ += flag == 'm' ? 's' : flag;
    }
    constexpr std::string_view kinds = ":=!><#)";
    if (at_ == pattern_.size() || kinds.find(pattern_[at_]) == std::string_view::npos) {
      refuse("this kind of group");
    }
    if (next_is("#")) {
      const std::size_t end = std::min(pattern_.find(')', at_), pattern_.size());
      copy(end - at_);
    } else if (!next_is(")")) {
      copy(1);
    }
  }

  // {n}, {n,}, {n,m}; {,m} is from 0.
  void interval() {
    std::size_t end = at_ + 1;
    while (end < pattern_.size() &&
           (pattern_[end] == ',' || (pattern_[end] >= '0' && pattern_[end] <= '9'))) {
      ++end;
    }
    if (end == at_ + 1 || end == pattern_.size() || pattern_[end] != '}') return copy(1);
    const std::string_view bounds = pattern_.substr(at_ + 1, end - at_ - 1);
    if (bounds == ",") return copy(1);
    const char after = end + 1 < pattern_.size() ? pattern_[end + 1] : '\0';
    if (after == '+' || (after == '?' && bounds.find(',') == bounds.npos)) {
      refuse("a quantifier after a quantifier");
    }
    out_ += fmt::format("{{{}{}}}", bounds.front() == ',' ? "0" : "", bounds);
    at_ = end + 1;
  }

  void escape() {
    if (at_ + 1 == pattern_.size()) refuse("a lone backslash");
    const char c = pattern_[at_ + 1];
    if (!is_letter(c)) return copy(2);  // the rest of a longer character is copied as it comes
    if (c == 'p' || c == 'P') return property(c == 'P');
    if (c == 'u') return code_point();
    const auto members = members_of(escapes, std::string_view(&c, 1));
    if (members) return put_members(*members, false);
    const char lower = to_lower(c);
    const auto excluded = members_of(escapes, std::string_view(&lower, 1));
    if (excluded && c != 'V') return put_members(*excluded, true);
    if (!in_class_ && (c == 'b' || c == 'B')) return word_boundary(c == 'B');
    constexpr std::string_view same_in_class = "rntfaeb";
    constexpr std::string_view same_outside = "rntfaeAzZGRXKN";
    if (c == 'x') return hexadecimal();
    if ((in_class_ ? same_in_class : same_outside).find(c) == std::string_view::npos) {
      refuse(in_quotes(pattern_.substr(at_, 2)));
    }
    copy(2);
  }

  void put_members(std::string_view members, bool excluded) {
    // A property alone can be negated in place; several are a class of their own.
    const bool one_property = members.starts_with("\\p") && members.find('\\', 1) == members.npos;
    if (in_class_ && excluded && !one_property) refuse(in_quotes(pattern_.substr(at_, 2)));
    if (one_property) {
      out_ += fmt::format("\\{}{}", excluded ? 'P' : 'p', members.substr(2));
    } else if (in_class_) {
      out_ += members;
    } else {
      out_ += fmt::format("[{}{}]", excluded ? "^" : "", members);
    }
    at_ += 2;
  }

  void property(bool excluded) {
    if (at_ + 2 >= pattern_.size() || pattern_[at_ + 2] != '{') refuse("a property without {}");
    const std::size_t end = pattern_.find('}', at_);
    if (end == std::string_view::npos) refuse("a property without its }");
    std::string_view name = pattern_.substr(at_ + 3, end - at_ - 3);
    if (name.starts_with('^')) {
      excluded = !excluded;
      name.remove_prefix(1);
    }
    const std::optional<std::string> spelling = regex_property(name);
    if (!spelling) refuse(fmt::format("the property {}", in_quotes(name)));
    out_ += fmt::format("\\{}{{{}}}", excluded ? 'P' : 'p', *spelling);
    at_ = end + 1;
  }

  std::size_t hex_digits(std::size_t from, std::size_t most) const {
    std::size_t digits = 0;
    while (digits < most && from + digits < pattern_.size()) {
      const char c = to_lower(pattern_[from + digits]);
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) break;
      ++digits;
    }
    return digits;
  }

  void code_point() {  // \u0041
    if (hex_digits(at_ + 2, 4) != 4) refuse("\\u without four digits");
    out_ += fmt::format("\\x{{{}}}", pattern_.substr(at_ + 2, 4));
    at_ += 6;
  }

  void hexadecimal() {  // \x{1F600} is a character; \xE9 is a byte of one, and \x41 both
    if (pattern_.substr(at_).starts_with("\\x{")) return copy(3);
    if (hex_digits(at_ + 2, 2) != 2 || pattern_[at_ + 2] >= '8') refuse("a byte above 7F");
    copy(4);
  }

  void word_boundary(bool excluded) {
    out_ += excluded ? fmt::format("(?:(?<=[{0}])(?=[{0}])|(?<![{0}])(?![{0}]))", word_members)
                     : fmt::format("(?:(?<=[{0}])(?![{0}])|(?<![{0}])(?=[{0}]))", word_members);
    at_ += 2;
  }

  std::string_view pattern_;
  std::string_view where_;
  std::string out_;
  std::size_t at_ = 0;
  bool in_class_ = false;
};

}  // namespace

std::string from_oniguruma(std::string_view pattern, std::string_view where) {
  return Translator(pattern, where).run();
}

}  // namespace evenkeel
