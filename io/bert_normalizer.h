// The normalizer of BERT (Devlin et al. 2019, BasicTokenizer of the published code).
#pragma once

#include <memory>

#include "io/normalizer.h"

namespace evenkeel {

/// Settings: clean_text (control characters go, white space becomes spaces), handle_chinese_chars
/// (spaces around ideographs), lowercase, strip_accents (null: as lowercase).
/// Throws: InputError when a setting is missing or wrong.
std::unique_ptr<const Normalizer> make_bert_normalizer(const ComponentSettings& settings);

}  // namespace evenkeel
