#include "io/token_model.h"

#include <array>
#include <string>

#include "io/bpe.h"

namespace evenkeel {
namespace {

using Type = ComponentType<TokenModel, WordBytes>;

constexpr std::array types = {Type{"BPE", make_bpe}};

// Files older than the library's 0.9 do not name the type; merges are BPE's alone.
std::string type_of(const ComponentSettings& settings) {
  return settings.has("merges") ? settings.text("type", "BPE") : settings.text("type");
}

}  // namespace

std::unique_ptr<const TokenModel> make_token_model(const ComponentSettings& settings,
                                                   WordBytes word_bytes) {
  return make_component(settings, type_of(settings), std::span<const Type>(types), word_bytes);
}

}  // namespace evenkeel
