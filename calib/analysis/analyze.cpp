#include "calib/analysis/analyze.h"

#include <cmath>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "calib/analysis/analysis_record.h"
#include "calib/analysis/correlation.h"
#include "calib/compared_inputs.h"
#include "calib/job_inputs.h"
#include "calib/output_folder.h"
#include "calib/report/report.h"
#include "io/errors.h"
#include "io/file.h"

namespace evenkeel {
namespace {

constexpr std::string_view calibration_axis = "calibration";

std::string set_label(const ComparisonRow& row) {
  for (const auto& [axis, label] : row.settings) {
    if (axis == calibration_axis) return label;
  }
  const CorpusOptions& corpus = row.job.calibration.corpus;
  switch (corpus.random) {
    case CorpusOptions::Random::ascii:
      return "random: ascii";
    case CorpusOptions::Random::vocabulary:
      return "random: vocabulary";
    case CorpusOptions::Random::none:
      break;
  }
  return "corpus: " + corpus.file.filename().string();
}

std::int64_t tokens_of(const std::vector<Encoding>& samples) {
  std::size_t tokens = 0;
  for (const Encoding& sample : samples) tokens += sample.ids.size();
  return static_cast<std::int64_t>(tokens);
}

std::optional<double> mean_of_finite(const ChannelMoments::Row& values) {
  double sum = 0.0;
  double count = 0.0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    count += 1.0;
  }
  return count > 0.0 ? std::optional(sum / count) : std::nullopt;
}

// By index_of(node): of each channel, how much the weights vary that produce it.
using Producers = std::array<std::optional<std::vector<double>>, node_count>;

AnalyzedNode figures_of(const ChannelMoments& moments,
                        const std::optional<std::vector<double>>& producers) {
  const ChannelStatistics& statistics = moments.statistics();
  AnalyzedNode node;
  node.low = static_cast<double>(statistics.low().minCoeff());
  node.high = static_cast<double>(statistics.high().maxCoeff());
  node.kurtosis = mean_of_finite(moments.kurtosis());
  node.beyond = moments.beyond().mean() / moments.tokens();
  if (producers) {
    const Vector absmax = statistics.absmax();
    node.producers = spearman(*producers, std::vector<double>(absmax.begin(), absmax.end()));
  }
  return node;
}

AnalyzedBlock figures_of(const BlockObservation& observation, const Producers& producers) {
  AnalyzedBlock block;
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    const std::size_t i = index_of(node);
    block.nodes[i] = figures_of(observation.nodes[i].moments, producers[i]);
  }
  block.rmse_per_token = observation.tokens.rmse_per_token();
  block.rmse_per_tensor = observation.tokens.rmse_per_tensor();
  block.token_deviation = observation.tokens.deviation();
  return block;
}

AnalyzedMeans figures_of(const MeanEnds& ends) {
  const auto wide = [](const MeanEntry& entry) { return static_cast<double>(entry.value); };
  return {.count = ends.top.size(),
          .largest = wide(ends.top.front()),
          .top_from = wide(ends.top.back()),
          .bottom_to = wide(ends.bottom.back()),
          .smallest = wide(ends.bottom.front())};
}

// What moves through a model's blocks, and what is kept of it.
struct MovingSet {
  HiddenStream stream;
  SetSummary summary;
};

class ModelAnalysis {
 public:
  ModelAnalysis(std::size_t number, const LanguageModel& model, const AnalysisOptions& options,
                AnalysisRecord& record)
      : number_(number), model_(model), options_(options), record_(record) {}

  void add_set(const std::string& label, const std::vector<Encoding>& samples,
               HiddenMemory& memory) {
    moving_.push_back({HiddenStream(model_, samples, &memory), {}});
    AnalyzedSet set;
    set.label = label;
    set.samples = samples.size();
    set.tokens = tokens_of(samples);
    record_.set(number_, result_.sets.size(), label, set.samples, set.tokens);
    result_.sets.push_back(std::move(set));
  }

  void block(Index number) {
    const Checkpoint& checkpoint = model_.checkpoint();
    const Architecture& architecture = model_.architecture();
    const Block block = load_block(checkpoint, architecture, number);
    result_.blocks.push_back(weight_figures(architecture, block, options_.histogram_bins));
    record_.weights(number_, number, result_.blocks.back());
    const Producers producers = producers_of(number);
    release_block(checkpoint, architecture, number);
    const HistogramWidths widths =
        histogram_widths(architecture, block, moving_.front().stream, options_);
    for (std::size_t i = 0; i < moving_.size(); ++i) {
      const BlockObservation seen = observed(block, i, widths);
      moving_[i].summary.add_block(seen);
      record_.block(number_, i, number, seen);
      result_.sets[i].blocks.push_back(figures_of(seen, producers));
    }
  }

