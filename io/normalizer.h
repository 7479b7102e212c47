// Normalizers: what changes a text before it is split into words.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/tokenizer_component.h"

namespace evenkeel {

/// Thread-safe after construction.
class Normalizer {
 public:
  Normalizer() = default;
  Normalizer(const Normalizer&) = delete;
  Normalizer& operator=(const Normalizer&) = delete;
  virtual ~Normalizer() = default;

  /// REQUIRES: valid UTF-8, which the result is as well.
  virtual std::string normalized(std::string_view text) const = 0;
};

/// Throws: InputError when the type is not supported or a setting is wrong.
std::unique_ptr<const Normalizer> make_normalizer(const ComponentSettings& settings);

}  // namespace evenkeel
