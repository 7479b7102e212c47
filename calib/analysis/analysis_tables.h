// What an analysis found, as tables of texts, for terminals, CSV files and reports alike.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "calib/analysis/analyze.h"
#include "calib/report/text_table.h"

namespace evenkeel {

/// Texts are on one line each. Tables begin with a column for the model where there are several.
class AnalysisTables {
 public:
  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

  /// `whole` is for programs: every outlier channel, and a column for the model however many there
  /// are. REQUIRES: `result` outlives this.
  AnalysisTables(const AnalysisResult& result, bool whole)
      : result_(result), whole_(whole), models_(whole || result.models.size() > 1) {}

  /// A line for each node of each set, over all blocks.
  TextTable nodes() const;
  /// attention.input in each block, of the first so many sets.
  TextTable blocks(std::size_t most_sets = all) const;
  /// A line for each linear, over all blocks.
  TextTable weights() const;
  /// How alike sets are over all nodes, a line for each two, of models of at most so many sets.
  TextTable pairs(std::size_t most_sets = all) const;

 private:
  static constexpr std::size_t shown_channels = 6;

  std::vector<Page::Column> columns(std::vector<Page::Column> after) const;
  std::vector<std::string> cells(const AnalyzedModel& model, std::vector<std::string> after) const;
  std::vector<std::string> node_cells(const AnalyzedModel& model, const AnalyzedSet& set,
                                      Node node) const;
  std::vector<std::string> weight_cells(const AnalyzedModel& model,
                                        const std::string& module) const;

  const AnalysisResult& result_;
  bool whole_;
  bool models_;
};

/// One figure of every set (row) against every set, over all nodes, row-major; NaN where there is
/// none.
std::vector<double> set_matrix(const AnalyzedModel& model,
                               const std::function<double(const Similarity&)>& figure,
                               double of_itself);

struct TitledTable {
  std::string title;
  TextTable table;
};
/// All of them. For people (not `whole`) sets beyond two are matrices.
std::vector<TitledTable> analysis_tables(const AnalysisResult& result, bool whole);

}  // namespace evenkeel
