// What is in a checkpoint or in a record of a calibration.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

namespace evenkeel {

/// Of a checkpoint (a folder or a GGUF file): {"kind": "checkpoint", "architecture", "parameters",
/// "blocks", "channels", "heads", "ffn_channels", "vocabulary", "positions", "dtypes": {...},
/// "nodes": [...], "sites": [{"name", "producer", "readers", "objective", "shift": bool}],
/// "quantized": scheme or null}.
/// Of a calibration.h5: {"kind": "record", "id", "scheme", "blocks", "sites": [{"name",
/// "method", "threshold", "loss_before", "loss_after", "largest_shift", "largest_scale"}],
/// "nodes": [{"name", "channels", "low", "high", "step", "zero_point",
/// "outlier_channels": [{"channel", "absmax", "ratio"}]}]}, where an outlier channel has at least
/// `outlier_ratio` times the median absmax of its node's channels (at most ten, largest first).
/// Throws: InputError.
nlohmann::ordered_json inspect(const std::filesystem::path& path);

inline constexpr double outlier_ratio = 6.0;

}  // namespace evenkeel
