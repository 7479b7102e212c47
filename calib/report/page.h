// A report as one HTML file that needs nothing else: no network, no script, light and dark,
// readable on a telephone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace evenkeel {

/// Text as it stands between tags, or in an attribute's double quotes.
std::string escaped(std::string_view text);

class Page {
 public:
  explicit Page(std::string_view title);

  void heading(std::string_view text);
  void paragraph(std::string_view text);
  /// A table that scrolls by itself where it is wider than the page. Cells of columns that hold
  /// figures stand to the right. REQUIRES: a cell for each column in every row.
  struct Column {
    std::string name;
    bool figures = true;
  };
  void table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows);
  /// An <svg> element as it is.
  void figure(std::string_view svg, std::string_view caption);

  /// The whole document.
  std::string html() const;

 private:
  std::string title_;
  std::string body_;
};

}  // namespace evenkeel
