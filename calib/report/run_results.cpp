#include "calib/report/run_results.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "calib/inspect.h"
#include "calib/record.h"
#include "calib/scheme_json.h"
#include "io/errors.h"
#include "io/json_reader.h"
#include "model/node.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Values = std::vector<double>;

constexpr std::size_t most_bands = 3;
constexpr std::size_t most_map_columns = 512;
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// What a site's readers read.
constexpr std::array<std::pair<std::string_view, Node>, 4> inputs{{
    {"attention", Node::attention_input},
    {"mlp", Node::mlp_input},
    {"output", Node::attention_output},
    {"down", Node::mlp_hidden},
}};

constexpr std::array mapped{Node::attention_input, Node::mlp_input, Node::mlp_hidden};

double number_of(const Json& value) { return value.is_number() ? value.get<double>() : unknown; }

void read_scores(const Json& summary, RunResults& results) {
  for (const Metric metric : {Metric::perplexity, Metric::accuracy, Metric::normalized_accuracy,
                              Metric::f1, Metric::matthews, Metric::pearson, Metric::spearman}) {
    const auto texts = summary.find(std::string(name_of(metric)));
    if (texts == summary.end()) continue;
    for (const auto& [text, score] : texts->items()) {
      results.scores.push_back(
          {metric, text, number_of(score.at("full_precision")), number_of(score.at("quantized"))});
    }
  }
}

void read_summary(const std::filesystem::path& path, RunResults& results) {
  const JsonReader reader(path);
  const Json& summary = reader.document();
  try {
    results.model = summary.at("model").get<std::string>();
    results.architecture = summary.at("architecture").get<std::string>();
    results.parameters = summary.at("parameters").get<std::int64_t>();
    results.job_file = summary.at("job").at("file").get<std::string>();
    results.method = summary.at("job").at("transform").at("method").get<std::string>();
    results.scheme = summary.at("job").at("scheme");
    read_scores(summary, results);
    for (const auto& [phase, value] : summary.at("seconds").items()) {
      results.seconds.emplace_back(phase, number_of(value));
    }
    results.peak_memory = summary.at("peak_memory_bytes").get<std::uint64_t>();
  } catch (const Json::exception& error) {
    throw InputError(fmt::format("{}: not the summary of a run: {}; run the job again",
                                 path.string(), error.what()));
  }
  results.scheme_name =
      name_of(scheme_from_json(JsonReader(path, summary.at("job")), "scheme")).value_or("");
}

double least(const Values& values) {
  return values.empty() ? unknown : *std::ranges::min_element(values);
}
double largest(const Values& values) {
  return values.empty() ? unknown : *std::ranges::max_element(values);
}

