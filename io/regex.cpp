#include "io/regex.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "io/errors.h"
#include "io/utf8.h"

namespace evenkeel {
namespace {

std::string reason_of(int error) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(error, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

PCRE2_SPTR units_of(std::string_view text) {
  // PCRE2 wants a pointer even to no text.
  return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, FreeCode> compiled;
  std::string where;
};

Regex::Regex(std::string_view pattern, std::string_view where) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  std::unique_ptr<pcre2_code, FreeCode> compiled(
      pcre2_compile(units_of(pattern), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr));
  if (!compiled) {
    throw InputError(fmt::format("{}: bad regular expression '{}' at offset {}: {}", where, pattern,
                                 offset, reason_of(error)));
  }
  // A machine without a JIT leaves the interpreter, which gives the same matches.
  pcre2_jit_compile(compiled.get(), PCRE2_JIT_COMPLETE);
  code_ = std::make_unique<const Code>(Code{std::move(compiled), std::string(where)});
}

Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

struct RegexScanner::State {
  std::unique_ptr<pcre2_match_data, FreeMatchData> data;
};

RegexScanner::RegexScanner(const Regex& regex, std::string_view text)
    : regex_(regex), text_(text), state_(std::make_unique<State>()) {
  state_->data.reset(pcre2_match_data_create_from_pattern(regex_.code_->compiled.get(), nullptr));
  if (!state_->data) throw std::bad_alloc();
}

RegexScanner::~RegexScanner() = default;

std::optional<RegexMatch> RegexScanner::next() {
  if (from_ > text_.size()) return std::nullopt;
  const int found = pcre2_match(regex_.code_->compiled.get(), units_of(text_), text_.size(), from_,
                                PCRE2_NO_UTF_CHECK, state_->data.get(), nullptr);
  if (found == PCRE2_ERROR_NOMATCH) {
    from_ = text_.size() + 1;
    return std::nullopt;
  }
  if (found < 0) {
    throw InputError(fmt::format("{}: the regular expression gives up at offset {} of the text: {}",
                                 regex_.code_->where, from_, reason_of(found)));
  }
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(state_->data.get());
  const RegexMatch match{bounds[0], bounds[1]};
  from_ = match.end;
  if (match.begin == match.end) from_ += match.end < text_.size() ? utf8_size(text_[match.end]) : 1;
  return match;
}

}  // namespace evenkeel
