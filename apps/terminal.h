// What the other end of stdout or stderr is.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace evenkeel {

/// A terminal on which a line can be drawn over (not TERM=dumb).
bool moves_cursor(std::FILE* stream);

/// Such a terminal whose user has not asked for plain text with NO_COLOR (https://no-color.org).
bool shows_styles(std::FILE* stream);

/// Columns of the terminal; 80 when it does not say.
int terminal_columns(std::FILE* stream);

/// The text in bold, or as it is.
std::string bold(std::string_view text, bool styled);
/// The text in red, or as it is.
std::string red(std::string_view text, bool styled);

}  // namespace evenkeel
