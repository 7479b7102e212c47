#include "calib/scaling/scaling_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "calib/report/chart.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr double bits_of_megabyte = 8e6;

using Points = std::vector<ScalingPoint>;

double megabytes(const ScalingPoint& point) {
  return static_cast<double>(point.total_bits) / bits_of_megabyte;
}

// Loss over bits, a curve for each precision: of several models the best point of each, of one the
// best point of each block.
Chart family_chart(const ScalingResult& result, const Points& points, const std::string& family) {
  const bool one_model = std::ranges::all_of(
      points, [&](const ScalingPoint& point) { return point.model == points.front().model; });
  const auto place_of = [&](const ScalingPoint& point) -> std::size_t {
    if (!one_model) return point.model;
    if (!point.row) return 0;
    return static_cast<std::size_t>(shared_values(result.rows[*point.row].weights).value_or(0));
  };
  std::map<int, std::map<std::size_t, ScalingPoint>> best;  // by bits, then place
  for (const ScalingPoint& point : points) {
    const auto [known, is_new] = best[point.bits].try_emplace(place_of(point), point);
    if (!is_new && point.loss < known->second.loss) known->second = point;
  }
  CurvePlot plot;
  for (const auto& [bits, by_place] : best) {
    Curve& curve = plot.curves.emplace_back();
    curve.name = fmt::format("{} bits", bits);
    for (const auto& [place, point] : by_place) {
      curve.points.emplace_back(megabytes(point), point.loss);
    }
    std::ranges::sort(curve.points);
  }
  Curve front{.name = "Pareto front", .points = {}, .line = false, .rings = true};
  for (const ScalingPoint& point : pareto_front(points)) {
    front.points.emplace_back(megabytes(point), point.loss);
  }
  plot.curves.push_back(std::move(front));
  return {.name = chart_name(family + " front"),
          .title = fmt::format("{}: {} over the bits of the model", family, loss_name(result)),
          .x_name = "megabytes of the whole model",
          .y_name = std::string(loss_name(result)),
          .log_x = true,
          .plot = std::move(plot)};
}

// Rows of a model, by a name and a position along the axis; the least loss where several share it.
template <class Select>
std::vector<Curve> curves_by_type(const ScalingResult& result, const Points& points,
                                  std::size_t model, const Select& select) {
  std::map<std::string, std::map<double, double>> curves;
  for (const ScalingPoint& point : points) {
    if (point.model != model || !point.row) continue;
    const TensorScheme& weights = result.rows[*point.row].weights;
    const std::optional<double> x = select(weights);
    if (!x) continue;
    const auto [place, is_new] = curves[data_type_of(weights)].try_emplace(*x, point.loss);
    if (!is_new) place->second = std::min(place->second, point.loss);
  }
  std::vector<Curve> all;
  all.reserve(curves.size());
  for (const auto& [name, xy] : curves) {
    all.push_back({.name = name, .points = {xy.begin(), xy.end()}});
  }
  return all;
}

// The smallest block, or group, of all rows.
std::optional<int> smallest_block(const ScalingResult& result) {
  std::optional<int> least;
  for (const ScaledRow& row : result.rows) {
    const auto own = shared_values(row.weights);
    if (own && (!least || *own < *least)) least = own;
  }
  return least;
}

int four_or_fewest_bits(const ScalingResult& result) {
  int fewest = unquantized_bits;
  for (const ScaledRow& row : result.rows) {
    if (row.weights.bits == 4) return 4;
    fewest = std::min(fewest, row.weights.bits);
  }
  return fewest;
}

