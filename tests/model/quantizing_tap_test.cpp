#include "model/quantizing_tap.h"

#include <gtest/gtest.h>

#include "support/random_matrix.h"

namespace evenkeel {
namespace {

// Two bits over [-1, 2]: step 1, zero point 1, codes 0 .. 3; halves go to the even neighbour.
TEST(QuantizingTap, QuantizesTheNodesThatHaveAQuantizer) {
  NodeQuantizers quantizers;
  quantizers[index_of(Node::mlp_input)].emplace(TensorScheme{.bits = 2},
                                                std::vector<Range>{{-1.0F, 2.0F}});
  QuantizingTap tap(quantizers);
  Matrix values(2, 3);
  values << -5.0F, -0.6F, 0.5F, 1.4F, 1.5F, 9.0F;
  const Matrix before = values;
  for (const Node node : all_nodes) {
    if (node == Node::mlp_input) continue;
    tap.at(node, values, 0, 0);
    EXPECT_EQ(values, before) << name_of(node);
  }
  tap.at(Node::mlp_input, values, 0, 0);
  Matrix expected(2, 3);
  expected << -1.0F, -1.0F, 0.0F, 1.0F, 2.0F, 2.0F;
  EXPECT_EQ(values, expected);
}

// Symmetric, two bits: codes -1, 0, 1 by each token's largest magnitude.
TEST(QuantizingTap, DynamicQuantizersLookAtEachToken) {
  NodeQuantizers quantizers;
  quantizers[index_of(Node::attention_key)].emplace(
      TensorScheme{.bits = 2, .granularity = Granularity::per_token, .symmetric = true});
  QuantizingTap tap(quantizers);
  Matrix values(2, 3);
  values << 4.0F, -1.0F, -3.0F, 0.5F, 0.125F, -0.375F;
  tap.at(Node::attention_key, values, 0, 0);
  Matrix expected(2, 3);
  expected << 4.0F, 0.0F, -4.0F, 0.5F, 0.0F, -0.5F;
  EXPECT_EQ(values, expected);
}

TEST(QuantizingTap, TouchesTheWindowAlone) {
  NodeQuantizers quantizers;
  quantizers[index_of(Node::attention_probabilities)].emplace(TensorScheme{.bits = 2},
                                                              std::vector<Range>{{0.0F, 3.0F}});
  QuantizingTap tap(quantizers);
  Matrix values = Matrix::Constant(4, 6, 0.75F);
  tap.at(Node::attention_probabilities, values.block(1, 2, 2, 3), 1, 128);
  EXPECT_EQ(Matrix(values.block(1, 2, 2, 3)), Matrix::Ones(2, 3));
  values.block(1, 2, 2, 3).setConstant(0.75F);
  EXPECT_EQ(values, Matrix::Constant(4, 6, 0.75F));
}

TEST(NoTap, LeavesWhatItSees) {
  NoTap tap;
  Matrix values = support::random_matrix(2, 3, 1);
  const Matrix before = values;
  tap.at(Node::mlp_input, values, 0, 0);
  EXPECT_EQ(values, before);
}

}  // namespace
}  // namespace evenkeel
