// Names from outside in messages.
#pragma once

#include <string>
#include <string_view>

namespace evenkeel {

/// 'text', on one line whatever it holds: control characters as \xNN, and only the first 100
/// bytes of a longer one.
std::string in_quotes(std::string_view text);

/// The same without the quotes.
std::string one_line(std::string_view text);

}  // namespace evenkeel