double median(Values values) {
  if (values.empty()) return unknown;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

class Reader {
 public:
  Reader(const std::filesystem::path& path, RunResults& results)
      : record_(path), file_(record_.file()), results_(results) {
    results.id = record_.id();
    results.job = file_.text("/job");
    for (const std::string& member : members("/blocks")) {
      std::size_t number = 0;
      const auto [end, error] =
          std::from_chars(member.data(), member.data() + member.size(), number);
      if (error != std::errc() || end != member.data() + member.size() ||
          number != results.blocks) {
        throw InputError(fmt::format(
            "{}: '/blocks': expected the members 0, 1, 2, ...; calibrate again", path.string()));
      }
      block(results.blocks++);
    }
  }

  void bands() {
    std::vector<const RunSite*> widest;
    for (const RunSite& site : results_.sites) {
      if (std::isfinite(site.high - site.low)) widest.push_back(&site);
    }
    std::ranges::stable_sort(widest, std::greater<>(),
                             [](const RunSite* site) { return site->high - site->low; });
    widest.resize(std::min(widest.size(), most_bands));
    for (const RunSite* site : widest) {
      const auto panels = panels_of(*site);
      if (panels) results_.bands.push_back({site->name(), panels->first, panels->second});
    }
  }

  void maps() {
    for (const Node node : mapped) {
      RunMap& added = results_.maps.emplace_back();
      added.node = name_of(node);
      for (std::size_t number = 0; number < results_.blocks; ++number) {
        if (!add_row(node_path(number, node), added.map)) {
          results_.maps.pop_back();
          break;
        }
      }
    }
  }

 private:
  static std::string node_path(std::size_t block, Node node) {
    return fmt::format("/blocks/{}/nodes/{}", block, name_of(node));
  }

  std::vector<std::string> members(const std::string& path) const {
    return file_.exists(path) ? file_.members(path) : std::vector<std::string>{};
  }

  Values values(const std::string& path, std::size_t expected) const {
    Values all = file_.dataset(path);
    if (all.size() != expected) {
      throw InputError(
          fmt::format("{}: '{}': expected {} values, as those beside it; got {}; "
                      "calibrate again",
                      record_.path().string(), path, expected, all.size()));
    }
    return all;
  }

  double attribute(const std::string& path, const char* name) const {
    return file_.number_attribute(path, name).value_or(unknown);
  }

  void block(std::size_t number) {
    for (const Node node : all_nodes) {
      if (file_.exists(node_path(number, node))) add_node(number, node);
    }
    const std::string sites = fmt::format("/blocks/{}/sites", number);
    for (const std::string& name : members(sites)) add_site(number, name, sites + "/" + name);
  }

  void add_node(std::size_t number, Node node) {
    const std::string path = node_path(number, node);
    const Values absmax = file_.dataset(path + "/absmax");
    RunNode& added = results_.nodes.emplace_back();
    added.block = number;
    added.kind = name_of(node);
    added.channels = absmax.size();
    added.low = least(values(path + "/min", absmax.size()));
    added.high = largest(values(path + "/max", absmax.size()));
    const double middle = median(absmax);
    added.largest_ratio = middle > 0.0 ? largest(absmax) / middle : unknown;
    for (const double magnitude : absmax) {
      if (middle > 0.0 && magnitude >= outlier_ratio * middle) ++added.outliers;
    }
    const auto low = file_.number_attribute(path, "range_low");
    const auto high = file_.number_attribute(path, "range_high");
    if (low && high) added.range.emplace(*low, *high);
    added.step = file_.number_attribute(path, "step");
  }

  void add_site(std::size_t number, const std::string& name, const std::string& path) {
    RunSite site{.block = number,
                 .kind = name,
                 .method = file_.text_attribute(path, "method").value_or(""),
                 .threshold = attribute(path, "threshold"),
                 .loss_before = attribute(path, "loss_before"),
                 .loss_after = attribute(path, "loss"),
                 .curve = {}};
    const Values thresholds = file_.dataset(path + "/thresholds");
    const Values losses = values(path + "/losses", thresholds.size());
    for (std::size_t i = 0; i < losses.size(); ++i) {
      if (std::isfinite(losses[i])) site.curve.emplace_back(thresholds[i], losses[i]);
    }
    std::ranges::sort(site.curve);
    const auto panels = panels_of(site);
    site.low = panels ? least(panels->first.low) : unknown;
    site.high = panels ? largest(panels->first.high) : unknown;
    site.low_after = panels ? least(panels->second.low) : unknown;
    site.high_after = panels ? largest(panels->second.high) : unknown;
    results_.sites.push_back(std::move(site));
  }

  // Of x and of (x - shift) / scale; nothing where the site's channels are not those of one node.
  std::optional<std::pair<BandPlot::Panel, BandPlot::Panel>> panels_of(const RunSite& site) const {
    const auto input =
        std::ranges::find(inputs, site.kind, [](const auto& each) { return each.first; });
    if (input == inputs.end()) return std::nullopt;
    const std::string node = node_path(site.block, input->second);
    const std::string path = fmt::format("/blocks/{}/sites/{}", site.block, site.kind);
    if (!file_.exists(node)) return std::nullopt;
    BandPlot::Panel before{.title = "before", .low = file_.dataset(node + "/min"), .high = {}};
    before.high = values(node + "/max", before.low.size());
    const Values shift = file_.dataset(path + "/shift");
    const Values scale = values(path + "/scale", shift.size());
    if (shift.size() != before.low.size()) return std::nullopt;
    BandPlot::Panel after{.title = "after", .low = {}, .high = {}};
    for (std::size_t j = 0; j < shift.size(); ++j) {
      after.low.push_back((before.low[j] - shift[j]) / scale[j]);
      after.high.push_back((before.high[j] - shift[j]) / scale[j]);
    }
    return std::pair{std::move(before), std::move(after)};
  }

  // Whether the block has the node, with as many channels as those before.
  bool add_row(const std::string& path, HeatMap& map) const {
    if (!file_.exists(path)) return false;
    const Values absmax = file_.dataset(path + "/absmax");
    const double middle = median(absmax);
    HeatMap row{.rows = 1, .columns = absmax.size(), .values = {}, .value_name = ""};
    for (const double magnitude : absmax) {
      // To four digits, of which no eye sees more.
      row.values.push_back(middle > 0.0 ? std::round(1e3 * magnitude / middle) / 1e3 : unknown);
    }
    row = pooled(row, most_map_columns);
    if (map.rows > 0 && (row.columns != map.columns || row.column_width != map.column_width)) {
      return false;
    }
    map.columns = row.columns;
    map.column_width = row.column_width;
    map.values.insert(map.values.end(), row.values.begin(), row.values.end());
    ++map.rows;
    return true;
  }

  RecordReader record_;
  const Hdf5Reader& file_;
  RunResults& results_;
};

}  // namespace

std::string RunSite::name() const { return fmt::format("blocks.{}.{}", block, kind); }

RunResults read_run_results(const std::filesystem::path& folder) {
  RunResults results;
  read_summary(folder / "summary.json", results);
  Reader reader(folder / "calibration.h5", results);
  reader.bands();
  reader.maps();
  return results;
}

}  // namespace evenkeel
