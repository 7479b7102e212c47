// An OPT checkpoint small enough to calibrate in milliseconds, made without the project's writers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "io/dtype.h"
#include "io/matrix.h"

namespace evenkeel::support {

struct TinyOpt {
  Index channels = 16;
  Index ffn_channels = 24;
  Index heads = 2;
  Index blocks = 2;
  Index positions = 32;
  /// Ids of tiny_tokenizer.h fit in.
  Index vocabulary = 264;
  bool bias = true;  // at the linears; norms have theirs always
  DType dtype = DType::F32;
  std::uint32_t seed = 1;
  /// Called for each tensor before it is stored: a test's own values or faults.
  std::function<void(const std::string& name, std::vector<float>& values)> change;
};

/// Writes config.json, model.safetensors and tokenizer.json (that of tiny_tokenizer.h) into
/// `folder`, made when absent; returns it. Two channels of every block's norms are outliers: one
/// wide, one shifted far from zero. The same options give the same bytes.
/// REQUIRES: heads divides channels; channels at least 4; dtype F32 or F16.
std::filesystem::path write_tiny_opt(const std::filesystem::path& folder,
                                     const TinyOpt& options = {});

/// Writes [samples, length] random ids as a corpus; the file's extension is .safetensors.
std::filesystem::path write_token_ids(const std::filesystem::path& file, std::int64_t samples,
                                      std::int64_t length, std::uint32_t seed,
                                      TokenId vocabulary = 262);

}  // namespace evenkeel::support
