#include "calib/analysis/analysis_record.h"

#include <cstdint>
#include <span>

#include <fmt/format.h>

namespace evenkeel {

namespace analysis_path {

std::string model(std::size_t model) { return fmt::format("/models/{}", model); }

std::string linear(std::size_t model, Index block, std::string_view module) {
  return fmt::format("/models/{}/weights/blocks/{}/{}", model, block, module);
}

std::string producers(std::size_t model, Index block, Node node) {
  return fmt::format("/models/{}/producers/blocks/{}/{}", model, block, name_of(node));
}

std::string set(std::size_t model, std::size_t set) {
  return fmt::format("/models/{}/sets/{}", model, set);
}

std::string block(std::size_t model, std::size_t set, Index block) {
  return fmt::format("/models/{}/sets/{}/blocks/{}", model, set, block);
}

std::string node(std::size_t model, std::size_t set, Index block, Node node) {
  return fmt::format("/models/{}/sets/{}/blocks/{}/nodes/{}", model, set, block, name_of(node));
}

std::string means(std::size_t model, std::size_t set, Node node) {
  return fmt::format("/models/{}/sets/{}/means/{}", model, set, name_of(node));
}

}  // namespace analysis_path

namespace {

void write(Hdf5Writer& file, const std::string& path, const Vector& values) {
  file.dataset(path, std::span(values.data(), static_cast<std::size_t>(values.size())));
}

void write(Hdf5Writer& file, const std::string& path, const ChannelMoments::Row& values) {
  write(file, path, Vector(values.cast<float>().matrix()));
}

void write(Hdf5Writer& file, const std::string& path, const Histogram& histogram) {
  const std::vector<double> counts(histogram.counts().begin(), histogram.counts().end());
  file.dataset(path + "/histogram", std::span(counts));
  file.attribute(path, "histogram_range", histogram.width());
}

void write(Hdf5Writer& file, const std::string& path, const std::vector<MeanEntry>& entries) {
  std::vector<std::int32_t> blocks;
  std::vector<std::int32_t> channels;
  std::vector<float> values;
  for (const MeanEntry& entry : entries) {
    blocks.push_back(entry.block);
    channels.push_back(entry.channel);
    values.push_back(entry.value);
  }
  file.dataset(path + "_block", std::span<const std::int32_t>(blocks));
  file.dataset(path + "_channel", std::span<const std::int32_t>(channels));
  file.dataset(path + "_value", std::span<const float>(values));
}

}  // namespace

AnalysisRecord::AnalysisRecord(const std::filesystem::path& path, std::string_view job,
                               const AnalysisOptions& options)
    : file_(path), pooling_(options.pooling) {
  file_.text("/job", job);
  file_.attribute("/", "histogram_bins", std::int64_t{options.histogram_bins});
  file_.attribute("/", "pooling", std::int64_t{options.pooling});
  file_.attribute("/", "outlier_threshold", options.outlier_threshold);
}

void AnalysisRecord::model(std::size_t model, std::string_view label,
                           const Architecture& architecture) {
  const std::string path = analysis_path::model(model);
  file_.group(path);
  file_.attribute(path, "label", label);
  file_.attribute(path, "model_type", architecture.model_type);
  file_.attribute(path, "blocks", std::int64_t{architecture.blocks});
}

void AnalysisRecord::weights(std::size_t model, Index block, const WeightFigures& figures) {
  for (const LinearFigures& linear : figures.linears) {
    const std::string path = analysis_path::linear(model, block, linear.module);
    write(file_, path, linear.histogram);
    file_.attribute(path, "rows", std::int64_t{linear.rows});
    file_.attribute(path, "columns", std::int64_t{linear.columns});
    file_.attribute(path, "spectral_norm", linear.spectral_norm);
    file_.attribute(path, "absmax", linear.absmax);
    file_.attribute(path, "std", linear.deviation);
  }
}

void AnalysisRecord::producers(std::size_t model, Index block, Node node,
                               const std::vector<double>& deviations) {
  const std::vector<float> values(deviations.begin(), deviations.end());
  file_.dataset(analysis_path::producers(model, block, node) + "/std",
                std::span<const float>(values));
}

void AnalysisRecord::set(std::size_t model, std::size_t set, std::string_view label,
                         std::size_t samples, std::int64_t tokens) {
  const std::string path = analysis_path::set(model, set);
  file_.group(path);
  file_.attribute(path, "label", label);
  file_.attribute(path, "samples", static_cast<std::int64_t>(samples));
  file_.attribute(path, "tokens", tokens);
}

void AnalysisRecord::block(std::size_t model, std::size_t set, Index block,
                           const BlockObservation& observation) {
  const std::string whole = analysis_path::block(model, set, block);
  file_.group(whole);
  file_.attribute(whole, "rmse_per_token", observation.tokens.rmse_per_token());
  file_.attribute(whole, "rmse_per_tensor", observation.tokens.rmse_per_tensor());
  file_.attribute(whole, "token_std", observation.tokens.deviation());
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    const NodeObservation& seen = observation.nodes[index_of(node)];
    const ChannelMoments& moments = seen.moments;
    const std::string path = analysis_path::node(model, set, block, node);
    const Vector mean = moments.statistics().mean();
    write(file_, path + "/min", moments.statistics().low());
    write(file_, path + "/max", moments.statistics().high());
    write(file_, path + "/mean", mean);
    write(file_, path + "/std", moments.deviation());
    write(file_, path + "/kurtosis", moments.kurtosis());
    write(file_, path + "/outlier_share", ChannelMoments::Row(moments.beyond() / moments.tokens()));
    const Pooled pools = pooled(mean, pooling_);
    file_.dataset(path + "/pooled_min", std::span<const float>(pools.low));
    file_.dataset(path + "/pooled_max", std::span<const float>(pools.high));
    if (!seen.histogram) continue;
    write(file_, path, *seen.histogram);
    file_.attribute(path, "below", seen.histogram->below());
    file_.attribute(path, "above", seen.histogram->above());
  }
}

void AnalysisRecord::means(std::size_t model, std::size_t set, Node node, const MeanEnds& ends) {
  const std::string path = analysis_path::means(model, set, node);
  write(file_, path + "/top", ends.top);
  write(file_, path + "/bottom", ends.bottom);
}

}  // namespace evenkeel
