#include "calib/report/figure_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace evenkeel {
namespace {

// From here on a figure's size says more than its digits.
constexpr double largest_plain = 1000.0;

bool is_share(Metric metric) {
  return metric == Metric::accuracy || metric == Metric::normalized_accuracy ||
         metric == Metric::f1;
}

}  // namespace

std::string perplexity_text(double value) {
  return std::abs(value) < largest_plain ? fmt::format("{:.4f}", value)
                                         : fmt::format("{:.1e}", value);
}

std::string difference_text(double value) {
  return std::abs(value) < largest_plain ? fmt::format("{:+.4f}", value)
                                         : fmt::format("{:+.1e}", value);
}

std::string ratio_text(double value, double base) {
  const double ratio = value / base;
  return std::abs(ratio) < largest_plain ? fmt::format("{:.3f}", ratio)
                                         : fmt::format("{:.1e}", ratio);
}

std::string percent_text(double share) { return fmt::format("{:.2f} %", 100.0 * share); }

std::string score_text(double value, Metric metric) {
  if (metric == Metric::perplexity) return perplexity_text(value);
  return is_share(metric) ? percent_text(value) : fmt::format("{:.4f}", value);
}

std::string in_words(Metric metric) {
  std::string words(name_of(metric));
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::string error_text(double error, Metric metric) {
  if (std::isnan(error)) return "-";
  if (is_share(metric)) return fmt::format("{:.2f}", 100.0 * error);
  return std::abs(error) < largest_plain ? fmt::format("{:.4f}", error)
                                         : fmt::format("{:.1e}", error);
}

std::string p_text(double p) {
  constexpr double least = 1e-4;
  if (std::isnan(p)) return "-";
  return p < least ? "<0.0001" : fmt::format("{:.4f}", p);
}

std::string points_text(double difference) { return fmt::format("{:+.2f}", 100.0 * difference); }

std::string digits_text(double value) { return fmt::format("{:.4g}", value); }

std::string duration_text(double seconds) {
  constexpr double minute = 60.0;
  constexpr double hour = 3600.0;
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  // Rounded first, so that 59.6 s is 1 min 0 s and not 60 s.
  const double whole = std::round(seconds);
  if (whole < minute) return fmt::format("{:.0f} s", whole);
  if (whole < hour) {
    return fmt::format("{:.0f} min {:.0f} s", std::floor(whole / minute), std::fmod(whole, minute));
  }
  return fmt::format("{:.0f} h {:.0f} min", std::floor(whole / hour),
                     std::floor(std::fmod(whole, hour) / minute));
}

std::string count_text(std::int64_t count) {
  constexpr double million = 1e6;
  constexpr double billion = 1e9;
  const auto value = static_cast<double>(count);
  if (value < million) return fmt::format("{}", count);
  if (value < billion) return fmt::format("{:.2f} million", value / million);
  return fmt::format("{:.2f} billion", value / billion);
}

}  // namespace evenkeel
