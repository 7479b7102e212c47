// A BERT checkpoint small enough to calibrate in milliseconds, made without the project's writers.
#pragma once

#include <cstdint>
#include <filesystem>

#include "io/matrix.h"

namespace evenkeel::support {

struct TinyBert {
  bool masked = false;  // a head for masked tokens in place of the classifier's
  Index labels = 3;
  Index positions = 24;
  std::uint32_t seed = 1;
};

/// Writes config.json (classes "bad", "good", "class 2", ...), model.safetensors and tokenizer.json
/// into `folder`, made when absent; returns it. The tokenizer is that of tiny_tokenizer.h with
/// [CLS] (262) and [SEP] (263) around one text or two. 2 blocks of 16 channels.
std::filesystem::path write_tiny_bert(const std::filesystem::path& folder,
                                      const TinyBert& options = {});

}  // namespace evenkeel::support
