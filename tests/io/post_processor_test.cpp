#include "io/post_processor.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

PostProcessor made(const Json& settings) {
  return *make_post_processor(ComponentSettings("t.json: post_processor", settings));
}

// The first text as 100, the second as 200, and the types.
Encoding shape(const EncodingTemplate& parts) { return put_together(parts, {100}, {200}); }

std::string fault(const Json& settings) {
  try {
    made(settings);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

Json text(const char* name, int type) { return {{"Sequence", {{"id", name}, {"type_id", type}}}}; }
Json token(const char* name, int type) {
  return {{"SpecialToken", {{"id", name}, {"type_id", type}}}};
}

Json template_of(const Json& single, const Json& pair = Json()) {
  const Json ids = {{"<s>", {{"ids", {0}}}}, {"</s>", {{"ids", {2, 3}}}}};
  return {
      {"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", ids}};
}

Json pair_of_tokens(const char* type) {
  return {{"type", type}, {"sep", {"</s>", 2}}, {"cls", {"<s>", 0}}};
}

Json sequence(const Json& processors) { return {{"type", "Sequence"}, {"processors", processors}}; }

const Json bytes = {{"type", "ByteLevel"}};

TEST(PostProcessor, WithoutTokensASecondTextIsOfTypeOne) {
  for (const Json& settings : {bytes, sequence(Json::array()), sequence(Json::array({bytes}))}) {
    EXPECT_EQ(shape(made(settings).single).ids, Tokens{100});
    EXPECT_EQ(shape(made(settings).pair).ids, (Tokens{100, 200}));
    EXPECT_EQ(shape(made(settings).pair).types, (Tokens{0, 1}));
  }
}

TEST(PostProcessor, TemplateSaysWhatFollowsWhat) {
  const PostProcessor both =
      made(template_of(Json::array({token("<s>", 0), text("A", 0), token("</s>", 0)}),
                       Json::array({text("B", 2), token("</s>", 1), text("A", 0)})));
  EXPECT_EQ(shape(both.single).ids, (Tokens{0, 100, 2, 3}));
  EXPECT_EQ(shape(both.single).types, (Tokens{0, 0, 0, 0}));
  EXPECT_EQ(shape(both.pair).ids, (Tokens{200, 2, 3, 100}));
  EXPECT_EQ(shape(both.pair).types, (Tokens{2, 1, 1, 0}));
}

TEST(PostProcessor, TemplateMayBeForSingleTextsOnly) {
  const Json single = Json::array({text("A", 0)});
  for (const Json& pair : {Json(), Json::array(), single, Json::array({text("B", 0)}),
                           Json::array({text("A", 0), text("B", 1), text("B", 1)})}) {
    EXPECT_TRUE(made(template_of(single, pair)).pair.empty()) << pair;
  }
}

TEST(PostProcessor, BertAndRobertaSurroundTheirTexts) {
  const PostProcessor bert = made(pair_of_tokens("BertProcessing"));
  const PostProcessor roberta = made(pair_of_tokens("RobertaProcessing"));
  for (const PostProcessor& each : {bert, roberta}) {
    EXPECT_EQ(shape(each.single).ids, (Tokens{0, 100, 2}));
    EXPECT_EQ(shape(each.single).types, (Tokens{0, 0, 0}));
  }
  EXPECT_EQ(shape(bert.pair).ids, (Tokens{0, 100, 2, 200, 2}));
  EXPECT_EQ(shape(bert.pair).types, (Tokens{0, 0, 0, 1, 1}));
  EXPECT_EQ(shape(roberta.pair).ids, (Tokens{0, 100, 2, 2, 200, 2}));
  EXPECT_EQ(shape(roberta.pair).types, Tokens(6, 0));
}

TEST(PostProcessor, OneStepOfASequenceSurroundsTheText) {
  const Json bert = pair_of_tokens("BertProcessing");
  for (const Json& steps : {Json::array({bytes, bert}), Json::array({bert, bytes}),
                            Json::array({sequence(Json::array({bert}))})}) {
    EXPECT_EQ(shape(made(sequence(steps)).pair).ids, (Tokens{0, 100, 2, 200, 2}));
  }
}

TEST(PostProcessorFaults, NameTheirPlace) {
  EXPECT_EQ(fault({{"type", "Other"}}),
            "t.json: post_processor: type 'Other' is not supported; supported: BertProcessing, "
            "ByteLevel, RobertaProcessing, Sequence, TemplateProcessing");
  const Json bert = pair_of_tokens("BertProcessing");
  EXPECT_EQ(fault(sequence(Json::array({bert, bytes, bert}))),
            "t.json: post_processor.processors[2]: two steps put special tokens around the text; "
            "only one is supported");
  EXPECT_EQ(fault({{"type", "BertProcessing"}, {"cls", {"<s>", -4}}, {"sep", {"</s>", 2}}}),
            "t.json: post_processor: 'cls': expected a token id in [0, 2147483646], got -4");
  EXPECT_EQ(fault({{"type", "BertProcessing"}, {"cls", "<s>"}}),
            "t.json: post_processor: 'cls': expected a token and its id, [\"</s>\", 2]");
}

TEST(PostProcessorFaults, OfTemplatesNameTheirPlace) {
  const std::string once =
      "t.json: post_processor: 'single' must name the sequence A once, and no other";
  const Json single = Json::array({text("A", 0)});
  EXPECT_EQ(fault(template_of(Json::array({token("<s>", 0)}))), once);
  EXPECT_EQ(fault(template_of(Json::array({text("A", 0), text("A", 0)}))), once);
  EXPECT_EQ(fault(template_of(Json::array({text("B", 0)}))), once);
  EXPECT_EQ(fault(template_of(Json::array({text("A", 0), token("?", 0)}))),
            "t.json: post_processor: 'single' names '?', which 'special_tokens' lacks");
  EXPECT_EQ(fault(template_of(single, Json::array({token("?", 0)}))),
            "t.json: post_processor: 'pair' names '?', which 'special_tokens' lacks");
  EXPECT_EQ(fault(template_of(single, Json::array({text("A", -1)}))),
            "t.json: post_processor.pair[0]: 'Sequence.type_id': expected a token type in "
            "[0, 2147483647], got -1");
  EXPECT_EQ(fault(template_of(single, "A B")),
            "t.json: post_processor: 'pair': expected a list of objects");
}

}  // namespace
}  // namespace evenkeel
