#include "calib/record.h"

#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "calib/scheme_json.h"
#include "calib/scheme_places.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

std::string site_path(Index block, std::string_view site) {
  return fmt::format("/blocks/{}/sites/{}", block, site);
}

std::string node_path(Index block, Node node) {
  return fmt::format("/blocks/{}/nodes/{}", block, name_of(node));
}

std::span<const float> values_of(const Vector& vector) {
  return {vector.data(), static_cast<std::size_t>(vector.size())};
}

void write_statistics(Hdf5Writer& file, const std::string& path, const NodeRecord& node) {
  file.dataset(path + "/min", values_of(node.low));
  file.dataset(path + "/max", values_of(node.high));
  file.dataset(path + "/absmax", values_of(node.absmax));
  file.dataset(path + "/mean", values_of(node.mean));
  file.dataset(path + "/variance", values_of(node.variance));
}

void write_quantizer(Hdf5Writer& file, const std::string& path,
                     const ActivationQuantizer& quantizer) {
  if (is_dynamic(quantizer.scheme())) {
    file.attribute(path, "dynamic",
                   is_quantized(quantizer.scheme()) ? name_of(quantizer.scheme().granularity)
                                                    : std::string_view("none"));
    return;
  }
  const auto& ranges = quantizer.ranges();
  const auto& parameters = quantizer.parameters();
  if (quantizer.scheme().granularity == Granularity::per_tensor) {
    file.attribute(path, "range_low", static_cast<double>(ranges.front().low));
    file.attribute(path, "range_high", static_cast<double>(ranges.front().high));
    if (parameters.empty()) return;
    file.attribute(path, "step", static_cast<double>(parameters.front().step));
    file.attribute(path, "zero_point", std::int64_t{parameters.front().zero_point});
    return;
  }
  std::vector<float> low;
  std::vector<float> high;
  for (const Range& range : ranges) {
    low.push_back(range.low);
    high.push_back(range.high);
  }
  file.dataset(path + "/range_low", low);
  file.dataset(path + "/range_high", high);
  if (parameters.empty()) return;
  std::vector<float> steps;
  std::vector<std::int32_t> zero_points;
  for (const AffineParameters& each : parameters) {
    steps.push_back(each.step);
    zero_points.push_back(each.zero_point);
  }
  file.dataset(path + "/step", steps);
  file.dataset(path + "/zero_point", zero_points);
}

}  // namespace

RecordWriter::RecordWriter(const std::filesystem::path& path, std::string_view job,
                           const BlockOptions& options)
    : file_(path), method_(options.transform.method), scheme_(options.scheme) {
  file_.text("/job", job);
  file_.attribute("/", "scheme", scheme_to_json(options.scheme).dump());
  file_.group("/progress");
}

void RecordWriter::block(Index number, const BlockRecord& record) {
  for (const auto& [name, found] : record.sites) {
    const std::string path = site_path(number, name);
    file_.dataset(path + "/shift", values_of(found.transform.shift));
    file_.dataset(path + "/scale", values_of(found.transform.scale));
    file_.dataset(path + "/thresholds", found.thresholds);
    file_.dataset(path + "/losses", found.losses);
    file_.attribute(path, "method", name_of(method_));
    file_.attribute(path, "threshold", found.threshold);
    file_.attribute(path, "loss", found.loss_after);
    file_.attribute(path, "loss_before", found.loss_before);
  }
  for (const Node node : all_nodes) {
    const std::string path = node_path(number, node);
    const NodeRecord& told = record.nodes[index_of(node)];
    write_statistics(file_, path, told);
    const TensorScheme scheme = scheme_of_node(scheme_, number, node);
    write_quantizer(file_, path,
                    is_dynamic(scheme) ? ActivationQuantizer(scheme)
                                       : ActivationQuantizer(scheme, told.ranges));
  }
  if (record.clip) file_.attribute(fmt::format("/blocks/{}", number), "clip", *record.clip);
  last_block_ = number;
}

void RecordWriter::commit(const std::string& id) {
  file_.attribute("/progress", "last_finished_block", last_block_);
  file_.attribute("/", "id", id);
  file_.commit();
}

RecordReader::RecordReader(const std::filesystem::path& path) : path_(path), file_(path) {}

std::string RecordReader::id() const {
  const auto id = file_.text_attribute("/", "id");
  if (!id) {
    throw InputError(fmt::format(
        "{}: no attribute 'id' at '/'; it is not a record of a calibration", path_.string()));
  }
  return *id;
}

NodeQuantizers RecordReader::quantizers(Index block, const Architecture& architecture,
                                        const Scheme& scheme) const {
  NodeQuantizers quantizers;
  for (const Node node : all_nodes) {
    const TensorScheme node_scheme = scheme_of_node(scheme, block, node);
    auto& quantizer = quantizers[index_of(node)];
    if (is_dynamic(node_scheme)) {
      quantizer.emplace(node_scheme);
      continue;
    }
    const std::string path = node_path(block, node);
    std::vector<Range> ranges = node_scheme.granularity == Granularity::per_tensor
                                    ? tensor_range(path)
                                    : channel_ranges(path, channels_of(node, architecture));
    for (const Range& range : ranges) {
      if (!std::isfinite(range.low) || !std::isfinite(range.high)) {
        throw InputError(
            fmt::format("{}: '{}': a range is not finite; calibrate again", path_.string(), path));
      }
    }
    quantizer.emplace(node_scheme, std::move(ranges));
  }
  return quantizers;
}

std::vector<Range> RecordReader::tensor_range(const std::string& node) const {
  if (file_.exists(node)) {
    const auto low = file_.number_attribute(node, "range_low");
    const auto high = file_.number_attribute(node, "range_high");
    if (low && high) return {{static_cast<float>(*low), static_cast<float>(*high)}};
  }
  throw InputError(fmt::format("{}: '{}' has no range_low and range_high; calibrate again",
                               path_.string(), node));
}

std::vector<Range> RecordReader::channel_ranges(const std::string& node, Index channels) const {
  const auto low = file_.dataset(node + "/range_low");
  const auto high = file_.dataset(node + "/range_high");
  const auto expected = static_cast<std::size_t>(channels);
  if (low.size() != expected || high.size() != expected) {
    throw InputError(
        fmt::format("{}: '{}': {} values of range_low and {} of range_high for {} channels; "
                    "calibrate again",
                    path_.string(), node, low.size(), high.size(), expected));
  }
  std::vector<Range> ranges(expected);
  for (std::size_t j = 0; j < expected; ++j) {
    ranges[j] = {static_cast<float>(low[j]), static_cast<float>(high[j])};
  }
  return ranges;
}

}  // namespace evenkeel
