// The keys that a job file may hold, in one place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace evenkeel {

/// Keys of a section given by its path: "" (the top), "calibration", "scheme.weights",
/// "scheme.nodes.PATTERN", ... Empty for a path that is no section; the keys of `compare` are paths
/// themselves.
const std::vector<std::string>& known_keys(std::string_view section);

/// Whether the path names a key or a section: "transform", "scheme.weights.bits".
bool is_known_path(std::string_view path);

/// "transform.method" of a section and a key; either may be empty.
std::string key_path(std::string_view section, std::string_view key);

/// What to do about an unknown key: "did you mean 'method'?" for the nearest key of the section,
/// "did you mean 'calibration.samples'?" for one that stands elsewhere, else the section's keys.
std::string advice_for_unknown_key(std::string_view section, std::string_view key);

}  // namespace evenkeel
