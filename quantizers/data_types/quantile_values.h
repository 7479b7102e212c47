// The quantile data type: codes that values of one distribution take equally often.
#pragma once

#include <span>
#include <vector>

namespace evenkeel {

/// 2^bits values, ascending: the means of the neighbouring quantiles i / (2^bits + 1) and
/// (i + 1) / (2^bits + 1) of `values`, i = 1 .. 2^bits - 1, over the largest magnitude of these
/// means, and 0 (Dettmers & Zettlemoyer 2022, section 2). Quantiles are exact, linear between ranks
/// as numpy.quantile gives them. Of values that are all 0, all are 0. Memory is bounded whatever
/// the number of values, which are passed over three times.
/// REQUIRES: 2 <= bits <= 8; values finite, not empty.
std::vector<float> quantile_values(std::span<const float> values, int bits);

}  // namespace evenkeel
