#include "quantizers/embedding_groups.h"

#include <vector>

#include <gtest/gtest.h>

#include "quantizers/range_observer.h"

namespace evenkeel {
namespace {

using Groups = std::vector<std::size_t>;

TensorScheme in_groups(int groups, bool permute = true) {
  return {.granularity = Granularity::per_embedding_group, .groups = groups, .permute = permute};
}

TEST(EmbeddingGroups, ByWidthOfRangesAndAsEqualAsCanBe) {
  // Widths 4, 1, 2, 1, 9.
  const std::vector<Range> ranges{{-2, 2}, {3, 4}, {0, 2}, {0, 1}, {-9, 0}};
  EXPECT_EQ(embedding_groups(ranges, in_groups(2)), (Groups{1, 0, 0, 0, 1}));
  EXPECT_EQ(embedding_groups(ranges, in_groups(3)), (Groups{1, 0, 1, 0, 2}));
  EXPECT_EQ(embedding_groups(ranges, in_groups(3, false)), (Groups{0, 0, 1, 1, 2}));
  EXPECT_EQ(embedding_groups(ranges, in_groups(1)), (Groups{0, 0, 0, 0, 0}));
  EXPECT_EQ(embedding_groups(ranges, in_groups(70, false)), (Groups{0, 1, 2, 3, 4}));
}

TEST(EmbeddingGroups, EqualWidthsStayInOrder) {
  EXPECT_EQ(embedding_groups(std::vector<Range>(4, Range{0, 1}), in_groups(2)),
            (Groups{0, 0, 1, 1}));
}

TEST(EmbeddingGroups, ShareTheWidestRange) {
  EXPECT_EQ(shared_ranges({{1, 2}, {-3, 0}, {0, 1}, {5, 6}}, {0, 1, 1, 0}),
            (std::vector<Range>{{1, 6}, {-3, 1}, {-3, 1}, {1, 6}}));
}

TEST(EmbeddingGroups, AreFormedByTheFinalRangesOfChannels) {
  TensorScheme scheme = in_groups(2);
  scheme.range = RangeEstimator::average_minmax;
  RangeObserver observer(scheme);
  Matrix values(2, 4);
  values << 0, -8, 1, 0,  //
      2, 8, 2, 0;
  observer.observe(values, 0);
  observer.observe(Matrix::Zero(1, 4), 1);
  // Means of the ends: [0, 1], [-4, 4], [0.5, 1], [0, 0].
  EXPECT_FALSE(observer.end_pass());
  EXPECT_EQ(observer.finish(), (std::vector<Range>{{-4, 4}, {-4, 4}, {0, 1}, {0, 1}}));
}

TEST(EmbeddingGroups, AreForActivations) {
  Scheme scheme;
  scheme.weights = in_groups(6);
  scheme.activations = in_groups(0);
  EXPECT_EQ(faults_of(scheme),
            (std::vector<std::string>{
                "weights: granularity per_embedding_group is for activations; use per_channel, "
                "per_group or per_tensor",
                "activations: groups must be at least 1, not 0"}));
}

}  // namespace
}  // namespace evenkeel
