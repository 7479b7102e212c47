// How numbers are quantized: plain data, validated before use.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace evenkeel {

/// Which values share one step and zero point.
enum class Granularity {
  per_tensor,   // all of them
  per_channel,  // weights: an output channel (row); activations: a channel (column), static
  per_token,    // activations only: a token (row), found anew each time (dynamic)
  per_group,    // `group_size` neighbours along the input channels; activations: dynamic. The last
                // group may be short.
  per_head,     // attention probabilities only: a head, static
  per_block,  // weights with a signed code book only: `block_size` neighbours of the tensor seen as
              // one sequence, row after row. The last block may be short.
  per_embedding_group,  // activations only, static: a group of channels with ranges alike, which
                        // take the widest (PEG, Bondarenko et al. 2021; embedding_groups.h)
};
/// Whether a static range belongs to each channel.
inline bool has_channel_ranges(Granularity granularity) {
  return granularity == Granularity::per_channel || granularity == Granularity::per_embedding_group;
}

/// How a range is estimated, of all that share a step: over everything seen where it is static,
/// over the values themselves where it is dynamic or of weights. What each can have:
/// range_method.h.
enum class RangeEstimator {
  minmax,               // the smallest and the largest
  average_minmax,       // static: mean over batches of each batch's minimum and maximum
  percentile,           // quantiles 1 - percentile and percentile
  omse,                 // the part of minmax with the least squared quantization error
  token_wise_clipping,  // static: average_minmax without the tokens that reach farthest, as in
                        // Outlier Suppression (range_token_wise_clipping.cpp)
};

enum class Rounding {
  nearest,  // half to even
  gptq,     // weights only: half to even column by column, each column's error taken up by those
            // still to come, as the calibration inputs weigh it (quantizers/gptq.h)
};

/// What the codes of a tensor stand for. Logarithmic and two_range are for values that are never
/// negative, as fractions of the range's top (quantizers/codebook.h); whoever multiplies them with
/// integers needs what each says. Signed code books are for weights, whose steps are then the
/// largest magnitude of the values that share one, in 16 bits (quantizers/data_types).
enum class Codes {
  uniform,      // step * (code - zero_point)
  logarithmic,  // 2^(-i / steps_per_octave), i = 0 .. 2^bits - 2, and 0
  two_range,    // c / C and split * c / C, c = 0 .. C = 2^(bits-1) - 1: one bit says which
  linear,       // signed code books from here on: as integers, symmetric
  floating,     // "float": sign, exponent, fraction
  dynamic,      // dynamic exponent (Dettmers 2016): a power of ten, and a fraction linear within it
  quantile,     // found from the tensor, so that codes are used alike
  nf4,          // 4 bits: quantiles of the normal distribution (QLoRA)
  fp4,          // 4 bits: 2 exponent bits, with the subnormal of bitsandbytes
};
inline bool is_signed_book(Codes codes) { return codes >= Codes::linear; }

/// How GPTQ rounds (Frantar et al. 2022). The defaults are llm-compressor's: its activation
/// ordering "static", damping 0.01.
struct GptqOptions {
  /// What is added to the Hessian's diagonal, as a fraction of its mean: more for few calibration
  /// tokens, at the price of a larger error on them. smallest_damping .. 1.
  double damping = 0.01;
  /// Columns with the largest inputs are rounded first, while most others can still make up for
  /// them. They come back to their places.
  bool activation_order = true;
  /// Steps of groups are those of the weights as they are given; false: each group's are found when
  /// its first column is reached, from what earlier errors have made of it. Only read when
  /// granularity is per_group, and then activation_order needs it.
  bool static_groups = true;

  bool operator==(const GptqOptions&) const = default;
};
/// Keeps the Hessian of fewer tokens than columns far enough from singular for double precision.
inline constexpr double smallest_damping = 1e-6;

