#include "calib/analysis/weight_figures.h"

#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

TEST(WeightFiguresTest, EveryLinearAndNormByItsName) {
  const support::TinyStream tiny;
  const auto figures = weight_figures(tiny.architecture(), tiny.block(1), 5);
  std::vector<std::string> names;
  for (const LinearFigures& linear : figures.linears) {
    names.push_back(linear.module);
    const auto& counts = linear.histogram.counts();
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}),
              linear.rows * linear.columns);
    EXPECT_GT(counts.front() + counts.back(), 0);  // the largest is at an end
    EXPECT_EQ(linear.histogram.width(), linear.absmax);
    EXPECT_GT(linear.spectral_norm, linear.absmax);
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                      "self_attn.out_proj", "fc1", "fc2"}));
  ASSERT_EQ(figures.norms.size(), 2U);
  EXPECT_EQ(figures.norms[0].module, "self_attn_layer_norm");
  EXPECT_EQ(name_of(figures.norms[0].role), "attention.input");
  EXPECT_EQ(name_of(figures.norms[1].role), "mlp.input");
}

TEST(WeightFiguresTest, ZerosAndConstants) {
  support::TinyOpt options;
  options.change = [](const std::string& name, std::vector<float>& values) {
    if (name.ends_with("fc1.weight")) values.assign(values.size(), 0.0F);
    if (name.ends_with("final_layer_norm.weight")) values.assign(values.size(), 0.75F);
  };
  const support::TinyStream tiny(1, 4, options);
  const auto figures = weight_figures(tiny.architecture(), tiny.block(), 3);
  const LinearFigures& zeros = figures.linears[4];
  EXPECT_EQ(zeros.spectral_norm, 0.0);
  EXPECT_EQ(zeros.deviation, 0.0);
  EXPECT_EQ(zeros.histogram.counts(), (std::vector<std::int64_t>{0, 16 * 24, 0}));
  EXPECT_EQ(figures.norms[1].gain_deviation, 0.0);
}

TEST(WeightFiguresTest, ProducersOfWhatALinearMakesAndReads) {
  const support::TinyStream tiny;
  const auto deviations = [&](Index block, Node node) {
    return producer_deviations(tiny.model().checkpoint(), tiny.architecture(), block, node);
  };
  EXPECT_FALSE(deviations(0, Node::attention_input));  // the embedding's
  EXPECT_EQ(deviations(1, Node::attention_input)->size(), 16U);
  for (const Node node : {Node::attention_query, Node::attention_key, Node::attention_value,
                          Node::attention_probabilities}) {
    EXPECT_FALSE(deviations(1, node));
  }
  const auto hidden = deviations(0, Node::mlp_hidden);
  ASSERT_EQ(hidden->size(), 24U);
  const Matrix weight = tiny.block().linear(LinearRole::up).weight;
  const Eigen::ArrayXd row = weight.row(5).cast<double>().transpose();
  EXPECT_NEAR((*hidden)[5], std::sqrt((row - row.mean()).square().mean()), 1e-12);
}

}  // namespace
}  // namespace evenkeel
