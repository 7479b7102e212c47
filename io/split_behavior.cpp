#include "io/split_behavior.h"

#include <array>
#include <string>
#include <utility>

#include "io/errors.h"
#include "io/utf8.h"

namespace evenkeel {

SplitBehavior split_behavior_of(const ComponentSettings& settings) {
  constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> names = {{
      {"Removed", SplitBehavior::removed},
      {"Isolated", SplitBehavior::isolated},
      {"MergedWithPrevious", SplitBehavior::merged_with_previous},
      {"MergedWithNext", SplitBehavior::merged_with_next},
      {"Contiguous", SplitBehavior::contiguous},
  }};
  const std::string given = settings.text("behavior");
  std::string known;
  for (const auto& [name, behavior] : names) {
    if (name == given) return behavior;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
  }
  throw InputError(fmt::format("{}: 'behavior': {} is not known; expected one of {}",
                               settings.path().string(), in_quotes(given), known));
}

SplitBehavior split_behavior_of(const ComponentSettings& settings, SplitBehavior otherwise) {
  return settings.has("behavior") ? split_behavior_of(settings) : otherwise;
}

bool SegmentJoiner::joins(const Segment& segment, bool after_match) const {
  switch (behavior_) {
    case SplitBehavior::removed:
    case SplitBehavior::isolated:
      return false;
    case SplitBehavior::merged_with_previous:
      return segment.matches && !after_match;
    case SplitBehavior::merged_with_next:
      return !segment.matches && after_match;
    case SplitBehavior::contiguous:
      return segment.matches == after_match;
  }
  return false;
}

bool SegmentJoiner::add(const Segment& segment) {
  const bool after_match = std::exchange(after_match_, segment.matches);
  if (pending_ && joins(segment, after_match)) {
    pending_->end = segment.end;
    return true;
  }
  const bool go_on = finish();
  if (behavior_ != SplitBehavior::removed || !segment.matches) pending_ = segment;
  return go_on;
}

bool SegmentJoiner::finish() {
  const std::optional<Segment> word = std::exchange(pending_, std::nullopt);
  if (!word || word->begin == word->end) return true;
  return sink_(text_.part(word->begin, word->end));
}

bool split_by(const Regex& regex, bool invert, SplitBehavior behavior, const Word& text,
              const WordSink& sink) {
  SegmentJoiner words(text, behavior, sink);
  return segments_by(regex, text.text,
                     [&](const Segment& segment) {
                       return words.add({segment.begin, segment.end, segment.matches != invert});
                     }) &&
         words.finish();
}

bool split_by(bool (*matches)(char32_t character), SplitBehavior behavior, const Word& text,
              const WordSink& sink) {
  SegmentJoiner words(text, behavior, sink);
  std::size_t done = 0;
  for (std::size_t i = 0, end = 0; i < text.text.size(); i = end) {
    end = i + utf8_size(text.text[i]);
    if (!matches(utf8_at(text.text, i))) continue;
    if (done < i && !words.add({done, i, false})) return false;
    if (!words.add({i, end, true})) return false;
    done = end;
  }
  if (done < text.text.size() && !words.add({done, text.text.size(), false})) return false;
  return words.finish();
}

}  // namespace evenkeel
