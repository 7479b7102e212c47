#include "io/encoding.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/errors.h"

namespace evenkeel {

std::vector<Encoding> without_types(std::vector<Tokens> windows) {
  std::vector<Encoding> encodings;
  encodings.reserve(windows.size());
  for (Tokens& window : windows) encodings.push_back({std::move(window)});
  return encodings;
}

std::size_t special_tokens_of(const EncodingTemplate& parts) {
  return static_cast<std::size_t>(std::count_if(
      parts.begin(), parts.end(),
      [](const EncodingPart& part) { return part.kind == EncodingPart::Kind::special_token; }));
}

std::size_t room_for_texts(const EncodingTemplate& parts, std::size_t max_length) {
  const std::size_t special = special_tokens_of(parts);
  if (special > max_length) {
    throw InputError(fmt::format(
        "at most {} ids were asked for, but the tokenizer's special tokens alone are {}; allow "
        "more",
        max_length, special));
  }
  return max_length - special;
}

void truncate_longest_first(Tokens& first, Tokens& second, std::size_t room) {
  if (first.size() <= room && second.size() <= room - first.size()) return;
  Tokens& longer = first.size() > second.size() ? first : second;
  Tokens& shorter = first.size() > second.size() ? second : first;
  shorter.resize(std::min(shorter.size(), room / 2));
  longer.resize(room - shorter.size());
}

Encoding put_together(const EncodingTemplate& parts, const Tokens& first, const Tokens& second) {
  Encoding made;
  for (const EncodingPart& part : parts) {
    if (part.kind == EncodingPart::Kind::special_token) {
      made.ids.push_back(part.id);
    } else {
      const Tokens& text = part.kind == EncodingPart::Kind::first_text ? first : second;
      made.ids.insert(made.ids.end(), text.begin(), text.end());
    }
    made.types.resize(made.ids.size(), part.type);
  }
  return made;
}

}  // namespace evenkeel
