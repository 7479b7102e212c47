// A scheme as JSON: in config.json and calibration.h5, where a reader of the results finds it.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "io/json_reader.h"
#include "quantizers/scheme.h"

namespace evenkeel {

nlohmann::ordered_json scheme_to_json(const Scheme& scheme);

/// Reads the object at `key`. Throws: InputError naming file and key.
Scheme scheme_from_json(const JsonReader& json, const std::string& key);

}  // namespace evenkeel
