// The rows of a scaling job as points: bits against loss, and which of them are worth their bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calib/scaling/scaling.h"

namespace evenkeel {

/// Bits that a byte of the first text costs: log2 of the perplexity over the bytes of a token, and
/// so comparable between vocabularies. Nothing without perplexity or text.
std::optional<double> bits_per_byte(const ScaledModel& model, const std::vector<TextScore>& scores);

/// Of codes used so often: bits that a code tells at most, log2 of their number when all are used
/// alike.
double entropy_of(const CodeUses& uses);

/// Bits of a code, the data type, and what shares a constant: "4 bits, float e3, blocks of 64".
std::string text_of(const TensorScheme& weights);
/// The type with its options, centering, proxies and GPTQ: what points of one curve share.
std::string data_type_of(const TensorScheme& weights);
/// Values that share a constant: the block or group; nothing where they are rows or all.
std::optional<int> shared_values(const TensorScheme& weights);

/// A model at a setting, or (row: nothing) as it is stored, whose bits are those of its weights,
/// rounded.
struct ScalingPoint {
  std::size_t model = 0;
  std::optional<std::size_t> row;
  int bits = 0;
  std::uint64_t total_bits = 0;
  double loss = 0.0;
};

/// What losses are: bits per byte where every model has them, else of the first text's figure: the
/// perplexity, or one less the accuracy.
std::string_view loss_name(const ScalingResult& result);

/// The models' families, in the order of the models.
std::vector<std::string> families_of(const ScalingResult& result);
/// Those of the points whose model is of the family.
std::vector<ScalingPoint> of_family(const ScalingResult& result,
                                    const std::vector<ScalingPoint>& points,
                                    std::string_view family);

/// Of all rows and models, in their order, models last.
std::vector<ScalingPoint> points_of(const ScalingResult& result);

/// By precision, the best point of each model: what a curve of the paper joins.
std::map<int, std::vector<ScalingPoint>> best_by_size(const std::vector<ScalingPoint>& points);

/// The losses at one size that every precision's line from model to model passes, in the middle of
/// what they share, linear over the logarithm of the bits. Nothing when they share none, or there
/// is one model alone.
struct CommonSize {
  double total_bits = 0.0;
  std::map<int, double> losses;  // by precision
};
std::optional<CommonSize> at_common_size(const std::vector<ScalingPoint>& points);

/// Those than which none has fewer bits and no larger loss, by rising bits.
std::vector<ScalingPoint> pareto_front(std::vector<ScalingPoint> points);

/// The point with the least loss of at most so many bytes; of equals the smaller. Nothing when
/// none is as small.
std::optional<ScalingPoint> best_within(const std::vector<ScalingPoint>& points,
                                        std::uint64_t bytes);

}  // namespace evenkeel