std::vector<Chart> model_charts(const ScalingResult& result, const Points& points,
                                std::size_t model) {
  const std::string& label = result.models[model].label;
  const std::string loss(loss_name(result));
  const std::optional<int> block = smallest_block(result);
  const int bits = four_or_fewest_bits(result);
  const auto by_bits = [&](const TensorScheme& weights) -> std::optional<double> {
    if (shared_values(weights) != block) return std::nullopt;
    return weights.bits;
  };
  const auto by_block = [&](const TensorScheme& weights) -> std::optional<double> {
    const auto shared = shared_values(weights);
    if (!shared || weights.bits != bits) return std::nullopt;
    return *shared;
  };
  return {{.name = chart_name(fmt::format("{} {} data types", label, model)),
           .title = fmt::format("{}: data types{}", label,
                                block ? fmt::format(", blocks of {}", *block) : ""),
           .x_name = "bits of a code",
           .y_name = loss,
           .plot = CurvePlot{curves_by_type(result, points, model, by_bits)}},
          {.name = chart_name(fmt::format("{} {} blocks", label, model)),
           .title = fmt::format("{}: blocks, {} bits", label, bits),
           .x_name = "values that share a constant",
           .y_name = loss,
           .log_x = true,
           .plot = CurvePlot{curves_by_type(result, points, model, by_block)}}};
}

class Report {
 public:
  Report(const ScalingResult& result, const std::string& job_file)
      : result_(result),
        points_(points_of(result)),
        page_(fmt::format("Bits and {}", loss_name(result))) {
    for (const std::string& answer : scaling_answers(result)) page_.lead(answer);
    page_.paragraph(fmt::format(
        "{} models at {} settings; {}, job {}. Bits are those of all tensors that the checkpoint "
        "stores: codes, constants, code books, and what stays unquantized.",
        result.models.size(), result.rows.size(), evaluated_on(), job_file));
  }

  Page page() && {
    for (const std::string& family : families_of(result_)) {
      const Points own = of_family(result_, points_, family);
      page_.heading(family);
      page_.figure(
          family_chart(result_, own, family),
          "Each curve joins the best settings of one precision, from model to model (of one "
          "model, from block to block); rings mark the points than which none is smaller and "
          "no worse.");
      front_table(own);
    }
    for (std::size_t model = 0; model < result_.models.size(); ++model) {
      page_.heading(result_.models[model].label);
      for (Chart& chart : model_charts(result_, points_, model)) {
        page_.figure(std::move(chart), "");
      }
    }
    all_rows();
    return std::move(page_);
  }

 private:
  std::string evaluated_on() const {
    return fmt::format("{} of {}", name_of(result_.metric),
                       result_.models.front().scores.front().label);
  }

  void front_table(const Points& points) {
    page_.paragraph("The best setting from each size on:");
    std::vector<std::vector<std::string>> rows;
    for (const ScalingPoint& point : pareto_front(points)) {
      rows.push_back({fmt::format("{:.2f}", megabytes(point)), text_of(point, result_),
                      fmt::format("{:.4f}", point.loss)});
    }
    page_.table({{"megabytes"}, {"setting", false}, {std::string(loss_name(result_))}}, rows);
  }

  void all_rows() {
    page_.heading("All settings");
    std::vector<std::vector<std::string>> rows;
    for (const ScalingPoint& point : points_) {
      const bool stored = !point.row;
      const ModelBits& bits =
          stored ? result_.models[point.model].bits : result_.rows[*point.row].bits;
      const auto& scores =
          stored ? result_.models[point.model].scores : result_.rows[*point.row].scores;
      const bool counted = !stored && !result_.rows[*point.row].uses.empty();
      rows.push_back(
          {text_of(point, result_), fmt::format("{:.3f}", megabytes(point)),
           fmt::format("{:.3f}", bits.per_weight()), fmt::format("{:.4f}", scores.front().value),
           fmt::format("{:.4f}", point.loss),
           counted ? fmt::format("{:.2f}", entropy_of(result_.rows[*point.row].uses)) : ""});
    }
    page_.table({{"setting", false},
                 {"megabytes"},
                 {"bits a weight"},
                 {std::string(name_of(result_.metric))},
                 {std::string(loss_name(result_))},
                 {"bits that a code tells"}},
                rows);
  }

  const ScalingResult& result_;
  Points points_;
  Page page_;
};

// The least loss of a model's rows that `counts`; nothing when there is none.
template <class Counts>
std::optional<double> least_loss(const ScalingResult& result, const Points& points,
                                 std::size_t model, const Counts& counts) {
  std::optional<double> least;
  for (const ScalingPoint& point : points) {
    if (point.model != model || !point.row || !counts(result.rows[*point.row].weights)) continue;
    if (!least || point.loss < *least) least = point.loss;
  }
  return least;
}

