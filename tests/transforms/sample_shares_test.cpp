#include "transforms/sample_shares.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

// Of so many samples of one length, how often each token is in the runs of a share. No run is empty
// or longer than `longest`, and runs come in order.
std::vector<int> counts_of(Share share, std::size_t sample, std::size_t samples, Index tokens,
                           Index longest) {
  std::vector<int> counts(static_cast<std::size_t>(tokens), 0);
  Index last = 0;
  for (const auto& [first, count] : runs_of_share(share, sample, samples, tokens, longest)) {
    EXPECT_GE(first, last);
    EXPECT_GE(count, 1);
    EXPECT_LE(count, longest);
    last = first + count;
    EXPECT_LE(last, tokens);
    for (Index token = first; token < std::min(last, tokens); ++token) {
      ++counts[static_cast<std::size_t>(token)];
    }
  }
  return counts;
}

Index tokens_of(Share share, std::size_t samples, Index tokens) {
  Index total = 0;
  for (std::size_t sample = 0; sample < samples; ++sample) {
    for (const int count : counts_of(share, sample, samples, tokens, 128)) total += count;
  }
  return total;
}

TEST(SampleShares, EveryTokenOfEverySampleIsInOneShare) {
  for (std::size_t samples = 1; samples <= 19; ++samples) {
    for (std::size_t sample = 0; sample < samples; ++sample) {
      for (const Index tokens : {0, 1, 15, 16, 17, 127, 128, 129, 300}) {
        for (const Index longest : {1, 7, 16, 128}) {
          std::vector<int> in_any(static_cast<std::size_t>(tokens), 0);
          for (const Share share : all_shares) {
            const auto counts = counts_of(share, sample, samples, tokens, longest);
            for (std::size_t i = 0; i < counts.size(); ++i) in_any[i] += counts[i];
          }
          ASSERT_EQ(in_any, std::vector<int>(in_any.size(), 1))
              << "sample " << sample << " of " << samples << ", " << tokens << " tokens, at most "
              << longest;
        }
      }
    }
  }
}

TEST(SampleShares, OfEightSamplesAreOneOneTwoAndFour) {
  for (const std::size_t samples : {8U, 16U, 128U}) {
    const auto all = static_cast<Index>(samples) * 200;
    EXPECT_EQ(tokens_of(Share::probe, samples, 200), all / 8);
    EXPECT_EQ(tokens_of(Share::first, samples, 200), all / 8);
    EXPECT_EQ(tokens_of(Share::second, samples, 200), all / 4);
    EXPECT_EQ(tokens_of(Share::rest, samples, 200), all / 2);
  }
}

// From fewest_shared_samples on none of the shares is empty.
TEST(SampleShares, OfAnyManySamplesAllHaveSome) {
  for (std::size_t samples = fewest_shared_samples; samples <= 20; ++samples) {
    for (const Share share : all_shares) EXPECT_GT(tokens_of(share, samples, 5), 0) << samples;
  }
}

// Eight runs of 16 tokens are shared out as eight samples are; of fewer at the end, at most the
// 32 tokens of two runs are too many or too few.
TEST(SampleShares, OfFewSamplesAreRunsOfEach) {
  for (std::size_t samples = 1; samples < fewest_shared_samples; ++samples) {
    for (const Index tokens : {128, 200, 512, 1000}) {
      const auto all = static_cast<double>(samples) * static_cast<double>(tokens);
      const double most = tokens % 128 == 0 ? 0.0 : 32.0 * static_cast<double>(samples);
      const auto share = [&](Share which) {
        return static_cast<double>(tokens_of(which, samples, tokens));
      };
      EXPECT_NEAR(share(Share::probe), all / 8, most);
      EXPECT_NEAR(share(Share::first), all / 8, most);
      EXPECT_NEAR(share(Share::second), all / 4, most);
      EXPECT_NEAR(share(Share::rest), all / 2, 2.0 * most);
    }
  }
}

TEST(SampleShares, RunsOfASampleAreAllOfItInOrder) {
  for (const Index tokens : {0, 1, 127, 128, 129, 300}) {
    Index next = 0;
    for (const auto& [first, count] : runs_of_sample(tokens, 128)) {
      EXPECT_EQ(first, next);
      EXPECT_TRUE(count == 128 || first + count == tokens);
      next += count;
    }
    EXPECT_EQ(next, tokens);
  }
}

}  // namespace
}  // namespace evenkeel
