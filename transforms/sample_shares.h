// The shares of a site's tokens that searches look at one after another.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "io/matrix.h"

namespace evenkeel {

/// About an eighth of the tokens, another, a quarter, and the rest.
enum class Share { probe, first, second, rest };
inline constexpr std::array all_shares{Share::probe, Share::first, Share::second, Share::rest};

/// Tokens [first, first + count) of one sample.
struct TokenRun {
  Index first;
  Index count;
};

/// Whole samples belong to a share where there are at least this many, and short runs of tokens
/// where there are fewer.
inline constexpr std::size_t fewest_shared_samples = 6;

/// The runs of a sample of so many tokens, sample number `sample` of `samples`, that are in a
/// share, none longer than `longest`.
std::vector<TokenRun> runs_of_share(Share share, std::size_t sample, std::size_t samples,
                                    Index tokens, Index longest);
/// All of it.
std::vector<TokenRun> runs_of_sample(Index tokens, Index longest);

}  // namespace evenkeel
