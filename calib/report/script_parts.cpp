#include "calib/report/script_parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "calib/report/chart.h"
#include "io/one_line.h"
#include "io/utf8.h"

namespace evenkeel::script {
namespace {

constexpr std::array<std::string_view, 8> colours{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                  "#E69F00", "#56B4E9", "#777777", "#000000"};

constexpr std::array marks{7, 5, 9, 11, 13, 15};

std::vector<double> round_numbers(double low, double high) {
  std::vector<double> numbers;
  const bool wide = high > 100.0 * low;
  // Of very many powers of ten, only so many that they stand apart.
  const double decades = std::log10(high / low);
  const double factor = std::pow(10.0, std::max(1.0, std::ceil(decades / 8.0)));
  for (double power = std::pow(10.0, std::floor(std::log10(low))); power <= high; power *= factor) {
    for (const double digit : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0}) {
      const double number = digit * power;
      if (number >= low && number <= high && (!wide || digit == 1.0)) numbers.push_back(number);
    }
  }
  return numbers;
}

std::string valid_utf8(std::string text) {
  while (const auto at = first_invalid_utf8(text)) text[*at] = '?';
  return text;
}

}  // namespace

std::string_view colour(std::size_t i) { return colours[i % colours.size()]; }

int mark(std::size_t i) { return marks[i % marks.size()]; }

// gnuplot itself escapes what would be markup.
std::string literal(std::string_view text, std::size_t longest) {
  std::string safe;
  for (const char c : text) {
    if (c == '"') {
      safe += '\'';
    } else if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '\\' && c != '`') {
      safe += c;
    }
  }
  return "\"" + valid_utf8(one_line(safe, longest)) + "\"";
}

std::string tic_label(std::string_view text, std::size_t longest) {
  std::string doubled;
  for (const char c : literal(text, longest))
    doubled += c == '%' ? std::string("%%") : std::string(1, c);
  return doubled;
}

std::string log_tics(std::string_view axis, double low, double high) {
  return fmt::format("set {0}tics ({1})\nset format {0} \"% g\"\n", axis,
                     fmt::join(round_numbers(low, high), ", "));
}

std::string log_axis(char axis, std::span<const double> values) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0.0;
  for (const double value : values) {
    if (!can_stand(value, true)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  std::string text = fmt::format("set logscale {}\n", axis);
  if (high == 0.0) return text;
  return text + fmt::format("set {}range [{}:{}]\n", axis, low / 1.1, high * 1.1) +
         log_tics(std::string(1, axis), low / 1.1, high * 1.1);
}

std::string key_of(std::span<const std::string> names, int& height) {
  constexpr std::size_t short_name = 24;
  constexpr int line = 20;
  const bool any_long =
      std::ranges::any_of(names, [](const std::string& name) { return name.size() > short_name; });
  if (!any_long) {
    height = std::max(height, 90 + line * static_cast<int>(names.size()));
    return "set key outside right top Left reverse samplen 2\n";
  }
  height += line * static_cast<int>(names.size());
  return "set key outside below left Left reverse maxcols 1 samplen 2\n";
}

}  // namespace evenkeel::script
