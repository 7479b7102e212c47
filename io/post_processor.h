// Post-processors: the special tokens around a text, or around the two texts of a pair.
#pragma once

#include <memory>

#include "io/encoding.h"
#include "io/tokenizer_component.h"

namespace evenkeel {

/// How texts are encoded with special tokens. Default: with none, a pair's second text of type 1.
struct PostProcessor {
  EncodingTemplate single = {{EncodingPart::Kind::first_text}};
  EncodingTemplate pair = {{EncodingPart::Kind::first_text}, {EncodingPart::Kind::second_text, 1}};
};

/// A TemplateProcessing whose "pair" does not name both texts once is for single texts; its `pair`
/// is empty.
/// Throws: InputError when the type is not supported or a setting is wrong, when "single" does not
/// name the text exactly once, or when two steps of a Sequence both surround the text.
std::unique_ptr<const PostProcessor> make_post_processor(const ComponentSettings& settings);

}  // namespace evenkeel
