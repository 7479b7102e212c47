#include "calib/report/drawing.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "calib/report/chart_script.h"
#include "calib/report/gnuplot.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

// The first one that says something.
std::string first_line(const std::string& text) {
  const std::size_t begin = std::min(text.find_first_not_of("\n "), text.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

[[noreturn]] void fail(std::size_t drawn, std::size_t asked, const std::string& errors) {
  throw MachineError(
      fmt::format("gnuplot drew {} of {} charts: {}", drawn, asked, first_line(errors)));
}

std::vector<std::string_view> elements_of(std::string_view output) {
  constexpr std::string_view end_tag = "</svg>";
  std::vector<std::string_view> elements;
  std::size_t end = 0;
  for (std::size_t begin = output.find("<svg"); begin != std::string_view::npos;
       begin = output.find("<svg", end)) {
    end = output.find(end_tag, begin);
    if (end == std::string_view::npos) break;
    end += end_tag.size();
    elements.push_back(output.substr(begin, end - begin));
  }
  return elements;
}

// Without the names that gnuplot gives to its parts, which browsers show as tooltips.
std::string without_titles(std::string_view svg) {
  std::string text;
  std::size_t at = 0;
  for (std::size_t begin = svg.find("<title>"); begin != std::string_view::npos;
       begin = svg.find("<title>", at)) {
    const std::size_t end = svg.find("</title>", begin);
    if (end == std::string_view::npos) break;
    text += svg.substr(at, begin - at);
    at = end + std::string_view("</title>").size();
  }
  return text += svg.substr(at);
}

}  // namespace

bool can_draw() { return run_gnuplot("").started; }

std::optional<Drawings> draw(const std::vector<Chart>& charts) {
  Drawings drawings(charts.size());
  std::vector<std::size_t> drawn;
  std::string script;
  for (std::size_t i = 0; i < charts.size(); ++i) {
    if (!has_marks(charts[i])) continue;
    script += script_of(charts[i]);
    drawn.push_back(i);
  }
  if (drawn.empty()) return drawings;
  const GnuplotRun run = run_gnuplot(script);
  if (!run.started) return std::nullopt;
  const auto elements = elements_of(run.output);
  if (!run.succeeded || elements.size() != drawn.size()) {
    fail(elements.size(), drawn.size(), run.errors);
  }
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    drawings[drawn[i]] = without_titles(elements[i]);
  }
  return drawings;
}

}  // namespace evenkeel
