#include "calib/inspect.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/checkpoint_outputs.h"
#include "calib/quantized_model.h"
#include "calib/record.h"
#include "io/checkpoint.h"
#include "io/errors.h"
#include "io/strict_json.h"
#include "model/architecture.h"
#include "transforms/site.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_outliers = 10;

// "self_attn.q_proj", or "block_sparse_moe.experts.*.w1" for all experts at once.
std::vector<std::string> reader_names(const Architecture& architecture, const Site& site) {
  std::vector<std::string> names;
  for (const LinearPlace place : site.readers) {
    const bool all_experts = architecture.by_expert(place.role) && site.readers.size() > 1;
    if (!all_experts) {
      names.push_back(architecture.module_name(place));
    } else if (place.expert == 0) {
      names.push_back(architecture.experts + "*." + architecture.linear(place.role).name);
    }
  }
  return names;
}

std::string producer_text(const Architecture& architecture, const Site& site) {
  const bool pending = architecture.residual_after_norm && site.norm == NormRole::attention_input;
  return producer_name(architecture, site) + (pending ? " (of the block before)" : "");
}

// The methods that work on the site unless a job says otherwise.
std::vector<std::string_view> default_of(const Architecture& architecture, const Site& site) {
  std::vector<std::string_view> methods;
  for (const Method method :
       {Method::smoothquant, Method::outlier_suppression, Method::os_plus, Method::awq}) {
    for (const Site& taken : sites_of(architecture, architecture.blocks - 1, {.method = method})) {
      if (taken.name == site.name) methods.push_back(name_of(method));
    }
  }
  return methods;
}

Json sites_json(const Architecture& architecture) {
  Json sites = Json::array();
  for (const Site& site : all_sites(architecture)) {
    std::vector<std::string_view> objectives;
    for (const Objective objective : site.objectives) objectives.push_back(name_of(objective));
    sites.push_back({{"name", site.name},
                     {"producer", producer_text(architecture, site)},
                     {"readers", reader_names(architecture, site)},
                     {"objective", fmt::format("{}", fmt::join(objectives, " + "))},
                     {"default_of", default_of(architecture, site)},
                     {"shift", site.can_shift()},
                     {"why_no_shift", site.unshifted},
                     {"residual", site.residual}});
  }
  return sites;
}

Json inspect_checkpoint(const std::filesystem::path& path) {
  const Checkpoint checkpoint(path);
  const bool quantized = is_quantized(checkpoint);
  const Architecture architecture =
      resolve_architecture(checkpoint, quantized ? LinearStorage::packed : LinearStorage::plain);
  std::map<std::string, std::int64_t> dtypes;
  for (const TensorFile& shard : checkpoint.shards()) {
    for (const StoredTensor& tensor : shard.tensors()) {
      dtypes[std::string(name_of(tensor.dtype))] += tensor.elements();
    }
  }
  Json nodes = Json::array();
  for (const Node node : all_nodes) nodes.push_back(name_of(node));
  Json json{{"kind", "checkpoint"},
            {"architecture", architecture.model_type},
            {"parameters", checkpoint.parameters()},
            {"blocks", architecture.blocks},
            {"channels", architecture.channels},
            {"heads", architecture.heads},
            {"ffn_channels", architecture.ffn_channels},
            {"vocabulary", architecture.vocabulary},
            {"positions", architecture.positions > 0 ? Json(architecture.positions) : Json()},
            {"dtypes", dtypes},
            {"nodes", nodes},
            {"sites", sites_json(architecture)},
            {"quantized", nullptr}};
  if (quantized) json["quantized"] = checkpoint.config().document()[evenkeel_key]["scheme"];
  return json;
}

// The members of a group that is only there when something was written to it.
std::vector<std::string> members(const Hdf5Reader& file, const std::string& path) {
  return file.exists(path) ? file.members(path) : std::vector<std::string>{};
}

