// What a site is scored by is what the model computes: the outputs of its readers, unquantized,
// against the nodes of the forward, for every family.
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "calib/observing_taps.h"
#include "model/language_model.h"
#include "support/golden_architectures.h"
#include "transforms/site_scorer.h"

namespace evenkeel {
namespace {

class SiteOutputs : public testing::TestWithParam<std::string> {
 protected:
  SiteOutputs() = default;

  Matrix node(Node wanted, Index expert = 0) const {
    const NodeQuantizers none;
    CaptureTap tap(none, wanted, expert);
    Workspace workspace;
    Matrix hidden = entering_;
    forward(model_->architecture(), block_, hidden, {}, tap, workspace);
    return tap.captured();
  }

  // Each output of the site for all tokens at once.
  static std::vector<Matrix> outputs_of(const ScoredSite& site) {
    std::vector<Matrix> all;
    OutputBuffers buffers;
    RowRuns runs;
    for (const auto& output : site.outputs) {
      for (const Index rows : output->part_rows()) runs.parts.push_back(rows);
    }
    const auto weights = full_precision_readers(site.weight, runs);
    weights->take(site.inputs.front(), buffers.sample);
    std::size_t part = 0;
    Index first = 0;
    for (const auto& output : site.outputs) {
      const OutputReaders readers{*weights, part, site.bias.segment(first, output->weight_rows())};
      Matrix out = Matrix::Zero(site.inputs.front().rows(), output->columns());
      output->begin(readers, out.rows(), buffers);
      output->piece(readers, 0, 0, buffers, out);
      all.push_back(std::move(out));
      part += output->part_rows().size();
      first += output->weight_rows();
    }
    return all;
  }

  // The same sums in another order: some epsilon of the largest value for each channel.
  void expect_same(const Matrix& actual, const Matrix& expected) const {
    ASSERT_EQ(actual.rows(), expected.rows());
    ASSERT_EQ(actual.cols(), expected.cols());
    const float largest = expected.cwiseAbs().maxCoeff();
    EXPECT_GT(largest, 0.0F);
    const float difference = (actual - expected).cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
    EXPECT_LE(difference, 1e-5F * largest);
  }

  void check(const Site& site, const Matrix& output, Objective objective) const {
    const Architecture& architecture = model_->architecture();
    SCOPED_TRACE(site.name);
    if (objective == Objective::attention) {
      expect_same(output, node(Node::attention_output));
    } else if (objective == Objective::gated) {
      expect_same(output, node(Node::mlp_hidden));
    } else if (objective == Objective::mixture) {
      // Each expert's hidden values have their tokens' weight: compare what a token's squares sum
      // to, whatever order its experts come in.
      Matrix router(output.rows(), architecture.expert_count);
      apply(block_.linear(LinearRole::router), node(Node::mlp_input), router);
      const auto routing = route(router, architecture.experts_per_token);
      Vector energy = Vector::Zero(output.rows());
      for (std::size_t e = 0; e < routing.size(); ++e) {
        const Matrix hidden = node(Node::mlp_hidden, static_cast<Index>(e));
        for (std::size_t i = 0; i < routing[e].tokens.size(); ++i) {
          energy(routing[e].tokens[i]) += routing[e].weights[i] * routing[e].weights[i] *
                                          hidden.row(static_cast<Index>(i)).squaredNorm();
        }
      }
      expect_same(output.rowwise().squaredNorm().transpose(), energy);
    } else if (site.kind == SiteKind::mlp || site.kind == SiteKind::attention) {
      Matrix hidden = output;
      const Vector& bias = block_.linear(LinearRole::up).bias;
      if (bias.size() != 0) hidden.rowwise() += bias;
      activate(architecture.activation, hidden);
      expect_same(hidden, node(Node::mlp_hidden));
    }
  }

  void load(const std::filesystem::path& folder) {
    checkpoint_.emplace(support::shared_file(folder));
    model_.emplace(*checkpoint_);
    const Index number = model_->architecture().blocks - 1;
    block_ = load_block(*checkpoint_, model_->architecture(), number);
    // Any hidden state will do.
    Tokens tokens;
    for (TokenId id = 0; id < 24; ++id) tokens.push_back((7 * id + 3) % 60);
    entering_ = model_->embed(tokens);
  }

  std::optional<Checkpoint> checkpoint_;
  std::optional<LanguageModel> model_;
  Block block_;
  Matrix entering_;
};

TEST_P(SiteOutputs, AreWhatTheForwardComputes) {
  const auto folder = support::golden_architecture(GetParam());
  EVENKEEL_NEEDS_SHARED(folder);
  load(folder);
  for (const Site& site : all_sites(model_->architecture())) {
    const Matrix input = node(site.input, site.readers.front().expert);
    if (input.rows() == 0) continue;  // an expert without tokens
    const auto outputs = outputs_of(scored_site(model_->architecture(), block_, site, {input}));
    ASSERT_EQ(outputs.size(), site.objectives.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) check(site, outputs[i], site.objectives[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Families, SiteOutputs, testing::ValuesIn(support::golden_architectures()),
                         support::architecture_test_name);

}  // namespace
}  // namespace evenkeel
