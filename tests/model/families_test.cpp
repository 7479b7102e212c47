// What each family refuses, and that each is compared with transformers.
#include "model/families.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "io/checkpoint.h"
#include "io/errors.h"
#include "support/expect_error.h"
#include "support/scratch_folder.h"
#include "support/shared_files.h"
#include "support/tiny_families.h"

namespace evenkeel {
namespace {

using support::TinyFamily;

Architecture resolve(const TinyFamily& family) {
  const support::ScratchFolder folder;
  return resolve_architecture(Checkpoint(support::write_tiny_family(folder.path(), family)));
}

void expect_refused(const TinyFamily& family, std::initializer_list<std::string_view> parts) {
  const support::ScratchFolder folder;
  support::write_tiny_family(folder.path(), family);
  const Checkpoint checkpoint(folder.path());
  support::expect_error<InputError>([&] { resolve_architecture(checkpoint); }, folder.path(),
                                    parts);
}

// `key` changed to `value`; the family's own settings otherwise.
TinyFamily with(TinyFamily family, const std::string& key, const nlohmann::json& value) {
  family.config[key] = value;
  return family;
}

TEST(Families, AreSortedAndKnownOnce) {
  std::vector<std::string_view> names;
  for (const Family& family : families()) names.push_back(family.model_type);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Families, AnUnknownTypeNamesAllThatAreKnown) {
  for (const Family& family : families()) {
    expect_refused(with(support::tiny_llama(), "model_type", "t5"),
                   {"'model_type': 't5' is not supported", family.model_type});
  }
}

TEST(Families, EachIsComparedWithTransformers) {
  EVENKEEL_NEEDS_SHARED("golden/architectures");
  std::set<std::string, std::less<>> golden;
  for (const auto& folder :
       std::filesystem::directory_iterator(support::shared_file("golden/architectures"))) {
    golden.insert(JsonReader(folder.path() / "config.json").text("model_type"));
  }
  for (const Family& family : families()) {
    EXPECT_TRUE(golden.contains(family.model_type)) << family.model_type;
  }
}

TEST(Families, TinyOnesAreRead) {
  for (const TinyFamily& family :
       {support::tiny_llama(), support::tiny_llama("mistral"), support::tiny_mixtral(),
        support::tiny_gptj(), support::tiny_gpt2(), support::tiny_falcon(),
        support::tiny_bert(true), support::tiny_bert(false), support::tiny_projected_opt()}) {
    const Architecture architecture = resolve(family);
    EXPECT_EQ(architecture.model_type, family.config["model_type"]);
    EXPECT_EQ(architecture.channels, support::tiny_channels);
    EXPECT_EQ(architecture.ffn_channels, support::tiny_ffn);
  }
}

// Every tensor is looked up before any work, whatever the family.
TEST(Families, EachTensorIsNeededAndItsShapeCompared) {
  for (const TinyFamily& family :
       {support::tiny_llama(), support::tiny_mixtral(), support::tiny_gptj(), support::tiny_gpt2(),
        support::tiny_falcon(), support::tiny_bert(true), support::tiny_bert(false),
        support::tiny_projected_opt()}) {
    for (std::size_t i = 0; i < family.tensors.size(); ++i) {
      SCOPED_TRACE(family.tensors[i].name);
      TinyFamily without = family;
      without.tensors.erase(without.tensors.begin() + static_cast<std::ptrdiff_t>(i));
      expect_refused(without, {family.tensors[i].name, "is missing"});
      TinyFamily wrong = family;
      wrong.tensors[i].shape.front() += 1;
      expect_refused(wrong, {family.tensors[i].name, "contradicts config.json"});
    }
  }
}

TEST(Families, ChoicesThatTheForwardDoesNotMake) {
  struct Choice {
    TinyFamily family;
    const char* key;
    bool wrong;
  };
  for (const Choice& choice :
       {Choice{support::tiny_falcon(), "alibi", true},
        Choice{support::tiny_falcon(), "parallel_attn", false},
        Choice{support::tiny_gpt2(), "scale_attn_weights", false},
        Choice{support::tiny_gpt2(), "add_cross_attention", true},
        Choice{support::tiny_gpt2(), "scale_attn_by_inverse_layer_idx", true},
        Choice{support::tiny_llama("qwen3"), "use_sliding_window", true},
        Choice{support::tiny_llama("gemma2"), "attention_bias", true}}) {
    SCOPED_TRACE(choice.key);
    expect_refused(with(choice.family, choice.key, choice.wrong),
                   {choice.key, choice.wrong ? "true is not supported" : "false is not supported",
                    choice.family.config["model_type"].get<std::string>(),
                    choice.wrong ? "supported: false" : "supported: true"});
  }
}

TEST(Families, ActivationsAndRotaryTypes) {
  expect_refused(with(support::tiny_llama(), "hidden_act", "xielu"),
                 {"'hidden_act': 'xielu'", "supported: relu, gelu"});
  expect_refused(with(support::tiny_llama(), "rope_scaling", {{"rope_type", "yarn"}}),
                 {"'rope_scaling.rope_type': 'yarn'", "supported: default, linear, llama3"});
}

TEST(Families, HeadsOfEncoders) {
  for (const nlohmann::json& head :
       {nlohmann::json::array({"BertModel"}), nlohmann::json::array({3}), nlohmann::json::array(),
        nlohmann::json()}) {
    expect_refused(
        with(support::tiny_bert(true), "architectures", head),
        {"'architectures'", "supported: BertForSequenceClassification, BertForMaskedLM"});
  }
  expect_refused(with(support::tiny_bert(true), "position_embedding_type", "relative_key"),
                 {"'position_embedding_type': 'relative_key'", "supported: absolute"});
}

TEST(Families, RobertasPaddingIsAToken) {
  TinyFamily family = with(support::tiny_bert(true), "model_type", "roberta");
  family.config["architectures"] = nlohmann::json::array({"RobertaForSequenceClassification"});
  for (const std::int64_t wrong :
       {std::int64_t{-1}, std::int64_t{-5}, support::tiny_vocabulary, std::int64_t{1} << 62}) {
    expect_refused(with(family, "pad_token_id", wrong), {"'pad_token_id'", "vocabulary of 50"});
  }
}

TEST(Families, SizesThatDoNotFit) {
  expect_refused(with(support::tiny_llama(), "num_attention_heads", 3),
                 {"3 heads do not divide 16 channels"});
  expect_refused(with(support::tiny_llama(), "num_key_value_heads", 3),
                 {"3 key-value heads do not divide 4 heads"});
  expect_refused(with(support::tiny_llama(), "head_dim", 5),
                 {"5 rotary channels do not fit heads of 5"});
  expect_refused(with(support::tiny_gptj(), "rotary_dim", 6),
                 {"6 rotary channels do not fit heads of 4"});
  expect_refused(with(support::tiny_mixtral(), "num_experts_per_tok", 6),
                 {"6 experts for each token, but there are 5"});
  expect_refused(with(support::tiny_mixtral(), "num_local_experts", 2147483647),
                 {"2147483647 experts are more than"});
}

}  // namespace
}  // namespace evenkeel
