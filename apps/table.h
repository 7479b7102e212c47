// Tables and lists of figures as plain text and as CSV.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calib/report/text_table.h"

namespace evenkeel {

/// A table with a rule of dashes below its header. Every character that is not a UTF-8
/// continuation byte counts as one column wide; the frame itself is ASCII.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string header;
    Align align = Align::right;  // figures; words stand to the left
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  explicit Table(const TextTable& text);

  /// REQUIRES: one cell for each column.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  /// Lines without trailing blanks. `emphasis` sets the header in bold.
  std::string text(bool emphasis) const;
  /// The header and the rows as RFC 4180 has them, but with lines that end in a plain newline:
  /// cells with a comma, a quote or a line break stand in quotes, quotes in them twice.
  std::string csv() const;

 private:
  std::vector<std::string> headers() const;
  std::string line(const std::vector<std::string>& cells,
                   const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// One line "name  value" for each field, values below each other.
std::string field_list(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace evenkeel
