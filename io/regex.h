// Regular expressions over UTF-8 (PCRE2, Unicode properties, compiled to machine code where the
// machine allows).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace evenkeel {

/// Members of a class: Unicode's word characters (UTS #18, Annex C), as the `tokenizers` library
/// has them; PCRE2's \w leaves out marks and connectors.
constexpr std::string_view word_characters = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control})";

struct RegexMatch {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A compiled expression. Thread-safe after construction.
class Regex {
 public:
  /// Throws: InputError "WHERE: bad regular expression 'X' at offset N: REASON".
  Regex(std::string_view pattern, std::string_view where);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

 private:
  friend class RegexScanner;
  struct Code;
  std::unique_ptr<const Code> code_;
};

/// Successive matches of one expression in one text. Not thread-safe; `regex` and `text` must
/// outlive it.
class RegexScanner {
 public:
  /// REQUIRES: `text` is valid UTF-8.
  RegexScanner(const Regex& regex, std::string_view text);
  RegexScanner(const RegexScanner&) = delete;
  RegexScanner& operator=(const RegexScanner&) = delete;
  ~RegexScanner();

  /// The next match, beginning at or after the end of the last one; after an empty match the
  /// search goes on one character later. Nothing when there is none.
  /// Throws: InputError when the engine gives up (its limit of steps or stack).
  std::optional<RegexMatch> next();

 private:
  struct State;
  const Regex& regex_;
  std::string_view text_;
  std::size_t from_ = 0;
  std::unique_ptr<State> state_;
};

}  // namespace evenkeel
