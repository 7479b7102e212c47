// What an analysis leaves, made of random activations.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "calib/analysis/analyze.h"
#include "io/matrix.h"

namespace evenkeel::support {

struct WrittenAnalysis {
  std::vector<std::string> models{"model"};
  std::vector<std::string> sets{"first", "second"};
  Index blocks = 3;
  Index channels = 64;
  Index hidden = 96;  // of mlp.hidden
  /// Sets whose arrays are there in every block; later ones have those of the middle block.
  std::size_t whole_sets = 2;

  /// [tokens, channels] that a node sees; channel 3 stands out.
  Matrix activations(std::size_t set, Index block, Node node) const;
  /// All that analysis.json is to hold. Set 1 is the furthest from set 0.
  AnalysisResult result() const;
  /// Writes FOLDER/analysis.json and FOLDER/analysis.h5.
  void write(const std::filesystem::path& folder) const;
};

}  // namespace evenkeel::support
