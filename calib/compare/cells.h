// The calibrations that the rows of a comparison ask for, and their results as they come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "calib/compare/compare.h"
#include "calib/compared_inputs.h"
#include "calib/output_folder.h"

namespace evenkeel {

/// One calibration: a row with one of its seeds.
struct Cell {
  std::size_t row = 0;
  std::uint64_t seed = 0;
  std::size_t samples = 0;  // number of its calibration set
};

struct CellResult {
  std::vector<TextScore> scores;  // none where it failed
  std::string failure;            // why, or empty
  std::vector<ComparedSites> sites;
  nlohmann::ordered_json seconds;
};

/// Reads every calibration set once, when it is made, so that a fault in the last row costs
/// nothing.
class Cells {
 public:
  /// Throws: as JobInputs::check_choices and JobInputs::samples.
  Cells(const Comparison& comparison, const ComparedInputs& inputs);

  const std::vector<Cell>& all() const { return cells_; }

  /// Results of all cells, in their order; those that are kept in `folder` are not computed again,
  /// and those that are finished are kept there.
  /// Throws: as calibrate_side_by_side; MachineError.
  std::vector<CellResult> run(OutputFolder& folder, bool site_errors, Progress& progress) const;

 private:
  class Results;
  struct CalibrationSet {
    std::size_t model = 0;
    CorpusOptions corpus;
    Cut cut = Cut::windows;
    std::vector<Encoding> samples;
  };

  void run_set(std::size_t set, Results& results, Progress& progress) const;
  void run_group(std::size_t set, std::span<const std::size_t> group, Results& results,
                 Progress& progress) const;
  std::size_t set_of(std::size_t row, const CalibrationOptions& options);

  const Comparison& comparison_;
  const ComparedInputs& inputs_;
  std::vector<CalibrationSet> sets_;
  std::vector<Cell> cells_;
};

}  // namespace evenkeel
