#include "quantizers/range_observer.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/random_matrix.h"

namespace evenkeel {
namespace {

const TensorScheme minmax{.range = RangeEstimator::minmax};
const TensorScheme average{.range = RangeEstimator::average_minmax};
const TensorScheme by_channel{.granularity = Granularity::per_channel,
                              .range = RangeEstimator::average_minmax};

Matrix row(std::initializer_list<float> values) {
  Matrix matrix(1, static_cast<Index>(values.size()));
  Index column = 0;
  for (const float value : values) matrix(0, column++) = value;
  return matrix;
}

std::string message_of(const RangeObserver& observer) {
  try {
    observer.finish();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(RangeObserver, MinMaxIsOverEverything) {
  RangeObserver observer(minmax);
  observer.observe(row({1.0F, 2.0F}), 0);
  observer.observe(row({-3.0F, 0.0F}), 1);
  observer.observe(row({7.0F, 7.0F}), 0);
  EXPECT_EQ(observer.finish(), (std::vector<Range>{{-3.0F, 7.0F}}));
}

TEST(RangeObserver, AverageIsOverBatchesNotOverPieces) {
  RangeObserver observer(average);
  // Batch 0: -1 .. 4 from three pieces; batch 1: 2 .. 2 from one.
  observer.observe(row({0.0F, 1.0F}), 0);
  observer.observe(row({-1.0F, 4.0F}), 0);
  observer.observe(row({1.0F, 1.0F}), 0);
  observer.observe(row({2.0F, 2.0F}), 1);
  EXPECT_EQ(observer.finish(), (std::vector<Range>{{0.5F, 3.0F}}));
}

TEST(RangeObserver, AverageIsTakenInDouble) {
  // In float, 2^24 + 1 + 1 is 2^24.
  RangeObserver observer(average);
  observer.observe(row({16777216.0F}), 0);
  observer.observe(row({1.0F}), 1);
  observer.observe(row({1.0F}), 2);
  observer.observe(row({2.0F}), 3);
  EXPECT_EQ(observer.finish(), (std::vector<Range>{{4194305.0F, 4194305.0F}}));
}

TEST(RangeObserver, KeepsEachChannelApart) {
  RangeObserver observer(by_channel);
  Matrix values(2, 3);
  values << 1.0F, -2.0F, 0.0F, 3.0F, -4.0F, 0.0F;
  observer.observe(values, 0);
  observer.observe(row({1.0F, 0.0F, 8.0F}), 1);
  EXPECT_EQ(observer.finish(), (std::vector<Range>{{1.0F, 2.0F}, {-2.0F, -1.0F}, {4.0F, 4.0F}}));
}

TEST(RangeObserver, DoesNotDependOnOrderOrSplit) {
  for (const TensorScheme& scheme : {minmax, average, by_channel}) {
    std::vector<Matrix> batches;
    batches.reserve(5);
    for (std::uint32_t i = 0; i < 5; ++i) batches.push_back(support::random_matrix(6, 33, i));

    RangeObserver whole(scheme);
    for (std::size_t i = 0; i < batches.size(); ++i) {
      whole.observe(batches[i], static_cast<std::int64_t>(i));
    }

    // Backwards, token by token, spread over three observers that merge in another order.
    std::vector<RangeObserver> parts(3, RangeObserver(scheme));
    for (std::size_t i = batches.size(); i-- > 0;) {
      for (Index token = 6; token-- > 0;) {
        parts[static_cast<std::size_t>(token) % 3].observe(batches[i].row(token),
                                                           static_cast<std::int64_t>(i));
      }
    }
    RangeObserver merged(scheme);
    for (const std::size_t i : {2U, 0U, 1U}) merged.merge(parts[i]);
    EXPECT_EQ(merged.finish(), whole.finish());
  }
}

TEST(RangeObserver, HeadsHaveRangesOfTheirOwnInWhateverOrderTheyCome) {
  TensorScheme scheme = average;
  scheme.granularity = Granularity::per_head;
  RangeObserver first(scheme);
  first.observe(row({0.25F, 0.5F}), 0, 0);
  first.observe(row({0.0F, 1.0F}), 1, 1);
  RangeObserver second(scheme);
  second.observe(row({0.0F, 0.25F}), 0, 1);
  second.observe(row({0.0F, 0.75F}), 1, 0);
  second.merge(first);
  first = second;
  EXPECT_EQ(first.finish(), (std::vector<Range>{{0.125F, 0.625F}, {0.0F, 0.625F}}));
}

TEST(RangeObserver, OnlyUniformCodesHaveNegativeValues) {
  TensorScheme scheme = minmax;
  scheme.codes = Codes::logarithmic;
  RangeObserver observer(scheme);
  observer.observe(row({0.0F, 1.0F}), 0);
  EXPECT_EQ(observer.finish(), (std::vector<Range>{{0.0F, 1.0F}}));
  observer.observe(row({-0.5F, 1.0F}), 0);
  EXPECT_EQ(message_of(observer),
            "logarithmic codes are for values that are never negative, but one is -0.5; use "
            "uniform codes");
}

TEST(RangeObserver, NothingObservedIsAnError) {
  RangeObserver observer(average);
  observer.observe(Matrix(0, 8), 0);
  EXPECT_EQ(message_of(observer),
            "cannot estimate a range: no value was observed; calibrate on more samples");
}

TEST(RangeObserver, NaNAndInfinityAreErrorsHoweverTheyAreMerged) {
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const TensorScheme& scheme : {minmax, average, by_channel}) {
      const std::string where = scheme == by_channel ? " in channel 1" : "";
      const std::string expected =
          "cannot estimate a range: batch 3 has a NaN or infinite activation" + where +
          "; check the checkpoint's weights";
      RangeObserver first(scheme);
      first.observe(row({1.0F, wrong}), 3);
      RangeObserver second(scheme);
      second.observe(row({1.0F, 2.0F}), 3);
      second.observe(row({1.0F, 2.0F}), 2);
      RangeObserver merged = first;
      merged.merge(second);
      EXPECT_EQ(message_of(merged), expected);
      second.merge(first);
      EXPECT_EQ(message_of(second), expected);
      second.observe(row({1.0F, 2.0F}), 3);
      EXPECT_EQ(message_of(second), expected);
    }
  }
}

}  // namespace
}  // namespace evenkeel
