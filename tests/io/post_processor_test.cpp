#include "io/post_processor.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

SpecialTokens made(const Json& settings) {
  return *make_post_processor(ComponentSettings("t.json: post_processor", settings));
}

std::string fault(const Json& settings) {
  try {
    made(settings);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
const Json begin = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
const Json end = {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}};
const Json ids = {{"<s>", {{"ids", {0}}}}, {"</s>", {{"ids", {2, 3}}}}};

Json template_of(const Json& single) {
  return {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", ids}};
}

TEST(PostProcessor, TemplateSurroundsTheText) {
  const SpecialTokens both = made(template_of(Json::array({begin, text, end})));
  EXPECT_EQ(both.before, Tokens{0});
  EXPECT_EQ(both.after, (Tokens{2, 3}));
  EXPECT_TRUE(made(template_of(Json::array({text}))).before.empty());
}

TEST(PostProcessor, PairsOfTokensSurroundTheText) {
  for (const char* type : {"BertProcessing", "RobertaProcessing"}) {
    const SpecialTokens both = made({{"type", type}, {"sep", {"</s>", 2}}, {"cls", {"<s>", 0}}});
    EXPECT_EQ(both.before, Tokens{0});
    EXPECT_EQ(both.after, Tokens{2});
  }
}

TEST(PostProcessor, LaterStepsOfASequenceGoOutside) {
  const Json inner = template_of(Json::array({begin, text, end}));
  const Json outer = {{"type", "BertProcessing"}, {"sep", {"x", 8}}, {"cls", {"y", 9}}};
  const Json bytes = {{"type", "ByteLevel"}};
  const SpecialTokens all =
      made({{"type", "Sequence"}, {"processors", Json::array({bytes, inner, outer})}});
  EXPECT_EQ(all.before, (Tokens{9, 0}));
  EXPECT_EQ(all.after, (Tokens{2, 3, 8}));
}

TEST(PostProcessorFaults, NameTheirPlace) {
  EXPECT_EQ(fault({{"type", "Other"}}),
            "t.json: post_processor: type 'Other' is not supported; supported: BertProcessing, "
            "ByteLevel, RobertaProcessing, Sequence, TemplateProcessing");
  const std::string once =
      "t.json: post_processor: 'single' must name the sequence A once, and no other";
  EXPECT_EQ(fault(template_of(Json::array({begin}))), once);
  EXPECT_EQ(fault(template_of(Json::array({text, text}))), once);
  EXPECT_EQ(fault(template_of(Json::array({{{"Sequence", {{"id", "B"}}}}}))), once);
  EXPECT_EQ(fault(template_of(Json::array({text, {{"SpecialToken", {{"id", "?"}}}}}))),
            "t.json: post_processor: 'single' names '?', which 'special_tokens' lacks");
  EXPECT_EQ(fault({{"type", "BertProcessing"}, {"cls", {"<s>", -4}}, {"sep", {"</s>", 2}}}),
            "t.json: post_processor: 'cls': expected a token id in [0, 2147483646], got -4");
  EXPECT_EQ(fault({{"type", "BertProcessing"}, {"cls", "<s>"}}),
            "t.json: post_processor: 'cls': expected a token and its id, [\"</s>\", 2]");
}

}  // namespace
}  // namespace evenkeel