std::string percent_more(double loss, double base) {
  return fmt::format("{:+.1f} %", 100.0 * (loss / base - 1.0));
}

// "3 bits +12.3 %, 4 bits +1.2 %": what each precision loses against the model as it is stored.
std::string losses_by_bits(const ScalingResult& result, const Points& points, std::size_t model,
                           double stored) {
  std::string text;
  for (int bits = 2; bits <= 8; ++bits) {
    const auto loss = least_loss(result, points, model,
                                 [bits](const TensorScheme& own) { return own.bits == bits; });
    if (!loss) continue;
    text +=
        fmt::format("{}{} at {} bits", text.empty() ? "" : ", ", percent_more(*loss, stored), bits);
  }
  return text;
}

std::string gain_of_small_blocks(const ScalingResult& result, const Points& points,
                                 std::size_t model) {
  const int bits = four_or_fewest_bits(result);
  std::map<int, double> losses;  // by block
  for (const ScaledRow& row : result.rows) {
    const auto block = shared_values(row.weights);
    if (!block || losses.contains(*block)) continue;
    const auto loss = least_loss(result, points, model, [&](const TensorScheme& own) {
      return own.bits == bits && shared_values(own) == block;
    });
    if (loss) losses[*block] = *loss;
  }
  if (losses.size() < 2) return "";
  const auto& [small, with_small] = *losses.begin();
  const auto& [large, with_large] = *losses.rbegin();
  return fmt::format("; at {} bits blocks of {} {} to blocks of {}", bits, large,
                     percent_more(with_large, with_small), small);
}

// Of a family of several sizes: which precision is the best for the same bits.
std::string precision_text(const ScalingResult& result, const Points& points,
                           const std::string& family) {
  const auto common = at_common_size(points);
  if (!common) return "";
  std::string text;
  for (const auto& [bits, loss] : common->losses) {
    text += fmt::format("{}{} bits {:.4f}", text.empty() ? "" : ", ", bits, loss);
  }
  const auto best =
      std::ranges::min_element(common->losses, {}, [](const auto& each) { return each.second; });
  return fmt::format(
      "{}: for the same size {} bits are the best: {} on the lines between the "
      "models, at {:.1f} MB: {}.",
      one_line(family), best->first, loss_name(result), common->total_bits / bits_of_megabyte,
      text);
}

}  // namespace

std::string text_of(const ScalingPoint& point, const ScalingResult& result) {
  const std::string& label = result.models[point.model].label;
  if (!point.row) return fmt::format("{}: as it is stored", label);
  const ScaledRow& row = result.rows[*point.row];
  const std::string name = text_of(row.weights);
  const bool alone = std::ranges::count_if(result.rows, [&](const ScaledRow& other) {
                       return other.model == row.model && text_of(other.weights) == name;
                     }) == 1;
  if (alone) return fmt::format("{}: {}", label, name);
  // Rows that differ in anything else.
  std::string settings;
  for (const auto& [axis, setting] : row.settings) {
    settings += (settings.empty() ? "" : ", ") + setting;
  }
  return fmt::format("{}: {} ({})", label, name, settings);
}

std::vector<std::string> scaling_answers(const ScalingResult& result) {
  const Points points = points_of(result);
  std::vector<std::string> answers;
  for (const std::string& family : families_of(result)) {
    std::string text = precision_text(result, of_family(result, points, family), family);
    if (!text.empty()) answers.push_back(std::move(text));
  }
  for (std::size_t model = 0; model < result.models.size(); ++model) {
    const auto stored = std::ranges::find_if(
        points, [model](const ScalingPoint& point) { return point.model == model && !point.row; });
    answers.push_back(
        fmt::format("{}: {} to the model as it is stored, the best setting of each: {}{}.",
                    one_line(result.models[model].label), loss_name(result),
                    losses_by_bits(result, points, model, stored->loss),
                    gain_of_small_blocks(result, points, model)));
  }
  return answers;
}

Page scaling_report(const ScalingResult& result, const std::string& job_file) {
  return Report(result, job_file).page();
}

}  // namespace evenkeel
