#include "io/vocabulary.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {

void Vocabulary::add(std::string_view token, TokenId id, std::string_view where) {
  const auto known = ids_.find(token);
  if (known != ids_.end()) {
    if (known->second == id) return;
    throw InputError(fmt::format("{}: token {} has id {} and again id {}", where, in_quotes(token),
                                 known->second, id));
  }
  if (!taken_.insert(id).second) {
    throw InputError(fmt::format("{}: token {} has id {}, which another token has already", where,
                                 in_quotes(token), id));
  }
  ids_.emplace(token, id);
  size_ = std::max(size_, id + 1);
}

std::optional<TokenId> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace evenkeel
