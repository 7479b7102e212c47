#include "calib/report/page.h"

#include <fmt/format.h>

namespace evenkeel {
namespace {

// Charts are drawn for a light ground; on a dark one they are inverted, hues kept.
constexpr std::string_view style = R"(
:root { color-scheme: light dark; --ground: #fff; --text: #1a1a1a; --rule: #ccc; --soft: #666; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #16181b; --text: #e6e6e6; --rule: #444; --soft: #aaa; }
  figure svg { filter: invert(0.9) hue-rotate(180deg); }
}
body { background: var(--ground); color: var(--text); margin: 0 auto; max-width: 62rem;
  padding: 1rem; font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem; border-bottom: 1px solid var(--rule); text-align: left;
  white-space: nowrap; }
th.n, td.n { text-align: right; }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg { width: 100%; min-width: 34rem; height: auto; }
figcaption { color: var(--soft); font-size: 0.9rem; }
)";

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

Page::Page(std::string_view title) : title_(escaped(title)) {}

void Page::heading(std::string_view text) { body_ += fmt::format("<h2>{}</h2>\n", escaped(text)); }

void Page::paragraph(std::string_view text) { body_ += fmt::format("<p>{}</p>\n", escaped(text)); }

void Page::table(const std::vector<Column>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  const auto cell = [](std::string_view tag, const Column& column, std::string_view text) {
    return fmt::format("<{0}{1}>{2}</{0}>", tag, column.figures ? " class=\"n\"" : "",
                       escaped(text));
  };
  body_ += "<div class=\"wide\"><table>\n<thead><tr>";
  for (const Column& column : columns) body_ += cell("th", column, column.name);
  body_ += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    body_ += "<tr>";
    for (std::size_t i = 0; i < columns.size(); ++i) body_ += cell("td", columns[i], row[i]);
    body_ += "</tr>\n";
  }
  body_ += "</tbody></table></div>\n";
}

void Page::figure(std::string_view svg, std::string_view caption) {
  body_ +=
      fmt::format("<figure>\n{}\n<figcaption>{}</figcaption>\n</figure>\n", svg, escaped(caption));
}

std::string Page::html() const {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n{2}</body>\n</html>\n",
      title_, style, body_);
}

}  // namespace evenkeel
