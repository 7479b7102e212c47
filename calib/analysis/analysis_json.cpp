// analysis.json.
#include <optional>
#include <string>

#include "calib/analysis/analyze.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

// An object with an entry for each analyzed node.
template <typename Figures, typename ToJson>
Json by_node(const std::array<Figures, node_count>& figures, const ToJson& json_of) {
  Json all = Json::object();
  for (const Node node : all_nodes) {
    if (is_analyzed(node)) all[std::string(name_of(node))] = json_of(figures[index_of(node)]);
  }
  return all;
}

Json node_json(const AnalyzedNode& node) {
  return {{"min", node.low},
          {"max", node.high},
          {"kurtosis", or_null(node.kurtosis)},
          {"beyond", node.beyond},
          {"producers", or_null(node.producers)}};
}

Json outliers_json(const std::vector<OutlierChannel>& outliers) {
  Json all = Json::array();
  for (const OutlierChannel& outlier : outliers) {
    all.push_back({{"channel", outlier.channel},
                   {"absmax", outlier.absmax},
                   {"blocks", outlier.blocks},
                   {"tokens", outlier.tokens}});
  }
  return all;
}

Json means_json(const AnalyzedMeans& means) {
  return {{"count", means.count},
          {"largest", means.largest},
          {"top_from", means.top_from},
          {"bottom_to", means.bottom_to},
          {"smallest", means.smallest}};
}

Json set_json(const AnalyzedSet& set) {
  Json blocks = Json::array();
  for (const AnalyzedBlock& block : set.blocks) {
    blocks.push_back({{"rmse_per_token", block.rmse_per_token},
                      {"rmse_per_tensor", block.rmse_per_tensor},
                      {"token_std", block.token_deviation},
                      {"nodes", by_node(block.nodes, node_json)}});
  }
  return {{"label", set.label},
          {"samples", set.samples},
          {"tokens", set.tokens},
          {"outliers", by_node(set.outliers, outliers_json)},
          {"means", by_node(set.means, means_json)},
          {"blocks", blocks}};
}

Json weights_json(const WeightFigures& block) {
  Json linears = Json::object();
  for (const LinearFigures& linear : block.linears) {
    linears[linear.module] = {{"rows", linear.rows},
                              {"columns", linear.columns},
                              {"spectral_norm", linear.spectral_norm},
                              {"absmax", linear.absmax},
                              {"std", linear.deviation}};
  }
  Json norms = Json::object();
  for (const NormFigures& norm : block.norms) {
    norms[norm.module] = {{"role", name_of(norm.role)}, {"gain_std", norm.gain_deviation}};
  }
  return {{"linears", linears}, {"norms", norms}};
}

Json similarity_json(const Similarity& similarity) {
  return {{"outliers", or_null(similarity.outliers)},
          {"top", similarity.top},
          {"maxima", or_null(similarity.maxima)},
          {"minima", or_null(similarity.minima)},
          {"distance", similarity.distance}};
}

Json model_json(const AnalyzedModel& model) {
  Json blocks = Json::array();
  for (const WeightFigures& block : model.blocks) blocks.push_back(weights_json(block));
  Json sets = Json::array();
  for (const AnalyzedSet& set : model.sets) sets.push_back(set_json(set));
  Json pairs = Json::array();
  for (const AnalyzedPair& pair : model.pairs) {
    pairs.push_back({{"sets", {model.sets[pair.first].label, model.sets[pair.second].label}},
                     {"overall", similarity_json(pair.similarity.overall)},
                     {"nodes", by_node(pair.similarity.nodes, similarity_json)}});
  }
  return {{"label", model.label},
          {"model_type", model.model_type},
          {"blocks", blocks},
          {"sets", sets},
          {"similarity", pairs}};
}

Json options_json(const AnalysisOptions& options) {
  return {{"outlier_threshold", options.outlier_threshold},
          {"outlier_blocks", options.outlier_blocks},
          {"outlier_tokens", options.outlier_tokens},
          {"pooling", options.pooling},
          {"bits", options.bits},
          {"histogram_bins", options.histogram_bins},
          {"histogram_range", or_null(options.histogram_range)}};
}

}  // namespace

Json to_json(const AnalysisResult& result) {
  Json models = Json::array();
  for (const AnalyzedModel& model : result.models) models.push_back(model_json(model));
  return {{"options", options_json(result.options)}, {"models", models}};
}

}  // namespace evenkeel
