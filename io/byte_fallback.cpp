#include "io/byte_fallback.h"

#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

namespace evenkeel {

ByteFallback::ByteFallback(const Vocabulary& vocabulary) {
  for (std::size_t byte = 0; byte < ids_.size(); ++byte) {
    ids_.at(byte) = vocabulary.find(fmt::format("<0x{:02X}>", byte));
  }
}

bool ByteFallback::append_ids(std::string_view text, Tokens& ids) const {
  const std::size_t before = ids.size();
  for (const char byte : text) {
    const std::optional<TokenId> id = ids_[static_cast<std::uint8_t>(byte)];
    if (!id) {
      ids.resize(before);
      return false;
    }
    ids.push_back(*id);
  }
  return true;
}

}  // namespace evenkeel
