#include "transforms/sample_shares.h"

#include <algorithm>

namespace evenkeel {
namespace {

// Of eight samples, or runs of tokens; those of a share are apart from one another.
constexpr std::array shares_of_eight{Share::second, Share::rest,  Share::probe, Share::rest,
                                     Share::rest,   Share::first, Share::rest,  Share::second};
constexpr Index shared_run = 16;

Share share_of(std::size_t number) { return shares_of_eight[number % shares_of_eight.size()]; }

}  // namespace

std::vector<TokenRun> runs_of_sample(Index tokens, Index longest) {
  std::vector<TokenRun> runs;
  for (Index first = 0; first < tokens; first += longest) {
    runs.push_back({first, std::min(longest, tokens - first)});
  }
  return runs;
}

std::vector<TokenRun> runs_of_share(Share share, std::size_t sample, std::size_t samples,
                                    Index tokens, Index longest) {
  if (samples >= fewest_shared_samples) {
    return share_of(sample) == share ? runs_of_sample(tokens, longest) : std::vector<TokenRun>();
  }
  std::vector<TokenRun> runs = runs_of_sample(tokens, std::min(shared_run, longest));
  std::size_t number = 0;
  std::erase_if(runs, [&](const TokenRun&) { return share_of(number++) != share; });
  return runs;
}

}  // namespace evenkeel
