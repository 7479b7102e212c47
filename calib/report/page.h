// A report as one HTML file that needs nothing else: no network (a Content-Security-Policy forbids
// it), light and dark, readable on a telephone and on paper. Tables sort by their headers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calib/report/chart.h"

namespace evenkeel {

/// Text as it stands between tags, or in an attribute's double quotes.
std::string escaped(std::string_view text);

/// Built from top to bottom. Every text is escaped.
class Page {
 public:
  explicit Page(std::string_view title);

  /// What ran and the answer, in a sentence or two: stands out, at the top.
  void lead(std::string_view text);
  /// Begins a section, to which the contents at the top link.
  void heading(std::string_view text);
  /// A part of a section.
  void subheading(std::string_view text);
  void paragraph(std::string_view text);
  /// Names and values, one pair a line.
  void fields(const std::vector<std::pair<std::string, std::string>>& pairs);
  /// A table that scrolls by itself where it is wider than the page, its first column staying on
  /// narrow screens. Its headers sort: figures ("2.3e+05", "92.8 %") by value, other texts in
  /// their natural order (blocks.2 before blocks.10), "-" and empty cells last. Cells of columns
  /// that hold figures stand to the right. REQUIRES: a cell for each column in every row.
  struct Column {
    std::string name;
    bool figures = true;
  };
  void table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows);
  /// A chart with a caption, which may be empty. One whose name an earlier chart of the page has
  /// gets a number after it.
  void figure(Chart chart, std::string_view caption);
  /// Text as it is, folded away under a summary that opens it.
  void preformatted(std::string_view summary, std::string_view text);

  /// All of another page below what this one has, its title above it; its sections come into the
  /// contents.
  void append(const Page& other);

  /// The charts, in their order.
  const std::vector<Chart>& charts() const { return charts_; }
  /// The whole document. `drawings` as of draw(charts()) (drawing.h); a figure without a drawing is
  /// left out.
  std::string html(const std::vector<std::optional<std::string>>& drawings = {}) const;

 private:
  struct Part {
    std::string html;
    std::optional<std::size_t> chart = std::nullopt;    // drawn before html, its caption
    std::optional<std::size_t> heading = std::nullopt;  // of headings_; no html then
  };
  std::string html_of(const Part& part,
                      const std::vector<std::optional<std::string>>& drawings) const;
  void add_chart(Chart chart);
  std::string contents() const;

  std::string title_;
  std::vector<std::string> headings_;
  std::vector<Part> parts_;
  std::optional<std::size_t> first_section_;  // of parts_
  std::vector<Chart> charts_;
};

}  // namespace evenkeel
