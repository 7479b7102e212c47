#include "io/post_processor.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using Made = std::unique_ptr<const PostProcessor>;
using Kind = EncodingPart::Kind;

Made make_byte_level(const ComponentSettings& /*settings*/) {
  return std::make_unique<const PostProcessor>();  // it is about offsets, and adds no token
}

// ["</s>", 2]
EncodingPart special_token(const ComponentSettings& settings, const char* key, TokenId type) {
  const auto found = settings.document().find(key);
  const std::string where = fmt::format("{}: '{}'", settings.path().string(), key);
  if (found == settings.document().end() || !found->is_array() || found->size() != 2) {
    throw InputError(fmt::format("{}: expected a token and its id, [\"</s>\", 2]", where));
  }
  return {Kind::special_token, type, token_id_of((*found)[1], where)};
}

// [CLS] A [SEP] and [CLS] A [SEP] B [SEP]
Made make_bert(const ComponentSettings& settings) {
  const EncodingPart begin = special_token(settings, "cls", 0);
  const EncodingPart end = special_token(settings, "sep", 0);
  const EncodingPart end_of_pair = special_token(settings, "sep", 1);
  return std::make_unique<const PostProcessor>(
      PostProcessor{{begin, {Kind::first_text}, end},
                    {begin, {Kind::first_text}, end, {Kind::second_text, 1}, end_of_pair}});
}

// <s> A </s> and <s> A </s> </s> B </s>, all of type 0
Made make_roberta(const ComponentSettings& settings) {
  const EncodingPart begin = special_token(settings, "cls", 0);
  const EncodingPart end = special_token(settings, "sep", 0);
  return std::make_unique<const PostProcessor>(
      PostProcessor{{begin, {Kind::first_text}, end},
                    {begin, {Kind::first_text}, end, end, {Kind::second_text}, end}});
}

TokenId type_of(const ComponentSettings& piece, std::string_view key) {
  const std::int64_t type = piece.integer(key, 0);
  if (type < 0 || type > std::numeric_limits<TokenId>::max()) {
    throw InputError(fmt::format("{}: '{}': expected a token type in [0, {}], got {}",
                                 piece.path().string(), key, std::numeric_limits<TokenId>::max(),
                                 type));
  }
  return static_cast<TokenId>(type);
}

void append_tokens_named(const ComponentSettings& settings, std::string_view list,
                         const std::string& name, TokenId type, EncodingTemplate& parts) {
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
      for (const Json& id : token->at("ids")) {
        parts.push_back({Kind::special_token, type, token_id_of(id, where)});
      }
      return;
    }
  }
  throw InputError(fmt::format("{}: '{}' names {}, which 'special_tokens' lacks",
                               settings.path().string(), list, in_quotes(name)));
}

EncodingTemplate template_of(const ComponentSettings& settings, std::string_view list) {
  EncodingTemplate parts;
  for (const ComponentSettings& piece : component_list(settings, list)) {
    if (piece.has("Sequence")) {
      const Kind text = piece.text("Sequence.id") == "A" ? Kind::first_text : Kind::second_text;
      parts.push_back({text, type_of(piece, "Sequence.type_id")});
    } else {
      append_tokens_named(settings, list, piece.text("SpecialToken.id"),
                          type_of(piece, "SpecialToken.type_id"), parts);
    }
  }
  return parts;
}

bool names(const EncodingTemplate& parts, std::ptrdiff_t first, std::ptrdiff_t second) {
  const auto times = [&parts](Kind kind) {
    return std::count_if(parts.begin(), parts.end(),
                         [kind](const EncodingPart& part) { return part.kind == kind; });
  };
  return times(Kind::first_text) == first && times(Kind::second_text) == second;
}

Made make_template(const ComponentSettings& settings) {
  PostProcessor made{template_of(settings, "single"), {}};
  if (!names(made.single, 1, 0)) {
    throw InputError(fmt::format("{}: 'single' must name the sequence A once, and no other",
                                 settings.path().string()));
  }
  if (settings.has("pair")) made.pair = template_of(settings, "pair");
  if (!names(made.pair, 1, 1)) made.pair.clear();
  return std::make_unique<const PostProcessor>(std::move(made));
}

Made make_sequence(const ComponentSettings& settings) {
  Made made = std::make_unique<const PostProcessor>();
  bool surrounded = false;
  for (const ComponentSettings& step : component_list(settings, "processors")) {
    Made next = make_post_processor(step);
    if (step.text("type") == "ByteLevel") continue;
    // The library takes a step's special tokens for further texts of the next.
    if (std::exchange(surrounded, true)) {
      throw InputError(
          fmt::format("{}: two steps put special tokens around the text; only one is "
                      "supported",
                      step.path().string()));
    }
    made = std::move(next);
  }
  return made;
}

using Type = ComponentType<PostProcessor>;
constexpr std::array types = {
    Type{"BertProcessing", make_bert},         Type{"ByteLevel", make_byte_level},
    Type{"RobertaProcessing", make_roberta},   Type{"Sequence", make_sequence},
    Type{"TemplateProcessing", make_template},
};

}  // namespace

Made make_post_processor(const ComponentSettings& settings) {
  return make_component(settings, settings.text("type"), std::span<const Type>(types));
}

}  // namespace evenkeel
