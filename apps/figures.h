// How figures, paths and documents are written for people and for programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "calib/text_score.h"

namespace evenkeel {

/// "19.7635"; from 1000 on "2.3e+05".
std::string perplexity_text(double value);
/// The same with a sign: "+0.1234", "-1.2e+03".
std::string difference_text(double value);
/// `value` over `base`: "1.023"; from 1000 on "2.3e+05".
std::string ratio_text(double value, double base);
/// A share: "92.89 %".
std::string percent_text(double share);
/// As the metric is: a perplexity, a share, or a correlation, "0.8734".
std::string score_text(double value, Metric metric);
/// "normalized accuracy".
std::string in_words(Metric metric);
/// A difference of shares, in points of a hundred: "+0.12", "-3.40".
std::string points_text(double difference);
/// Four significant digits: losses, thresholds, steps.
std::string digits_text(double value);
/// "0.4 s", "45 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);
/// "3567168" as "3.57 million".
std::string count_text(std::int64_t count);

/// The path from the current folder when it lies inside, else the absolute one.
std::string shown_path(const std::filesystem::path& path);

/// One document, indented, with a newline at its end. Bytes that are not UTF-8 (of file names)
/// become U+FFFD; NaN and infinity become null.
std::string document(const nlohmann::ordered_json& json);

}  // namespace evenkeel
