// What a component of tokenizer.json looks for in a text: {"String": "x"} or {"Regex": "x"}.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "io/regex.h"
#include "io/tokenizer_component.h"

namespace evenkeel {

/// A stretch of a text that a pattern matches, or that lies between two matches.
struct Segment {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool matches = false;
};

/// Called with each segment in turn. False asks for no more.
using SegmentSink = std::function<bool(const Segment& segment)>;

/// A text's segments by `regex`: they cover it in order, and a match may be empty. False when
/// `sink` asked to stop. REQUIRES: valid UTF-8.
bool segments_by(const Regex& regex, std::string_view text, const SegmentSink& sink);

/// The expression of the setting "pattern". Regular expressions are Oniguruma's (io/oniguruma.h).
/// Throws: InputError when it is missing, malformed or not supported.
Regex pattern_of(const ComponentSettings& settings);

}  // namespace evenkeel
