// Python's operations on strings, with which the evaluation harness makes its prompts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace evenkeel {

// REQUIRES, of each: valid UTF-8.

/// str.rstrip(), str.strip(): without white space (White_Space of Unicode and U+001C .. U+001F).
std::string_view right_stripped(std::string_view text);
std::string_view stripped(std::string_view text);
/// str.capitalize(): the first character in title case, the others in lower case (a sigma at the
/// end of a word is a final one).
std::string capitalized(std::string_view text);
/// text[0].lower() + text[1:]
std::string with_first_lowered(std::string_view text);
/// str.replace: every `from`, left to right. REQUIRES: `from` not empty.
std::string replaced(std::string_view text, std::string_view from, std::string_view to);
/// len(text), in code points.
std::size_t character_count(std::string_view text);

}  // namespace evenkeel
