#include "support/written_analysis.h"

#include <utility>

#include "calib/analysis/analysis_record.h"
#include "io/file.h"
#include "support/random_matrix.h"

namespace evenkeel::support {
namespace {

constexpr Index tokens = 4;
constexpr float limit = 6.0F;

BlockObservation observed(const WrittenAnalysis& analysis, std::size_t set, Index block) {
  BlockObservation seen;
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    const Matrix values = analysis.activations(set, block, node);
    NodeObservation& of_node = seen.nodes[index_of(node)];
    of_node.moments.observe(values, static_cast<double>(limit));
    if (node == quantized_node) seen.tokens.observe(values, values.cwiseAbs().maxCoeff(), 8);
    if (!has_histogram(node)) continue;
    of_node.histogram.emplace(2.0, 201);
    of_node.histogram->observe({values.data(), static_cast<std::size_t>(values.size())});
  }
  return seen;
}

AnalyzedBlock figures_of(const BlockObservation& seen) {
  AnalyzedBlock block;
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    const ChannelMoments& moments = seen.nodes[index_of(node)].moments;
    block.nodes[index_of(node)] = {
        .low = static_cast<double>(moments.statistics().low().minCoeff()),
        .high = static_cast<double>(moments.statistics().high().maxCoeff()),
        .kurtosis = moments.kurtosis().mean(),
        .beyond = moments.beyond().mean() / moments.tokens(),
        .producers = node == Node::attention_output ? std::optional(0.5) : std::nullopt};
  }
  block.rmse_per_token = seen.tokens.rmse_per_token();
  block.rmse_per_tensor = seen.tokens.rmse_per_tensor();
  block.token_deviation = seen.tokens.deviation();
  return block;
}

WeightFigures weights_of(Index block) {
  WeightFigures figures;
  for (const char* module : {"self_attn.q_proj", "fc1"}) {
    const Matrix weight =
        random_matrix(16, 16, static_cast<std::uint32_t>(block) + 7U, -0.5F, 0.5F);
    LinearFigures linear{.module = module,
                         .rows = 16,
                         .columns = 16,
                         .spectral_norm = 2.0 + static_cast<double>(block),
                         .absmax = static_cast<double>(weight.cwiseAbs().maxCoeff()),
                         .deviation = 0.25,
                         .histogram = Histogram(0.5, 201)};
    linear.histogram.observe({weight.data(), static_cast<std::size_t>(weight.size())});
    figures.linears.push_back(std::move(linear));
  }
  figures.norms.push_back(
      {.role = NormRole::mlp_input, .module = "final_layer_norm", .gain_deviation = 0.5});
  return figures;
}

// Of the middle block where a set has no other.
Index block_of(const WrittenAnalysis& analysis, std::size_t set, Index block) {
  return set < analysis.whole_sets ? block : analysis.blocks / 2;
}

AnalyzedModel model_of(const WrittenAnalysis& analysis, const std::string& label) {
  AnalyzedModel model;
  model.label = label;
  model.model_type = "opt";
  for (Index block = 0; block < analysis.blocks; ++block) model.blocks.push_back(weights_of(block));
  for (std::size_t s = 0; s < analysis.sets.size(); ++s) {
    AnalyzedSet& set = model.sets.emplace_back();
    set.label = analysis.sets[s];
    set.samples = 2;
    set.tokens = 2 * tokens;
    set.outliers[index_of(Node::attention_input)] = {
        {.channel = 3, .absmax = 20.0, .blocks = 1.0, .tokens = 0.5}};
    if (s == 1) {
      set.outliers[index_of(Node::mlp_input)] = {
          {.channel = 3, .absmax = 20.0, .blocks = 1.0, .tokens = 0.5},
          {.channel = 5, .absmax = 7.0, .blocks = 0.5, .tokens = 0.1}};
    }
    for (Index block = 0; block < analysis.blocks; ++block) {
      if (block > 0 && s >= analysis.whole_sets) {
        set.blocks.push_back(set.blocks.front());
      } else {
        set.blocks.push_back(figures_of(observed(analysis, s, block_of(analysis, s, block))));
      }
    }
  }
  for (std::size_t a = 0; a < analysis.sets.size(); ++a) {
    for (std::size_t b = a + 1; b < analysis.sets.size(); ++b) {
      AnalyzedPair& pair = model.pairs.emplace_back();
      pair.first = a;
      pair.second = b;
      const double apart = 1.0 / static_cast<double>(a + b);
      pair.similarity.overall = {.outliers = 0.5,
                                 .top = 0.25,
                                 .maxima = 1.0 - 0.5 * apart,
                                 .minima = {},
                                 .distance = apart};
    }
  }
  return model;
}

}  // namespace

Matrix WrittenAnalysis::activations(std::size_t set, Index block, Node node) const {
  const auto seed = static_cast<std::uint32_t>(1000 * set + 10 * static_cast<std::size_t>(block) +
                                               index_of(node));
  Matrix values = random_matrix(tokens, node == Node::mlp_hidden ? hidden : channels, seed);
  values.col(3) *= 20.0F;
  return values;
}

AnalysisResult WrittenAnalysis::result() const {
  AnalysisResult result;
  for (const std::string& label : models) result.models.push_back(model_of(*this, label));
  return result;
}

void WrittenAnalysis::write(const std::filesystem::path& folder) const {
  const AnalysisResult written = result();
  AnalysisRecord record(folder / "analysis.h5", "model: <script>\n", written.options);
  Architecture architecture;
  architecture.model_type = "opt";
  architecture.blocks = blocks;
  for (std::size_t m = 0; m < models.size(); ++m) {
    record.model(m, models[m], architecture);
    for (Index block = 0; block < blocks; ++block) {
      record.weights(m, block, written.models[m].blocks[static_cast<std::size_t>(block)]);
    }
    for (std::size_t s = 0; s < sets.size(); ++s) {
      record.set(m, s, sets[s], 2, 2 * tokens);
      for (Index block = 0; block < blocks; ++block) {
        if (s < whole_sets || block == blocks / 2) {
          record.block(m, s, block, observed(*this, s, block));
        }
      }
      if (s >= whole_sets) continue;
      for (const Node node : all_nodes) {
        if (!is_analyzed(node)) continue;
        std::vector<Vector> means;
        for (Index block = 0; block < blocks; ++block) {
          means.emplace_back(activations(s, block, node).colwise().mean());
        }
        record.means(m, s, node, mean_ends(means));
      }
    }
  }
  record.commit();
  write_text(folder / "analysis.json", to_json(written).dump(2) + "\n");
}

}  // namespace evenkeel::support
