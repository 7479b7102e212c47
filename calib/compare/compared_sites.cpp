#include "calib/compare/compared_sites.h"

#include <algorithm>
#include <cstddef>

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

void add(SiteErrors& all, const SiteErrors& site, bool first) {
  all.low = first ? site.low : std::min(all.low, site.low);
  all.high = first ? site.high : std::max(all.high, site.high);
  all.input += site.input;
  all.weight += site.weight;
  all.output += site.output;
}

void divide(SiteErrors& sums, double count) {
  sums.input /= count;
  sums.weight /= count;
  sums.output /= count;
}

Json to_json(const SiteErrors& errors) {
  return {{"low", errors.low},
          {"high", errors.high},
          {"input_error", errors.input},
          {"weight_error", errors.weight},
          {"output_error", errors.output}};
}

SiteErrors errors_from(const Json& json) {
  SiteErrors errors;
  json.at("low").get_to(errors.low);
  json.at("high").get_to(errors.high);
  json.at("input_error").get_to(errors.input);
  json.at("weight_error").get_to(errors.weight);
  json.at("output_error").get_to(errors.output);
  return errors;
}

}  // namespace

std::vector<ComparedSites> sites_by_name(const std::vector<SiteSummary>& sites) {
  std::vector<ComparedSites> all;
  std::vector<double> counts;
  for (const SiteSummary& site : sites) {
    if (!site.errors_before) continue;
    const std::string name = site.name.substr(site.name.rfind('.') + 1);
    const auto found = std::ranges::find(all, name, &ComparedSites::name);
    const auto i = static_cast<std::size_t>(found - all.begin());
    if (found == all.end()) {
      all.push_back({.name = name});
      counts.push_back(0.0);
    }
    const bool first = counts[i] == 0.0;
    add(all[i].before, *site.errors_before, first);
    add(all[i].after, *site.errors_after, first);
    counts[i] += 1.0;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    divide(all[i].before, counts[i]);
    divide(all[i].after, counts[i]);
  }
  return all;
}

Json to_json(const std::vector<ComparedSites>& sites) {
  Json json = Json::object();
  for (const ComparedSites& site : sites) {
    json[site.name] = {{"before", to_json(site.before)}, {"after", to_json(site.after)}};
  }
  return json;
}

std::vector<ComparedSites> compared_sites_from(const Json& json) {
  std::vector<ComparedSites> sites;
  for (const auto& [name, errors] : json.items()) {
    sites.push_back({.name = name,
                     .before = errors_from(errors.at("before")),
                     .after = errors_from(errors.at("after"))});
  }
  return sites;
}

}  // namespace evenkeel