Json number_or_null(const Hdf5Reader& file, const std::string& path, const std::string& name) {
  const auto value = file.number_attribute(path, name);
  return value ? Json(*value) : Json(nullptr);
}

// A job writes no other values; comparisons below rely on it.
std::vector<double> finite_values(const RecordReader& record, const std::string& path) {
  std::vector<double> values = record.file().dataset(path);
  if (values.empty() || !std::all_of(values.begin(), values.end(),
                                     [](double value) { return std::isfinite(value); })) {
    throw InputError(fmt::format("{}: '{}': expected finite values; calibrate again",
                                 record.path().string(), path));
  }
  return values;
}

double largest(const std::vector<double>& values) {
  double result = 0.0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

Json outlier_channels(const std::vector<double>& absmax) {
  Json outliers = Json::array();
  std::vector<double> sorted = absmax;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                   sorted.end());
  const double median = sorted[sorted.size() / 2];
  std::vector<std::size_t> channels;
  for (std::size_t j = 0; j < absmax.size(); ++j) {
    if (median > 0.0 && absmax[j] >= outlier_ratio * median) channels.push_back(j);
  }
  std::stable_sort(channels.begin(), channels.end(),
                   [&](std::size_t a, std::size_t b) { return absmax[a] > absmax[b]; });
  channels.resize(std::min(channels.size(), most_outliers));
  for (const std::size_t j : channels) {
    outliers.push_back({{"channel", j}, {"absmax", absmax[j]}, {"ratio", absmax[j] / median}});
  }
  return outliers;
}

Json site_json(const RecordReader& record, const std::string& path, std::string name) {
  const Hdf5Reader& file = record.file();
  return {{"name", std::move(name)},
          {"method", file.text_attribute(path, "method").value_or("")},
          {"threshold", number_or_null(file, path, "threshold")},
          {"loss_before", number_or_null(file, path, "loss_before")},
          {"loss_after", number_or_null(file, path, "loss")},
          {"largest_shift", largest(finite_values(record, path + "/shift"))},
          {"largest_scale", largest(finite_values(record, path + "/scale"))}};
}

Json node_json(const RecordReader& record, const std::string& path, std::string name) {
  const Hdf5Reader& file = record.file();
  const std::vector<double> low = finite_values(record, path + "/min");
  const std::vector<double> high = finite_values(record, path + "/max");
  return {{"name", std::move(name)},
          {"channels", low.size()},
          {"low", *std::min_element(low.begin(), low.end())},
          {"high", *std::max_element(high.begin(), high.end())},
          {"step", number_or_null(file, path, "step")},
          {"zero_point", number_or_null(file, path, "zero_point")},
          {"outlier_channels", outlier_channels(finite_values(record, path + "/absmax"))}};
}

Json inspect_record(const std::filesystem::path& path) {
  const RecordReader record(path);
  const Hdf5Reader& file = record.file();
  const auto blocks = members(file, "/blocks");
  Json sites = Json::array();
  Json nodes = Json::array();
  for (const std::string& block : blocks) {
    const std::string place = "/blocks/" + block;
    for (const std::string& site : members(file, place + "/sites")) {
      sites.push_back(site_json(record, fmt::format("{}/sites/{}", place, site),
                                fmt::format("blocks.{}.{}", block, site)));
    }
    for (const Node node : all_nodes) {
      const std::string node_path = fmt::format("{}/nodes/{}", place, name_of(node));
      if (!file.exists(node_path)) continue;
      nodes.push_back(
          node_json(record, node_path, fmt::format("blocks.{}.{}", block, name_of(node))));
    }
  }
  return {{"kind", "record"},
          {"id", record.id()},
          {"scheme", parse_json(path, file.text_attribute("/", "scheme").value_or("null"))},
          {"blocks", blocks.size()},
          {"sites", sites},
          {"nodes", nodes}};
}

}  // namespace

nlohmann::ordered_json inspect(const std::filesystem::path& path) {
  return is_checkpoint(path) ? inspect_checkpoint(path) : inspect_record(path);
}

}  // namespace evenkeel
