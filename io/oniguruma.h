// Regular expressions of tokenizer.json: Oniguruma's Ruby syntax, which the `tokenizers` library
// compiles, spelt for PCRE2.
#pragma once

#include <string>
#include <string_view>

namespace evenkeel {

/// `pattern` as PCRE2 (UTF, UCP) reads it with the same meaning. The two differ in what \s, \w, \h,
/// \v, \b, [[:alpha:]] and \p{NAME} stand for, in ^ and $ (always at lines), (?m) and {,n}.
/// Throws: InputError "WHERE: regular expression 'X': ... is not supported" for what they read
/// differently and this does not translate: sets within sets, possessive {n,m}+, \Q, callouts,
/// unknown properties.
std::string from_oniguruma(std::string_view pattern, std::string_view where);

}  // namespace evenkeel
