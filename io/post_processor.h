// Post-processors: the special tokens around a text.
#pragma once

#include <memory>

#include "io/matrix.h"
#include "io/tokenizer_component.h"

namespace evenkeel {

/// What stands before and after the ids of a text encoded with special tokens.
struct SpecialTokens {
  Tokens before;
  Tokens after;
};

/// Throws: InputError when the type is not supported or a setting is wrong, or when a template
/// does not name the text exactly once.
std::unique_ptr<const SpecialTokens> make_post_processor(const ComponentSettings& settings);

}  // namespace evenkeel
