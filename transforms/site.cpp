#include "transforms/site.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

bool contains(const std::vector<SiteKind>& kinds, SiteKind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// Whether the MLP gives s y for s times what its up projection gives, s > 0.
bool passes_scale(const Architecture& architecture) {
  return architecture.gated() || architecture.activation == Activation::relu;
}

// As published: OS+ also moves scale from the last MLP linear to the one before where a gate lies
// between; AWQ does so wherever a scale passes, and goes from the output projection to the values;
// the others work on norms alone.
std::vector<SiteKind> wanted_kinds(const Architecture& architecture,
                                   const TransformOptions& options) {
  if (options.sites) return *options.sites;
  std::vector<SiteKind> kinds{SiteKind::attention, SiteKind::mlp};
  const bool awq = options.method == Method::awq;
  if (awq ? passes_scale(architecture)
          : options.method == Method::os_plus && architecture.gated()) {
    kinds.push_back(SiteKind::down);
  }
  // With grouped queries the published program leaves the values alone.
  if (options.method == Method::awq && architecture.heads == architecture.key_value_heads) {
    kinds.push_back(SiteKind::output);
  }
  return kinds;
}

class SiteList {
 public:
  SiteList(const Architecture& architecture, Index number)
      : architecture_(architecture), number_(number) {}

  std::vector<Site> all() {
    norm_site("attention", SiteKind::attention, NormRole::attention_input, Node::attention_input);
    linear_site("output", SiteKind::output, LinearRole::value, LinearRole::output);
    norm_site("mlp", SiteKind::mlp, NormRole::mlp_input, Node::mlp_input);
    for (Index e = 0; passes_scale(architecture_) && e < architecture_.copies(LinearRole::down);
         ++e) {
      linear_site(architecture_.mixture() ? fmt::format("experts.{}.down", e) : "down",
                  SiteKind::down, {LinearRole::up, e}, {LinearRole::down, e});
    }
    return std::move(sites_);
  }

 private:
  void norm_site(std::string_view name, SiteKind kind, NormRole norm, Node input) {
    if (architecture_.norm_name(number_, norm).empty()) return;
    Site site;
    site.name = name;
    site.kind = kind;
    site.norm = norm;
    site.input = input;
    site.residual = architecture_.residual_after_norm;
    add_readers(site, input);
    if (kind == SiteKind::attention && architecture_.parallel_residual &&
        !architecture_.has(NormRole::mlp_input)) {
      add_readers(site, Node::mlp_input);
    }
    site.unshifted = norm_without_shift(site);
    sites_.push_back(std::move(site));
  }

  // The linears that read a node, and what their outputs are scored by.
  void add_readers(Site& site, Node input) const {
    for (const LinearPlace place : architecture_.linear_places()) {
      if (input_of(place.role) == input) site.readers.push_back(place);
    }
    if (input == Node::attention_input) {
      site.objectives.push_back(Objective::attention);
    } else {
      site.objectives.push_back(architecture_.mixture() ? Objective::mixture
                                : architecture_.gated() ? Objective::gated
                                                        : Objective::linear);
    }
  }

  std::string norm_without_shift(const Site& site) const {
    if (architecture_.norm_kind != NormKind::layer) return "RMSNorm has no bias";
    if (!architecture_.norm(*site.norm).bias) return "the norm has no bias";
    return reader_without_bias(site);
  }

  std::string reader_without_bias(const Site& site) const {
    for (const LinearPlace place : site.readers) {
      if (!architecture_.linear(place.role).bias) {
        return fmt::format("{} has no bias", architecture_.linear(place.role).name);
      }
    }
    return "";
  }

  void linear_site(std::string name, SiteKind kind, LinearPlace producer, LinearPlace reader) {
    Site site;
    site.name = std::move(name);
    site.kind = kind;
    site.linear = producer;
    site.input = input_of(reader.role);
    site.readers = {reader};
    site.objectives = {Objective::linear};
    if (kind == SiteKind::down) {
      site.unshifted =
          architecture_.gated() ? "the gate multiplies what up gives" : "ReLU lies between";
    } else if (!architecture_.linear(producer.role).bias) {
      site.unshifted = fmt::format("{} has no bias", architecture_.linear(producer.role).name);
    } else {
      site.unshifted = reader_without_bias(site);
    }
    sites_.push_back(std::move(site));
  }

  const Architecture& architecture_;
  Index number_;
  std::vector<Site> sites_;
};

}  // namespace

