// The answer of an analysis, in two sentences.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "calib/analysis/analysis_report.h"
#include "calib/report/figure_text.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

constexpr std::size_t most_named_models = 6;

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string what_ran(const AnalysisResult& result) {
  std::size_t most_sets = 0;
  std::int64_t tokens = 0;
  for (const AnalyzedModel& model : result.models) {
    most_sets = std::max(most_sets, model.sets.size());
    for (const AnalyzedSet& set : model.sets) tokens += set.tokens;
  }
  return fmt::format("{} with {}, {} tokens in all",
                     result.models.size() == 1 ? one_line(result.models.front().label)
                                               : counted(result.models.size(), "model"),
                     counted(most_sets, "calibration set"), tokens);
}

// "142 (111 at attention.key, 7 at attention.input)": those that any set finds, by node.
std::string outliers_text(const AnalyzedModel& model) {
  std::vector<std::pair<std::size_t, std::string_view>> counts;
  std::size_t all = 0;
  for (const Node node : all_nodes) {
    std::set<Index> channels;
    for (const AnalyzedSet& set : model.sets) {
      for (const OutlierChannel& each : set.outliers[index_of(node)]) channels.insert(each.channel);
    }
    if (channels.empty()) continue;
    counts.emplace_back(channels.size(), name_of(node));
    all += channels.size();
  }
  if (all == 0) return "none";
  std::ranges::stable_sort(counts, std::greater<>(), [](const auto& each) { return each.first; });
  std::string text = fmt::format("{} (", all);
  for (const auto& [count, node] : counts) {
    text += fmt::format("{}{} at {}", text.back() == '(' ? "" : ", ", count, node);
  }
  return text + ")";
}

std::string outlier_sentence(const AnalysisResult& result) {
  const AnalysisOptions& options = result.options;
  std::string text = fmt::format(
      "{}: outlier dimensions (|x| > {:g} in more than {:g} % of the blocks and {:g} % of the "
      "tokens of any set): ",
      what_ran(result), options.outlier_threshold, 100.0 * options.outlier_blocks,
      100.0 * options.outlier_tokens);
  const std::size_t models = result.models.size();
  if (models == 1) return text + outliers_text(result.models.front()) + ".";
  for (std::size_t m = 0; m < std::min(models, most_named_models); ++m) {
    text += fmt::format("{}{} {}", m > 0 ? "; " : "", one_line(result.models[m].label),
                        outliers_text(result.models[m]));
  }
  if (models > most_named_models) text += fmt::format("; {} more", models - most_named_models);
  return text + ".";
}

std::string similarity_sentence(const AnalysisResult& result) {
  std::vector<double> maxima;
  const AnalyzedModel* model = nullptr;
  const AnalyzedPair* furthest = nullptr;
  for (const AnalyzedModel& each : result.models) {
    for (const AnalyzedPair& pair : each.pairs) {
      const Similarity& overall = pair.similarity.overall;
      if (overall.maxima) maxima.push_back(*overall.maxima);
      if (furthest != nullptr && overall.distance <= furthest->similarity.overall.distance)
        continue;
      furthest = &pair;
      model = &each;
    }
  }
  if (furthest == nullptr) return "";
  const std::string apart =
      fmt::format("ranges are {:.3f} apart{} (0 alike, 2 at most){}",
                  furthest->similarity.overall.distance, maxima.size() > 1 ? " at most" : "",
                  maxima.size() > 1
                      ? fmt::format(": {} and {}{}", one_line(model->sets[furthest->first].label),
                                    one_line(model->sets[furthest->second].label),
                                    result.models.size() > 1 ? " in " + one_line(model->label) : "")
                      : "");
  if (maxima.empty()) return fmt::format("Between sets {}.", apart);
  std::ranges::sort(maxima);
  return fmt::format("Between sets maxima of channels correlate by {}, and {}.",
                     maxima.size() > 1 ? fmt::format("{:.3f} at least, {:.3f} in the median",
                                                     maxima.front(), maxima[maxima.size() / 2])
                                       : fmt::format("{:.3f}", maxima.front()),
                     apart);
}

std::string error_sentence(const AnalysisResult& result) {
  std::vector<double> ratios;
  for (const AnalyzedModel& model : result.models) {
    for (const AnalyzedSet& set : model.sets) {
      for (const AnalyzedBlock& block : set.blocks) {
        if (block.rmse_per_token > 0.0) {
          ratios.push_back(block.rmse_per_tensor / block.rmse_per_token);
        }
      }
    }
  }
  if (ratios.empty()) return "";
  const auto [least, most] = std::ranges::minmax(ratios);
  return fmt::format(
      "At {} one range for all tokens costs {:.2f} to {:.2f} times the error of one for each.",
      name_of(quantized_node), least, most);
}

}  // namespace

std::vector<std::string> analysis_answers(const AnalysisResult& result) {
  std::vector<std::string> answers{outlier_sentence(result)};
  std::string second = similarity_sentence(result);
  if (second.empty()) second = error_sentence(result);
  if (!second.empty()) answers.push_back(std::move(second));
  return answers;
}

}  // namespace evenkeel
