// What every page has inside: how it looks, and how its tables sort.
#pragma once

#include <string_view>

namespace evenkeel {

extern const std::string_view page_style;
extern const std::string_view page_script;

}  // namespace evenkeel
