#include "calib/report/page.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "calib/report/page_assets.h"

namespace evenkeel {
namespace {

// Nothing is fetched from anywhere; what the page itself holds may run.
constexpr std::string_view policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'";

// Where names of the first column may be broken on narrow screens: after a dot.
std::string breakable(const std::string& html) {
  std::string text;
  for (const char c : html) {
    text += c;
    if (c == '.') text += "<wbr>";
  }
  return text;
}

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

void Page::lead(std::string_view text) {
  parts_.push_back({fmt::format("<p class=\"lead\">{}</p>\n", escaped(text))});
}

void Page::heading(std::string_view text) {
  if (!first_section_) first_section_ = parts_.size();
  parts_.push_back({.html = "", .heading = headings_.size()});
  headings_.push_back(escaped(text));
}

void Page::subheading(std::string_view text) {
  parts_.push_back({fmt::format("<h3>{}</h3>\n", escaped(text))});
}

void Page::paragraph(std::string_view text) {
  parts_.push_back({fmt::format("<p>{}</p>\n", escaped(text))});
}

void Page::fields(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string html = "<dl>\n";
  for (const auto& [name, value] : pairs) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
  }
  parts_.push_back({html + "</dl>\n"});
}

void Page::table(const std::vector<Column>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  const auto marked = [](const Column& column) { return column.figures ? " class=\"n\"" : ""; };
  std::string html = "<div class=\"wide\"><table>\n<thead><tr>";
  for (const Column& column : columns) {
    html += fmt::format("<th scope=\"col\"{}><button type=\"button\">{}</button></th>",
                        marked(column), escaped(column.name));
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string text = escaped(row[i]);
      html += fmt::format("<td{}>{}</td>", marked(columns[i]),
                          i == 0 && !columns[i].figures ? breakable(text) : text);
    }
    html += "</tr>\n";
  }
  parts_.push_back({html + "</tbody></table></div>\n"});
}

void Page::figure(Chart chart, std::string_view caption) {
  parts_.push_back({.html = caption.empty()
                                ? std::string()
                                : fmt::format("<figcaption>{}</figcaption>\n", escaped(caption)),
                    .chart = charts_.size()});
  add_chart(std::move(chart));
}

void Page::add_chart(Chart chart) {
  const std::string wanted = chart.name;
  const auto has_its_name = [&](const Chart& other) { return other.name == chart.name; };
  for (int number = 2; std::ranges::any_of(charts_, has_its_name); ++number) {
    chart.name = fmt::format("{}-{}", wanted, number);
  }
  charts_.push_back(std::move(chart));
}

void Page::preformatted(std::string_view summary, std::string_view text) {
  parts_.push_back({fmt::format("<details><summary>{}</summary>\n<pre>{}</pre></details>\n",
                                escaped(summary), escaped(text))});
}

void Page::append(const Page& other) {
  parts_.push_back({fmt::format("<h1>{}</h1>\n", other.title_)});
  for (Part part : other.parts_) {
    if (part.chart) {
      const std::size_t chart = *part.chart;
      part.chart = charts_.size();
      add_chart(other.charts_[chart]);
    } else if (part.heading) {
      if (!first_section_) first_section_ = parts_.size();
      const std::size_t heading = *part.heading;
      part.heading = headings_.size();
      headings_.push_back(other.headings_[heading]);
    }
    parts_.push_back(std::move(part));
  }
}

std::string Page::contents() const {
  if (headings_.size() < 2) return "";
  std::string html = "<nav aria-label=\"Contents\"><ul>\n";
  for (std::size_t i = 0; i < headings_.size(); ++i) {
    html += fmt::format("<li><a href=\"#section-{}\">{}</a></li>\n", i + 1, headings_[i]);
  }
  return html + "</ul></nav>\n";
}

std::string Page::html_of(const Part& part,
                          const std::vector<std::optional<std::string>>& drawings) const {
  if (part.heading) {
    return fmt::format("<h2 id=\"section-{}\">{}</h2>\n", *part.heading + 1,
                       headings_[*part.heading]);
  }
  if (!part.chart) return part.html;
  if (*part.chart >= drawings.size() || !drawings[*part.chart]) return "";
  // Focusable, since where it is wider than the screen it scrolls.
  return fmt::format(
      "<figure id=\"{}\">\n<div class=\"drawing\" role=\"img\" tabindex=\"0\" "
      "aria-label=\"{}\">{}</div>\n{}</figure>\n",
      charts_[*part.chart].name, escaped(charts_[*part.chart].title), *drawings[*part.chart],
      part.html);
}

std::string Page::html(const std::vector<std::optional<std::string>>& drawings) const {
  std::string body;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (i == first_section_) body += contents();
    body += html_of(parts_[i], drawings);
  }
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{0}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{1}</title>\n<style>{2}</style>\n</head>\n<body>\n<h1>{1}</h1>\n{3}"
      "<footer>Written by calibrate " EVENKEEL_VERSION
      ".</footer>\n<script>{4}</script>\n</body>\n</html>\n",
      policy, title_, page_style, body, page_script);
}

}  // namespace evenkeel
