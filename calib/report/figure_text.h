// How figures are written for people: in tables of the command and in reports.
#pragma once

#include <cstdint>
#include <string>

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
/// A standard error: of a perplexity or a correlation "0.0123", of a share in points "0.34"; "-"
/// where it is not known.
std::string error_text(double error, Metric metric);
/// A probability: "0.0312", "<0.0001"; "-" where it is not known.
std::string p_text(double p);
/// A difference of shares, in points of a hundred: "+0.12", "-3.40".
std::string points_text(double difference);
/// Four significant digits: losses, thresholds, steps.
std::string digits_text(double value);
/// "0.4 s", "45 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);
/// "3567168" as "3.57 million".
std::string count_text(std::int64_t count);

}  // namespace evenkeel
