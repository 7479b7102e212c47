// report.html of sensitivity.json.
#pragma once

#include <nlohmann/json.hpp>

#include "calib/report/page.h"

namespace evenkeel {

/// What each part of the model costs: of each kind of part a table and how much of the loss comes
/// back when the part is kept. Throws: nlohmann::ordered_json::exception when it is not what
/// `inspect --sensitivity` writes.
Page sensitivity_page(const nlohmann::ordered_json& json);

}  // namespace evenkeel
