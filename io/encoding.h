// What a model that reads one or two texts is given: their ids among special tokens, and of which
// text each is.
#pragma once

#include <cstddef>
#include <vector>

#include "io/matrix.h"

namespace evenkeel {

/// `types` has one entry for each id: its token type (segment), in BERT 0 for the first text and
/// the special tokens around it, 1 for the second; or none, which is the same as zeros.
struct Encoding {
  Tokens ids;
  Tokens types = {};

  bool operator==(const Encoding&) const = default;
};

/// Windows of ids as encodings without types.
std::vector<Encoding> without_types(std::vector<Tokens> windows);

/// One step of putting an encoding together.
struct EncodingPart {
  enum class Kind { special_token, first_text, second_text };
  Kind kind = Kind::first_text;
  TokenId type = 0;  // of all its tokens
  TokenId id = 0;    // of a special token
};

/// What follows what. Names the first text once, and the second at most once.
using EncodingTemplate = std::vector<EncodingPart>;

std::size_t special_tokens_of(const EncodingTemplate& parts);

/// What is left of a text's ids for an encoding of at most `max_length`.
/// Throws: InputError when the special tokens alone are more.
std::size_t room_for_texts(const EncodingTemplate& parts, std::size_t max_length);

/// Takes ids from the end of the longer text until both have at most `room` together; two texts
/// that are both longer than half of it keep half each, and the longer one the odd id. It is
/// "longest_first" of the `tokenizers` library, with its choice between equals (the second text).
void truncate_longest_first(Tokens& first, Tokens& second, std::size_t room);

Encoding put_together(const EncodingTemplate& parts, const Tokens& first, const Tokens& second);

}  // namespace evenkeel