std::string_view name_of(Objective value) {
  switch (value) {
    case Objective::attention:
      return "attention";
    case Objective::linear:
      return "linear";
    case Objective::gated:
      return "gated";
    case Objective::mixture:
      return "mixture";
  }
  return "";
}

std::vector<Site> all_sites(const Architecture& architecture) {
  return SiteList(architecture, architecture.blocks - 1).all();
}

std::vector<Site> sites_of(const Architecture& architecture, Index number,
                           const TransformOptions& options) {
  if (options.method == Method::none) return {};
  const std::vector<SiteKind> wanted = wanted_kinds(architecture, options);
  if (contains(wanted, SiteKind::down) && !passes_scale(architecture)) {
    throw InputError(fmt::format(
        "transform.sites: model_type '{}' has no site 'down', since its MLP has neither a "
        "gate nor a ReLU; leave it out",
        architecture.model_type));
  }
  if (options.plain_layout && !architecture.residual_after_norm) {
    throw InputError(fmt::format(
        "transform.plain_layout: model_type '{}' needs no tensors of ours, its norms stand before "
        "the sublayers; leave it out",
        architecture.model_type));
  }
  if (options.plain_layout && !contains(wanted, SiteKind::output)) {
    throw InputError(
        fmt::format("transform.plain_layout: it leaves model_type '{}' without a site to work on; "
                    "add output to transform.sites, or take method none",
                    architecture.model_type));
  }
  const bool gains_alone = options.method == Method::outlier_suppression;
  if (gains_alone && (contains(wanted, SiteKind::output) || contains(wanted, SiteKind::down))) {
    throw InputError(
        "transform.sites: outlier_suppression moves the gain of norms; output and down have none");
  }
  std::vector<Site> sites = SiteList(architecture, number).all();
  std::erase_if(sites, [&](const Site& site) {
    return !contains(wanted, site.kind) || (site.residual && options.plain_layout);
  });
  if (options.method == Method::os_plus && options.objective == SearchObjective::linear) {
    if (architecture.mixture()) {
      throw InputError(
          fmt::format("transform.objective: model_type '{}' is a mixture of experts, and its "
                      "products are those of experts that a token is not sent to as well; leave it "
                      "out",
                      architecture.model_type));
    }
    for (Site& site : sites) site.objectives = {Objective::linear};
  }
  return sites;
}

std::string producer_name(const Architecture& architecture, const Site& site) {
  return site.norm ? architecture.norm(*site.norm).name : architecture.module_name(*site.linear);
}

std::vector<std::string> residual_norms(const Architecture& architecture,
                                        const TransformOptions& options) {
  std::vector<std::string> names;
  for (Index number = 0; number < architecture.blocks; ++number) {
    for (const Site& site : sites_of(architecture, number, options)) {
      if (site.residual) names.push_back(architecture.norm_name(number, *site.norm));
    }
  }
  return names;
}

std::vector<std::string> site_notes(const Architecture& architecture,
                                    const TransformOptions& options) {
  if (options.method == Method::none) return {};
  std::map<std::string, std::vector<std::string>> by_reason;
  const std::vector<SiteKind> wanted = wanted_kinds(architecture, options);
  for (const Site& site : all_sites(architecture)) {
    const bool told = site.linear && site.linear->expert > 0;  // by the first expert's site
    if (told || !contains(wanted, site.kind)) continue;
    if (site.residual && options.plain_layout) {
      by_reason["left alone, since plain_layout leaves no place to undo it in the residual"]
          .push_back(site.name);
    } else if (options.method == Method::os_plus && options.shift && !site.can_shift()) {
      by_reason[(options.scale ? "scale only, since " : "left alone without scale, since ") +
                site.unshifted]
          .push_back(site.name);
    }
  }
  std::vector<std::string> notes;
  for (const auto& [reason, sites] : by_reason) {
    notes.push_back(fmt::format("{}: {}", fmt::join(sites, ", "), reason));
  }
  return notes;
}

}  // namespace evenkeel
