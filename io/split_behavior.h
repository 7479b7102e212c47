// What becomes of the matches that a text is split by.
#pragma once

#include <optional>
#include <string_view>

#include "io/pretokenizer.h"
#include "io/text_pattern.h"

namespace evenkeel {

enum class SplitBehavior {
  removed,               // "a-b" by "-": a b
  isolated,              // a - b
  merged_with_previous,  // a- b; of several matches in a row, the first
  merged_with_next,      // a -b; of several, the last
  contiguous,            // isolated, several in a row as one
};

/// The setting "behavior", of the names of tokenizer.json: "Removed", "MergedWithNext", ...
/// Throws: InputError when it is none of them.
SplitBehavior split_behavior_of(const ComponentSettings& settings);
SplitBehavior split_behavior_of(const ComponentSettings& settings, SplitBehavior otherwise);

/// Joins the segments of one text into words. Not thread-safe; `sink` must outlive it.
class SegmentJoiner {
 public:
  SegmentJoiner(const Word& text, SplitBehavior behavior, const WordSink& sink)
      : text_(text), behavior_(behavior), sink_(sink) {}

  /// Takes the next segment, and gives the word before it once that is complete. False when the
  /// sink asked to stop.
  bool add(const Segment& segment);
  /// Gives the last word.
  bool finish();

 private:
  bool joins(const Segment& segment, bool after_match) const;

  Word text_;
  SplitBehavior behavior_;
  const WordSink& sink_;
  std::optional<Segment> pending_;
  bool after_match_ = false;
};

/// Splits `text` by `regex`; with `invert`, what lies between its matches counts as matched.
bool split_by(const Regex& regex, bool invert, SplitBehavior behavior, const Word& text,
              const WordSink& sink);

/// Splits `text` by the characters for which `matches` is true.
bool split_by(bool (*matches)(char32_t character), SplitBehavior behavior, const Word& text,
              const WordSink& sink);

}  // namespace evenkeel
