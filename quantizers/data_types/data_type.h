// What the codes of a weight stand for when steps are not all alike: ascending values in [-1, 1],
// which are multiplied with the largest magnitude of the values that share one.
//
// Sources: Dettmers & Zettlemoyer 2022 ("The case for 4-bit precision: k-bit inference scaling
// laws"), section 2 and appendix; NF4 and FP4: Dettmers et al. 2023 (QLoRA). The tests compare with
// the maps of bitsandbytes.
#pragma once

#include <cstddef>
#include <vector>

#include "quantizers/scheme.h"

namespace evenkeel {

/// Exponent bits of a float of so many bits: at least half of them, 2, 2, 3, 3, 4, 4 for 3 to 8.
int default_exponent_bits(int bits);
/// Those of the paper's figures: 2 for 3 bits, 3 for 4 to 8.
int paper_exponent_bits(int bits);
/// What the scheme asks for. REQUIRES: codes are floating.
int exponent_bits_of(const TensorScheme& scheme);

/// The values of the codes, ascending, each once, 0 among them, the largest 1:
///   linear   i / (2^(bits-1) - 1)
///   float    a sign, e exponent bits E, fraction f: +-(1 + f) 2^(b+1-E) for E = 1 .. 2^e - 1, and
///            +-f 2^-b for E = 0 (not IEEE's subnormals, which would be f 2^b), over the largest;
///            the bias b is 2^(e-1), or 2^(e-1) + 1 with appendix_bias
///   dynamic  +-10^(i-bits+2) times the middles of 2^i equal parts of [0.1, 1], i = 0 .. bits - 2;
///            0 and 1
///   nf4, fp4 the published tables
/// Two codes that would mean 0 are one, so that linear, float and fp4 have one value less than
/// 2^bits. REQUIRES: is_signed_book(scheme.codes), not quantile; faults_of is empty.
std::vector<float> data_type_values(const TensorScheme& scheme);

/// How many values there are; of quantile 2^bits. REQUIRES: as above.
std::size_t data_type_size(const TensorScheme& scheme);

}  // namespace evenkeel
