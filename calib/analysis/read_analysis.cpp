#include "calib/analysis/read_analysis.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/json_reader.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

// Said of a document that has all its keys, but not what belongs there.
struct Unfit {
  std::string what;
};

double number_of(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

std::optional<double> optional_of(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

template <typename Figures, typename FromJson>
std::array<Figures, node_count> by_node(const Json& json, const FromJson& from_json) {
  std::array<Figures, node_count> figures{};
  for (const Node node : all_nodes) {
    if (is_analyzed(node)) figures[index_of(node)] = from_json(json.at(std::string(name_of(node))));
  }
  return figures;
}

AnalyzedNode node_of(const Json& json) {
  return {.low = number_of(json.at("min")),
          .high = number_of(json.at("max")),
          .kurtosis = optional_of(json.at("kurtosis")),
          .beyond = number_of(json.at("beyond")),
          .producers = optional_of(json.at("producers"))};
}

std::vector<OutlierChannel> outliers_of(const Json& json) {
  std::vector<OutlierChannel> outliers;
  for (const Json& each : json) {
    outliers.push_back({.channel = each.at("channel").get<Index>(),
                        .absmax = number_of(each.at("absmax")),
                        .blocks = number_of(each.at("blocks")),
                        .tokens = number_of(each.at("tokens"))});
  }
  return outliers;
}

AnalyzedMeans means_of(const Json& json) {
  return {.count = json.at("count").get<std::size_t>(),
          .largest = number_of(json.at("largest")),
          .top_from = number_of(json.at("top_from")),
          .bottom_to = number_of(json.at("bottom_to")),
          .smallest = number_of(json.at("smallest"))};
}

AnalyzedSet set_of(const Json& json) {
  AnalyzedSet set{
      .label = json.at("label").get<std::string>(),
      .samples = json.at("samples").get<std::size_t>(),
      .tokens = json.at("tokens").get<std::int64_t>(),
      .blocks = {},
      .outliers = by_node<std::vector<OutlierChannel>>(json.at("outliers"), outliers_of),
      .means = by_node<AnalyzedMeans>(json.at("means"), means_of)};
  for (const Json& block : json.at("blocks")) {
    set.blocks.push_back({.nodes = by_node<AnalyzedNode>(block.at("nodes"), node_of),
                          .rmse_per_token = number_of(block.at("rmse_per_token")),
                          .rmse_per_tensor = number_of(block.at("rmse_per_tensor")),
                          .token_deviation = number_of(block.at("token_std"))});
  }
  return set;
}

NormRole role_of(const std::string& name) {
  const auto role =
      std::ranges::find(all_norms, name, [](NormRole each) { return std::string(name_of(each)); });
  if (role == all_norms.end()) throw Unfit{fmt::format("a norm's role is {}", in_quotes(name))};
  return *role;
}

WeightFigures weights_of(const Json& json) {
  WeightFigures block;
  for (const auto& [module, linear] : json.at("linears").items()) {
    block.linears.push_back({.module = module,
                             .rows = linear.at("rows").get<Index>(),
                             .columns = linear.at("columns").get<Index>(),
                             .spectral_norm = number_of(linear.at("spectral_norm")),
                             .absmax = number_of(linear.at("absmax")),
                             .deviation = number_of(linear.at("std")),
                             .histogram = Histogram(1.0, 1)});
  }
  for (const auto& [module, norm] : json.at("norms").items()) {
    block.norms.push_back({.role = role_of(norm.at("role").get<std::string>()),
                           .module = module,
                           .gain_deviation = number_of(norm.at("gain_std"))});
  }
  return block;
}

Similarity similarity_from(const Json& json) {
  return {.outliers = optional_of(json.at("outliers")),
          .top = number_of(json.at("top")),
          .maxima = optional_of(json.at("maxima")),
          .minima = optional_of(json.at("minima")),
          .distance = number_of(json.at("distance"))};
}

void add_pairs(const Json& pairs, AnalyzedModel& model) {
  const std::size_t sets = model.sets.size();
  if (pairs.size() != sets * (sets - 1) / 2) {
    throw Unfit{fmt::format("{} sets, but {} pairs of them", sets, pairs.size())};
  }
  auto pair = pairs.begin();
  for (std::size_t a = 0; a < sets; ++a) {
    for (std::size_t b = a + 1; b < sets; ++b, ++pair) {
      if (pair->at("sets") != Json{model.sets[a].label, model.sets[b].label}) {
        throw Unfit{fmt::format("the pair of sets {} and {} is not in its place", a, b)};
      }
      AnalyzedPair& added = model.pairs.emplace_back();
      added.first = a;
      added.second = b;
      added.similarity.overall = similarity_from(pair->at("overall"));
      added.similarity.nodes = by_node<Similarity>(pair->at("nodes"), similarity_from);
    }
  }
}

AnalyzedModel model_of(const Json& json) {
  AnalyzedModel model;
  model.label = json.at("label").get<std::string>();
  model.model_type = json.at("model_type").get<std::string>();
  for (const Json& block : json.at("blocks")) model.blocks.push_back(weights_of(block));
  for (const Json& set : json.at("sets")) model.sets.push_back(set_of(set));
  if (model.blocks.empty() || model.sets.empty()) throw Unfit{"a model without blocks, or sets"};
  for (const AnalyzedSet& set : model.sets) {
    if (set.blocks.size() == model.blocks.size()) continue;
    throw Unfit{fmt::format("a set with {} blocks of {}", set.blocks.size(), model.blocks.size())};
  }
  add_pairs(json.at("similarity"), model);
  return model;
}

AnalysisOptions options_of(const Json& json) {
  AnalysisOptions options{.outlier_threshold = json.at("outlier_threshold").get<double>(),
                          .outlier_blocks = json.at("outlier_blocks").get<double>(),
                          .outlier_tokens = json.at("outlier_tokens").get<double>(),
                          .pooling = json.at("pooling").get<int>(),
                          .bits = json.at("bits").get<int>(),
                          .histogram_bins = json.at("histogram_bins").get<int>(),
                          .histogram_range = optional_of(json.at("histogram_range"))};
  if (options.pooling < 1) throw Unfit{"'pooling' is less than 1"};
  return options;
}

}  // namespace

AnalysisResult read_analysis(const std::filesystem::path& file) {
  const JsonReader reader(file);
  const auto refuse = [&](std::string_view what) -> InputError {
    return InputError(fmt::format("{}: not what an analysis leaves: {}; analyze again",
                                  file.string(), one_line(what, 300)));
  };
  try {
    AnalysisResult result{.options = options_of(reader.document().at("options")), .models = {}};
    for (const Json& model : reader.document().at("models")) {
      result.models.push_back(model_of(model));
    }
    if (result.models.empty()) throw Unfit{"'models' is empty"};
    return result;
  } catch (const Json::exception& error) {
    throw refuse(error.what());
  } catch (const Unfit& unfit) {
    throw refuse(unfit.what);
  }
}

}  // namespace evenkeel
