// Names from outside in messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace evenkeel {

/// The text on one line whatever it holds: control characters as \xNN, and "..." for what is beyond
/// the first `longest` bytes.
std::string one_line(std::string_view text, std::size_t longest = 100);

/// The same as 'text'.
std::string in_quotes(std::string_view text);

}  // namespace evenkeel
