#include "io/post_processor.h"

#include <array>
#include <string>
#include <utility>

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Made = std::unique_ptr<const SpecialTokens>;

Made make_byte_level(const ComponentSettings& /*settings*/) {
  return std::make_unique<const SpecialTokens>();  // it is about offsets, and adds no token
}

// ["</s>", 2]
TokenId token_of_pair(const ComponentSettings& settings, const char* key) {
  const auto found = settings.document().find(key);
  const std::string where = fmt::format("{}: '{}'", settings.path().string(), key);
  if (found == settings.document().end() || !found->is_array() || found->size() != 2) {
    throw InputError(fmt::format("{}: expected a token and its id, [\"</s>\", 2]", where));
  }
  return token_id_of((*found)[1], where);
}

Made make_pair_of_tokens(const ComponentSettings& settings) {
  return std::make_unique<const SpecialTokens>(
      SpecialTokens{{token_of_pair(settings, "cls")}, {token_of_pair(settings, "sep")}});
}

void append_ids_named(const ComponentSettings& settings, const std::string& name, Tokens& ids) {
  const Json& document = settings.document();
  const auto tokens = document.find("special_tokens");
  if (tokens != document.end() && tokens->is_object()) {
    const auto token = tokens->find(name);
    if (token != tokens->end()) {
      const std::string where =
          fmt::format("{}: special_tokens {}", settings.path().string(), in_quotes(name));
      if (!token->is_object() || !token->contains("ids") || !token->at("ids").is_array()) {
        throw InputError(fmt::format("{}: expected a list of 'ids'", where));
      }
      for (const Json& id : token->at("ids")) ids.push_back(token_id_of(id, where));
      return;
    }
  }
  throw InputError(fmt::format("{}: 'single' names {}, which 'special_tokens' lacks",
                               settings.path().string(), in_quotes(name)));
}

Made make_template(const ComponentSettings& settings) {
  SpecialTokens made;
  int texts = 0;
  for (const ComponentSettings& piece : component_list(settings, "single")) {
    if (piece.has("Sequence")) {
      texts += piece.text("Sequence.id") == "A" ? 1 : 2;
    } else {
      append_ids_named(settings, piece.text("SpecialToken.id"),
                       texts == 0 ? made.before : made.after);
    }
  }
  if (texts != 1) {
    throw InputError(fmt::format("{}: 'single' must name the sequence A once, and no other",
                                 settings.path().string()));
  }
  return std::make_unique<const SpecialTokens>(std::move(made));
}

Made make_sequence(const ComponentSettings& settings) {
  SpecialTokens made;
  for (const ComponentSettings& processor : component_list(settings, "processors")) {
    const Made next = make_post_processor(processor);
    made.before.insert(made.before.begin(), next->before.begin(), next->before.end());
    made.after.insert(made.after.end(), next->after.begin(), next->after.end());
  }
  return std::make_unique<const SpecialTokens>(std::move(made));
}

using Type = ComponentType<SpecialTokens>;
constexpr std::array types = {
    Type{"BertProcessing", make_pair_of_tokens},    Type{"ByteLevel", make_byte_level},
    Type{"RobertaProcessing", make_pair_of_tokens}, Type{"Sequence", make_sequence},
    Type{"TemplateProcessing", make_template},
};

}  // namespace

Made make_post_processor(const ComponentSettings& settings) {
  return make_component(settings, settings.text("type"), std::span<const Type>(types));
}

}  // namespace evenkeel