/// How one kind of tensor is quantized. Uniform codes: asymmetric 0 .. 2^bits - 1, symmetric
/// -(2^(bits-1) - 1) .. 2^(bits-1) - 1.
struct TensorScheme {
  int bits = 8;  // 2 .. 8; of activations also 16: left as they are
  Granularity granularity = Granularity::per_tensor;
  bool symmetric = false;
  RangeEstimator range = RangeEstimator::minmax;
  Rounding rounding = Rounding::nearest;
  int group_size = 128;          // only read when granularity is per_group
  Codes codes = Codes::uniform;  // of weights uniform, or a signed book
  int steps_per_octave = 2;      // only read when codes are logarithmic
  double split = 0.03125;        // from 1e-6, below 1: only read when codes are two_range
  int block_size = 64;           // 16 .. 4096: only read when granularity is per_block
  int exponent_bits = 0;         // 1 .. bits - 1, 0 for the default: only read when codes are
                                 // floating, as are the next two
  bool paper_exponents = false;  // 2 exponent bits for 3 bits, 3 for more, in place of the default
  bool appendix_bias = false;    // 2^(e-1) + 1 in place of 2^(e-1)
  bool centered = false;         // the mean of those that share a step is taken from them, and kept
                                 // in 16 bits: only read when codes are a signed book
  double proxy_percent = 0.0;    // likewise: of a linear's input dimensions so many stay in 16 bits
                                 // (model/proxy_columns.h), 0 .. 50
  GptqOptions gptq{};            // only read when rounding is gptq
  double percentile = 0.9999;    // above 0.5, to 1: only read when range is percentile
  int groups = 6;                // only read when granularity is per_embedding_group; of fewer
                                 // channels, one each
  bool permute = true;           // likewise; false: groups are of neighbours
  /// LLM.int8() (Dettmers et al. 2022): columns of a linear's input (one sequence's tokens) in
  /// which a value is farther from 0 stay as they are, and out of the ranges of the rows. 0: none.
  /// Only read when granularity is per_token.
  double outlier_threshold = 0.0;
  /// The fraction of tokens cut at each end, from 0, below 1; nothing: searched for each block
  /// (calib/clip_search.h). Only read when range is token_wise_clipping.
  std::optional<double> clip{};

  bool operator==(const TensorScheme&) const = default;
};

/// Bits of what is not quantized.
inline constexpr int unquantized_bits = 16;
inline bool is_quantized(const TensorScheme& scheme) { return scheme.bits != unquantized_bits; }

/// What later blocks see while calibrating: the outputs of quantized blocks, as the published
/// OS+ program does, or those of the full-precision model.
enum class Propagate { quantized, full_precision };

/// The scheme of the nodes whose names match a pattern. Patterns are resolved against a model by
/// calib/scheme_places.h, which says what they may name.
struct NodeScheme {
  std::string pattern;
  TensorScheme scheme;

  bool operator==(const NodeScheme&) const = default;
};

/// A whole scheme. The default is w8a8.
struct Scheme {
  TensorScheme weights{.bits = 8, .granularity = Granularity::per_channel};
  TensorScheme activations{
      .bits = 8, .granularity = Granularity::per_tensor, .range = RangeEstimator::average_minmax};
  Propagate propagate = Propagate::quantized;
  /// In place of `activations` where they match; the last one holds.
  std::vector<NodeScheme> nodes = {};
  /// Patterns of nodes, blocks and linears that are not quantized.
  std::vector<std::string> keep = {};

  bool operator==(const Scheme&) const = default;
};

/// w8a8, w6a6, w4a4: asymmetric MinMax per-channel weights, asymmetric AvgMinMax per-tensor
/// activations. w8a16: symmetric per-channel weights alone; w4a16: symmetric weights in groups of
/// 128 alone; w4_column_wise: per channel alone; nf4, fp4: those codes in blocks of 64 alone. 8
/// bits and symmetric MinMax on both sides: naive_w8a8 per tensor (static), vector_wise activations
/// per token and weights per channel, zeroquant_w8a8 activations per token and weights in groups of
/// 128 (Yao et al. 2022, whose groups are a number of parts of the matrix); llm_int8 is vector_wise
/// with outlier_threshold 6. recommended_w8a8, recommended_w6a6: as w8a8 and w6a6 with activations
/// per token; recommended_w4a4: both sides in groups of 32, weights by GPTQ, attention
/// probabilities per token in logarithmic codes. Nothing for another name.
std::optional<Scheme> scheme_named(std::string_view name);
const std::vector<std::string>& scheme_names();
/// The name of a scheme that has one.
std::optional<std::string> name_of(const Scheme& scheme);

/// True when ranges are found anew for each input or not at all, so that no calibration is needed.
bool is_dynamic(const TensorScheme& activations);
/// The same of every activation.
bool is_dynamic(const Scheme& scheme);
/// Whether some static range depends on how samples form batches.
bool averages_batches(const Scheme& scheme);

/// Every fault, one line each, prefixed by "weights: ", "activations: " or "nodes.PATTERN: "; empty
/// when valid. Whether patterns name anything depends on the model.
std::vector<std::string> faults_of(const Scheme& scheme);

// The spelling of each choice, in one place: job files, records and messages use it.
std::string_view name_of(Granularity value);
std::string_view name_of(RangeEstimator value);
std::string_view name_of(Rounding value);
std::string_view name_of(Propagate value);
std::string_view name_of(Codes value);
std::optional<Granularity> granularity_named(std::string_view name);
std::optional<RangeEstimator> range_estimator_named(std::string_view name);
std::optional<Rounding> rounding_named(std::string_view name);
std::optional<Propagate> propagate_named(std::string_view name);
std::optional<Codes> codes_named(std::string_view name);

}  // namespace evenkeel
