// A table of texts, for terminals, CSV files and reports alike.
#pragma once

#include <string>
#include <vector>

#include "calib/report/page.h"

namespace evenkeel {

struct TextTable {
  std::vector<Page::Column> columns;
  std::vector<std::vector<std::string>> rows;  // a cell for each column
};

}  // namespace evenkeel
