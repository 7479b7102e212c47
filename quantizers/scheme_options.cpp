#include "quantizers/scheme_options.h"

#include <array>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

namespace evenkeel {
namespace {

using Place = SchemeOption::Place;

constexpr double most = std::numeric_limits<int>::max();
constexpr int most_steps_per_octave = 64;
// Beyond it the middle of two codes is not exact in double (quantizers/codebook.cpp).
constexpr double smallest_split = 1e-6;

const std::array<SchemeOption, 14> options{{{.key = "group_size",
                                             .member = &TensorScheme::group_size,
                                             .reader = Granularity::per_group,
                                             .low = 1,
                                             .high = most},
                                            {.key = "groups",
                                             .member = &TensorScheme::groups,
                                             .reader = Granularity::per_embedding_group,
                                             .place = Place::activations,
                                             .low = 1,
                                             .high = most},
                                            {.key = "permute",
                                             .member = &TensorScheme::permute,
                                             .reader = Granularity::per_embedding_group,
                                             .place = Place::activations},
                                            {.key = "percentile",
                                             .member = &TensorScheme::percentile,
                                             .reader = RangeEstimator::percentile,
                                             .low = 0.5,
                                             .high = 1.0,
                                             .above_low = true},
                                            {.key = "clip",
                                             .member = &TensorScheme::clip,
                                             .reader = RangeEstimator::token_wise_clipping,
                                             .place = Place::activations,
                                             .low = 0.0,
                                             .high = 1.0,
                                             .below_high = true},
                                            {.key = "outlier_threshold",
                                             .member = &TensorScheme::outlier_threshold,
                                             .reader = Granularity::per_token,
                                             .place = Place::activations,
                                             .low = 0.0,
                                             .high = most,
                                             .zero_is_none = true},
                                            {.key = "steps_per_octave",
                                             .member = &TensorScheme::steps_per_octave,
                                             .reader = Codes::logarithmic,
                                             .place = Place::nodes,
                                             .low = 1,
                                             .high = most_steps_per_octave},
                                            {.key = "split",
                                             .member = &TensorScheme::split,
                                             .reader = Codes::two_range,
                                             .place = Place::nodes,
                                             .low = smallest_split,
                                             .high = 1.0,
                                             .below_high = true},
                                            {.key = "block_size",
                                             .member = &TensorScheme::block_size,
                                             .reader = Granularity::per_block,
                                             .low = 16,
                                             .high = 4096,
                                             .of_weights = true},
                                            {.key = "exponent_bits",
                                             .member = &TensorScheme::exponent_bits,
                                             .reader = Codes::floating,
                                             .low = 0,
                                             .high = 7,
                                             .zero_is_none = true,
                                             .of_weights = true},
                                            {.key = "paper_exponents",
                                             .member = &TensorScheme::paper_exponents,
                                             .reader = Codes::floating,
                                             .zero_is_none = true,
                                             .of_weights = true},
                                            {.key = "appendix_bias",
                                             .member = &TensorScheme::appendix_bias,
                                             .reader = Codes::floating,
                                             .zero_is_none = true,
                                             .of_weights = true},
                                            {.key = "centered",
                                             .member = &TensorScheme::centered,
                                             .reader = SchemeOption::SignedBook{},
                                             .zero_is_none = true,
                                             .of_weights = true},
                                            {.key = "proxy_percent",
                                             .member = &TensorScheme::proxy_percent,
                                             .reader = SchemeOption::SignedBook{},
                                             .low = 0.0,
                                             .high = 50.0,
                                             .zero_is_none = true,
                                             .of_weights = true}}};

Granularity choice_in(const TensorScheme& scheme, Granularity) { return scheme.granularity; }
RangeEstimator choice_in(const TensorScheme& scheme, RangeEstimator) { return scheme.range; }
Codes choice_in(const TensorScheme& scheme, Codes) { return scheme.codes; }
Codes choice_in(const TensorScheme& scheme, SchemeOption::SignedBook) { return scheme.codes; }

bool reads(Granularity reader, const TensorScheme& scheme) { return scheme.granularity == reader; }
bool reads(RangeEstimator reader, const TensorScheme& scheme) { return scheme.range == reader; }
bool reads(Codes reader, const TensorScheme& scheme) { return scheme.codes == reader; }
bool reads(SchemeOption::SignedBook, const TensorScheme& scheme) {
  return is_signed_book(scheme.codes);
}

std::string_view name_of(SchemeOption::SignedBook) { return "a code book of weights"; }

std::string_view is_called(Granularity) { return "granularity is"; }
std::string_view is_called(RangeEstimator) { return "range is"; }
std::string_view is_called(Codes) { return "codes are"; }
std::string_view is_called(SchemeOption::SignedBook) { return "codes are"; }

std::string limits_of(const SchemeOption& option) {
  const bool open = option.above_low || option.below_high;
  if (option.high == most) return fmt::format("at least {}", option.low);
  if (!open) return fmt::format("{} to {}", option.low, option.high);
  return fmt::format("{} {} and {} {}", option.above_low ? "above" : "at least", option.low,
                     option.below_high ? "below" : "at most", option.high);
}

}  // namespace

std::span<const SchemeOption> scheme_options() { return options; }

bool is_read(const SchemeOption& option, const TensorScheme& scheme) {
  return std::visit([&](auto reader) { return reads(reader, scheme); }, option.reader);
}

bool is_written(const SchemeOption& option, const TensorScheme& scheme) {
  const bool none = option.zero_is_none && std::visit(
                                               [&](auto member) {
                                                 using Value =
                                                     std::remove_cvref_t<decltype(scheme.*member)>;
                                                 return scheme.*member == Value{};
                                               },
                                               option.member);
  return is_read(option, scheme) && !none;
}

std::string why_idle(const SchemeOption& option, const TensorScheme& scheme) {
  return std::visit(
      [&](auto reader) {
        return fmt::format("only {} reads it; {} {}", name_of(reader), is_called(reader),
                           name_of(choice_in(scheme, reader)));
      },
      option.reader);
}

std::optional<std::string> fault_of(const SchemeOption& option, const TensorScheme& scheme) {
  const auto fault = [&](auto value) -> std::optional<std::string> {
    const auto number = static_cast<double>(value);
    const bool in_range = (option.above_low ? number > option.low : number >= option.low) &&
                          (option.below_high ? number < option.high : number <= option.high);
    if (in_range) return std::nullopt;
    return fmt::format("{} must be {}, not {}", option.key, limits_of(option), value);
  };
  return std::visit(
      [&](auto member) -> std::optional<std::string> {
        using Value = std::remove_cvref_t<decltype(scheme.*member)>;
        if constexpr (std::is_same_v<Value, bool>) {
          return std::nullopt;
        } else if constexpr (std::is_same_v<Value, std::optional<double>>) {
          return scheme.*member ? fault(*(scheme.*member)) : std::nullopt;
        } else {
          return fault(scheme.*member);
        }
      },
      option.member);
}

}  // namespace evenkeel