  AnalyzedModel finish(const std::string& label) {
    for (std::size_t i = 0; i < moving_.size(); ++i) finish_set(i);
    for (std::size_t i = 0; i < moving_.size(); ++i) {
      for (std::size_t j = i + 1; j < moving_.size(); ++j) {
        result_.pairs.push_back(
            {i, j, similarity_of(moving_[i].summary, moving_[j].summary, options_)});
      }
    }
    result_.label = label;
    result_.model_type = model_.architecture().model_type;
    record_.model(number_, label, model_.architecture());
    return std::move(result_);
  }

 private:
  Producers producers_of(Index number) {
    Producers producers;
    for (const Node node : all_nodes) {
      auto& deviations = producers[index_of(node)];
      deviations = producer_deviations(model_.checkpoint(), model_.architecture(), number, node);
      if (deviations) record_.producers(number_, number, node, *deviations);
    }
    return producers;
  }

  BlockObservation observed(const Block& block, std::size_t set, const HistogramWidths& widths) {
    const auto place = [&](const Error& error) {
      return fmt::format("{}: block {}: set '{}': {}", model_.checkpoint().folder().string(),
                         block.number, result_.sets[set].label, error.what());
    };
    try {
      return observe_and_advance(model_.architecture(), block, moving_[set].stream, options_,
                                 widths);
    } catch (const InputError& error) {
      throw InputError(place(error));
    } catch (const MachineError& error) {
      throw MachineError(place(error));
    }
  }

  void finish_set(std::size_t set) {
    for (const Node node : all_nodes) {
      if (!is_analyzed(node)) continue;
      const std::size_t i = index_of(node);
      const NodeSummary& summary = moving_[set].summary.nodes[i];
      const MeanEnds ends = mean_ends(summary.mean);
      record_.means(number_, set, node, ends);
      result_.sets[set].means[i] = figures_of(ends);
      result_.sets[set].outliers[i] = summary.counts.outliers(options_);
    }
  }

  std::size_t number_;
  const LanguageModel& model_;
  const AnalysisOptions& options_;
  AnalysisRecord& record_;
  std::vector<MovingSet> moving_;
  AnalyzedModel result_;
};

int blocks_of(const ComparedInputs& inputs) {
  Index blocks = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    blocks += inputs.at(i).model().architecture().blocks;
  }
  return static_cast<int>(blocks);
}

}  // namespace

AnalysisResult run_analysis(const Comparison& analysis, Progress& progress) {
  const Job& job = analysis.job;
  AnalysisResult result{.options = job.analyze, .models = {}};
  const ComparedInputs inputs(analysis.rows);
  // Every corpus is read before any work, so that a fault in the last set costs nothing.
  std::vector<std::vector<Encoding>> samples;
  for (std::size_t row = 0; row < analysis.rows.size(); ++row) {
    samples.push_back(inputs.at(inputs.model_of(row)).samples(analysis.rows[row].job));
  }
  OutputFolder output(job.output);
  HiddenMemory memory(job.memory_limit, job.output);
  AnalysisRecord record(output.stage("analysis.h5"), job.text, job.analyze);
  const int steps = blocks_of(inputs);
  int step = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const LanguageModel& model = inputs.at(i).model();
    ModelAnalysis of_model(i, model, job.analyze, record);
    for (std::size_t row = 0; row < analysis.rows.size(); ++row) {
      if (inputs.model_of(row) != i) continue;
      of_model.add_set(set_label(analysis.rows[row]), samples[row], memory);
    }
    for (Index number = 0; number < model.architecture().blocks; ++number) {
      progress.step("analyze", step++, steps, fmt::format("{}: block {}", inputs.label(i), number));
      of_model.block(number);
    }
    result.models.push_back(of_model.finish(inputs.label(i)));
  }
  progress.step("analyze", steps, steps, "finish");
  record.commit();
  write_text(output.stage("analysis.json"), to_json(result).dump(2) + "\n");
  stage_reports(output, progress);
  output.commit();
  return result;
}

}  // namespace evenkeel
