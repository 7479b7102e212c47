// The figures of a chart as a table that other programs read.
#pragma once

#include <string>

#include "calib/report/chart.h"

namespace evenkeel {

/// Comma-separated values (RFC 4180, lines ending in \n) with a header; numbers in full, gaps
/// empty. A text that a spreadsheet would take for a formula gets a ' before it.
///   curves       curve,X,Y           X and Y: the names of the axes, else x and y
///   categories   category,series,X,error
///   bands        panel,channel,low,high
///   heat map     ROW,0,1,2,...       one line for each row; columns by where they begin
///   histogram    series,from,to,count
std::string csv_of(const Chart& chart);

}  // namespace evenkeel
