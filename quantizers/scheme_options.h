// The numbers that some choice of a scheme reads, in one table: job files, records and validation
// go through it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "quantizers/scheme.h"

namespace evenkeel {

/// A member of TensorScheme that only one choice reads. An optional one without a value is
/// searched, and spelled "search".
struct SchemeOption {
  using Member = std::variant<int TensorScheme::*, double TensorScheme::*, bool TensorScheme::*,
                              std::optional<double> TensorScheme::*>;
  /// Any of the signed code books.
  struct SignedBook {};
  using Reader = std::variant<Granularity, RangeEstimator, Codes, SignedBook>;
  /// Who can have it, ascending: each has what those before it have, and weights the first alone.
  enum class Place { tensors, activations, nodes };

  std::string_view key;
  Member member;
  Reader reader;
  Place place = Place::tensors;
  double low = 0.0;
  double high = 0.0;
  bool above_low = false;     // low itself is not allowed
  bool below_high = false;    // nor high
  bool zero_is_none = false;  // and not written
  bool of_weights = false;    // nothing else has it
};

/// Whether a scheme of that place can have the option; of weights: tensors.
inline bool stands_at(const SchemeOption& option, SchemeOption::Place place) {
  return option.place <= place && (place == SchemeOption::Place::tensors || !option.of_weights);
}

/// In the order in which records write them.
std::span<const SchemeOption> scheme_options();

bool is_read(const SchemeOption& option, const TensorScheme& scheme);
/// Whether a record says it: it is read, and not the zero that stands for none.
bool is_written(const SchemeOption& option, const TensorScheme& scheme);
/// "only per_group reads it; granularity is per_channel". REQUIRES: it is not read.
std::string why_idle(const SchemeOption& option, const TensorScheme& scheme);
/// "group_size must be at least 1, not 0"; nothing when in range.
std::optional<std::string> fault_of(const SchemeOption& option, const TensorScheme& scheme);

}  // namespace evenkeel
