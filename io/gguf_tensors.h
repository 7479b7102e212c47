// The tensors of a GGUF file under their Hugging Face names, in their shapes and order of rows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/gguf.h"
#include "io/gguf_family.h"

namespace evenkeel {

/// What `name` is called by a rule that calls `pattern` `replacement`: each "{}" of the pattern
/// stands for a number, which takes the place of the replacement's at the same position. Nothing
/// when the name does not fit.
std::optional<std::string> renamed(std::string_view pattern, std::string_view replacement,
                                   std::string_view name);

/// In the order of the file; the experts of a stacked tensor follow one another. Nothing is
/// decoded: a tensor's `rows` and `offset` say what is to be undone. Throws:
/// InputError when a tensor is none of the family's, two become the same, or its shape contradicts
/// the numbers of heads or experts.
std::vector<StoredTensor> gguf_tensors(const GgufFile& file, const GgufFamily& family);

}  // namespace evenkeel
