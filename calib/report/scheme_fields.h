// A scheme, as results hold it, in words.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace evenkeel {

/// One field for each part of a scheme: ("weights", "bits 8, granularity per_channel, ..."), ...
/// Takes any JSON, as a record may hold any; what is no object gives nothing.
std::vector<std::pair<std::string, std::string>> scheme_fields(
    const nlohmann::ordered_json& scheme);

}  // namespace evenkeel
