#include "calib/scaling/text_bytes.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "io/corpus_file.h"

namespace evenkeel {
namespace {

// The beginning of at most `size` bytes that cuts no character.
std::string_view beginning(std::string_view text, std::size_t size) {
  const auto continues = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (size > 0 && continues(size)) --size;
  return text.substr(0, size);
}

}  // namespace

std::optional<std::size_t> text_bytes(const std::filesystem::path& file, std::size_t tokens,
                                      const Tokenizer& tokenizer) {
  if (holds_token_ids(file)) return std::nullopt;
  const std::string text = read_corpus_text(file);
  const auto enough = [&](std::size_t size) {
    return tokenizer.encode_first(beginning(text, size), tokens).size() >= tokens;
  };
  std::size_t high = std::min(text.size(), 4 * tokens);
  while (high < text.size() && !enough(high)) high = std::min(text.size(), 2 * high);
  std::size_t low = 0;
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (enough(middle) ? high : low) = middle;
  }
  return beginning(text, high).size();
}

}  // namespace evenkeel
