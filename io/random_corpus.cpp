#include "io/random_corpus.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "io/bounded_random.h"
#include "io/errors.h"

namespace evenkeel {
namespace {

constexpr std::string_view alphabet = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\v\f";
static_assert(alphabet.size() == 32 + 6);

// A text of random ASCII has about one token for each character. The text grows by doubling, and
// one that has grown this far without enough tokens never will have them.
constexpr std::size_t most_characters_per_token = 64;

}  // namespace

Tokens random_ascii_tokens(std::size_t count, std::uint64_t seed, const Tokenizer& tokenizer) {
  BoundedRandom random(seed);
  std::string text;
  for (std::size_t characters = 2 * count; characters <= most_characters_per_token * count;
       characters *= 2) {
    while (text.size() < characters) text += alphabet[random.below(alphabet.size())];
    // One id more than asked: the text's end, where a longer text would go on, is not among them.
    Tokens ids = tokenizer.encode_first(text, count + 1);
    if (ids.size() > count) {
      ids.resize(count);
      return ids;
    }
  }
  throw InputError(fmt::format(
      "random: ascii: the tokenizer makes fewer than one token of {} characters; calibrate with a "
      "corpus or with random: vocabulary",
      most_characters_per_token));
}

Tokens random_vocabulary_tokens(std::size_t count, std::uint64_t seed, const Tokenizer& tokenizer,
                                TokenId vocabulary_size) {
  const TokenId size = std::min(vocabulary_size, tokenizer.vocabulary_size());
  TokenId ordinary = 0;
  while (ordinary < size && tokenizer.is_special(ordinary)) ++ordinary;
  if (ordinary == size) {
    throw InputError("random: vocabulary: all tokens are special; calibrate with a corpus");
  }
  BoundedRandom random(seed);
  Tokens ids(count);
  for (TokenId& id : ids) {
    do {
      id = static_cast<TokenId>(random.below(static_cast<std::uint64_t>(size)));
    } while (tokenizer.is_special(id));
  }
  return ids;
}

}  // namespace evenkeel
