// What the scripts of all kinds of plots are made of.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace evenkeel::script {

constexpr int chart_width = 760;
/// Beside marks, where names or axes need no more.
constexpr int chart_height = 460;

/// The i-th of the colours, which people who see few of them tell apart (Okabe & Ito).
std::string_view colour(std::size_t i);
/// The i-th of gnuplot's filled marks, told apart where colours are not: circle, square, triangles,
/// diamond, pentagon.
int mark(std::size_t i);

/// A text between the double quotes of a script: valid UTF-8 on one line, no escapes or commands,
/// cut off at `longest` bytes.
std::string literal(std::string_view text, std::size_t longest = 90);
/// The same for the label of a tic, where gnuplot would format numbers.
std::string tic_label(std::string_view text, std::size_t longest = 60);
/// Tics of a logarithmic axis ("x", "y", "cb") at round numbers. REQUIRES: 0 < low <= high.
std::string log_tics(std::string_view axis, double low, double high);

/// Sets axis 'x' or 'y' to be logarithmic, from a little below the least of the values to a little
/// above the largest, with labels at round numbers, where gnuplot itself would have powers of ten
/// alone. Values that cannot stand there do not count.
std::string log_axis(char axis, std::span<const double> values);

/// Sets the key to the right of the plot, or below it where names are long; how many more pixels
/// of height it takes then is added to `height`.
std::string key_of(std::span<const std::string> names, int& height);

}  // namespace evenkeel::script
