// What quantization does to the sites of a row, by kind.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/calibration.h"
#include "transforms/site_errors.h"

namespace evenkeel {

/// Sites of one kind, over all blocks (and experts): the widest range and the mean errors.
struct ComparedSites {
  std::string name;  // "attention"
  SiteErrors before{};
  SiteErrors after{};
};

/// Those that were measured, in the order in which a block has them.
std::vector<ComparedSites> sites_by_name(const std::vector<SiteSummary>& sites);

nlohmann::ordered_json to_json(const std::vector<ComparedSites>& sites);
/// Throws: nlohmann::ordered_json::exception when it is none.
std::vector<ComparedSites> compared_sites_from(const nlohmann::ordered_json& json);

}  // namespace evenkeel
