#include "calib/analysis/similarity.h"

#include <gtest/gtest.h>

#include "support/random_matrix.h"

namespace evenkeel {
namespace {

constexpr AnalysisOptions published;

// Every node of a block sees the same values.
void add_block(SetSummary& set, const Matrix& values) {
  BlockObservation seen;
  for (const Node node : all_nodes) {
    if (is_analyzed(node)) {
      seen.nodes[index_of(node)].moments.observe(values, published.outlier_threshold);
    }
  }
  set.add_block(seen);
}

SetSummary set_of(std::initializer_list<Matrix> blocks) {
  SetSummary set;
  for (const Matrix& values : blocks) add_block(set, values);
  return set;
}

Similarity of_first_node(const SetSummary& a, const SetSummary& b) {
  return similarity_of(a, b, published).nodes[0];
}

// Two tokens, high and low, of each channel.
Matrix extrema(std::initializer_list<float> high, std::initializer_list<float> low) {
  Matrix values(2, static_cast<Index>(high.size()));
  std::copy(high.begin(), high.end(), values.row(0).begin());
  std::copy(low.begin(), low.end(), values.row(1).begin());
  return values;
}

TEST(SimilarityTest, OfASetAndItself) {
  Matrix values = support::random_matrix(20, 300, 2);
  values.col(250).setConstant(9.0F);
  const SetSummary set = set_of({values, values});
  const auto similarity = similarity_of(set, set, published);
  for (const Node node : all_nodes) {
    if (!is_analyzed(node)) continue;
    const Similarity& one = similarity.nodes[index_of(node)];
    EXPECT_EQ(one.outliers, 1.0);
    EXPECT_EQ(one.top, 1.0);
    EXPECT_DOUBLE_EQ(*one.maxima, 1.0);
    EXPECT_DOUBLE_EQ(*one.minima, 1.0);
    EXPECT_EQ(one.distance, 0.0);
  }
  EXPECT_EQ(similarity.overall.outliers, 1.0);
}

TEST(SimilarityTest, ByHand) {
  const SetSummary a = set_of({extrema({1, 2, 8}, {-7, 0, -1})});
  const SetSummary b = set_of({extrema({1, 2, 7}, {-1, -9, 0})});
  const Similarity similarity = of_first_node(a, b);
  EXPECT_DOUBLE_EQ(*similarity.outliers, 1.0 / 3.0);  // {0, 2} and {1, 2}
  EXPECT_EQ(similarity.top, 0.0);                     // {2} and {1}
  // Ranges 8, 2, 9 and 2, 11, 7.
  EXPECT_DOUBLE_EQ(similarity.distance, (6.0 / 5.0 + 9.0 / 6.5 + 2.0 / 8.0) / 3.0);
  EXPECT_DOUBLE_EQ(*of_first_node(b, a).outliers, 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(of_first_node(b, a).distance, similarity.distance);
}

TEST(SimilarityTest, TopOfEachBlock) {
  // 200 channels: two of each block. Of alike ones the first.
  Matrix first = Matrix::Zero(1, 200);
  first(0, 5) = 3.0F;
  first(0, 9) = -4.0F;
  Matrix second = Matrix::Zero(1, 200);
  second(0, 9) = 1.0F;  // and channel 0
  const Similarity similarity = of_first_node(set_of({first, first}), set_of({first, second}));
  EXPECT_DOUBLE_EQ(similarity.top, 3.0 / 5.0);
}

TEST(SimilarityTest, NothingToCompare) {
  const SetSummary zeros = set_of({Matrix::Zero(3, 4)});
  const Similarity similarity = of_first_node(zeros, zeros);
  EXPECT_FALSE(similarity.outliers);
  EXPECT_FALSE(similarity.maxima);
  EXPECT_FALSE(similarity.minima);
  EXPECT_EQ(similarity.distance, 0.0);
  const SetSummary ones = set_of({extrema({0, 0, 0, 1}, {0, 0, 0, 0})});
  EXPECT_EQ(of_first_node(zeros, ones).distance, 0.5);  // 2, of one channel in four
}

TEST(SimilarityTest, OverallIsOfAllChannelsSideBySide) {
  const SetSummary a = set_of({extrema({1, 2, 8}, {-7, 0, -1})});
  const SetSummary b = set_of({extrema({1, 2, 7}, {-1, -9, 0})});
  const auto similarity = similarity_of(a, b, published);
  // Every node is the same.
  EXPECT_DOUBLE_EQ(*similarity.overall.outliers, *similarity.nodes[0].outliers);
  EXPECT_NEAR(*similarity.overall.maxima, *similarity.nodes[0].maxima, 1e-12);
  EXPECT_NEAR(similarity.overall.distance, similarity.nodes[0].distance, 1e-12);
}

}  // namespace
}  // namespace evenkeel
