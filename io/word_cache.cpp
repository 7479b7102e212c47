#include "io/word_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

namespace evenkeel {
namespace {

constexpr std::size_t fewest_slots = 16;
constexpr std::size_t most_slots = 16384;
constexpr std::size_t bytes_per_slot = 32;  // of text: a guess at how many distinct words there are

}  // namespace

WordCache::WordCache(std::size_t text_size)
    : slots_(std::bit_ceil(std::clamp(text_size / bytes_per_slot, fewest_slots, most_slots))) {}

std::size_t WordCache::slot_of(std::string_view word) const {
  return std::hash<std::string_view>{}(word) & (slots_.size() - 1);
}

bool WordCache::append_known(std::string_view word, Tokens& ids) const {
  const Slot& slot = slots_[slot_of(word)];
  if (slot.size != word.size() || std::memcmp(slot.word.data(), word.data(), slot.size) != 0) {
    return false;
  }
  // By index: the ids may move as they grow.
  for (std::size_t i = 0; i < slot.ids; ++i) ids.push_back(ids[slot.first + i]);
  return true;
}

void WordCache::remember(std::string_view word, std::size_t first, const Tokens& ids) {
  Slot& slot = slots_[slot_of(word)];
  if (word.size() > slot.word.size()) return;
  std::memcpy(slot.word.data(), word.data(), word.size());
  slot.size = static_cast<std::uint32_t>(word.size());
  slot.first = first;
  slot.ids = static_cast<std::uint32_t>(ids.size() - first);
}

}  // namespace evenkeel
