// What an analysis found, as tables.
#pragma once

#include <string>
#include <vector>

#include "apps/table.h"
#include "calib/analysis/analyze.h"

namespace evenkeel {

struct TitledTable {
  std::string title;
  Table table;
};

/// Nodes over all blocks, attention.input in each block, weights over all blocks, and, where there
/// are several, how alike sets are. `whole` is for programs: every channel and every pair of sets,
/// and a column for the model however many there are.
std::vector<TitledTable> analysis_tables(const AnalysisResult& result, bool whole);

}  // namespace evenkeel
