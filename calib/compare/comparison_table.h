// A comparison as tables of texts, for terminals, CSV files and reports alike.
#pragma once

#include <string>

#include "calib/compare/compare.h"
#include "calib/report/text_table.h"

namespace evenkeel {

/// A line for each model as it is and each row: settings; of each text the figure, its standard
/// error (over seeds too, where there are), the ratio or change to full precision, the difference
/// to the baseline and the p value adjusted for the number of rows; seconds.
TextTable comparison_table(const ComparisonResult& result);
/// What its columns mean, a line for each.
std::string comparison_legend(const ComparisonResult& result);

/// The same for programs: a line for each text of each model as it is and each row, numbers in
/// full, of differences those that compare.json has (ratios of perplexities).
TextTable comparison_records(const ComparisonResult& result);

/// The figures of one text: the last axis across, the others down, as papers print them.
/// REQUIRES: at least two axes; text < the number of texts.
TextTable comparison_grid(const ComparisonResult& result, std::size_t text);

/// What quantization does to each kind of site, before and after the transform; without rows where
/// it was not measured.
TextTable errors_table(const ComparisonResult& result);

/// "full precision", or with several models "LABEL as it is".
std::string name_of(const ComparedModel& model, const ComparisonResult& result);
/// What rows are measured against: "full precision" or "the same row with 'LABEL'".
std::string baseline_name(const ComparisonResult& result);

}  // namespace evenkeel
