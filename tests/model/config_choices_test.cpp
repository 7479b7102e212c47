// What families read from config.json, and what they refuse.
#include "model/config_choices.h"

#include <initializer_list>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"

namespace evenkeel {
namespace {

using nlohmann::ordered_json;

JsonReader config(ordered_json document) {
  document["model_type"] = "some";
  return {"config.json", std::move(document)};
}

template <class Action>
void expect_refused(Action&& action, std::initializer_list<std::string_view> parts) {
  support::expect_error<InputError>(action, "config.json", parts);
}

TEST(OrNone, ANullIsNoneAndAnAbsentKeyTheDefault) {
  const JsonReader given = config({{"cap", 4.5}, {"window", 12}, {"none", nullptr}});
  EXPECT_EQ(number_or_none(given, "cap", 50.0), 4.5);
  EXPECT_EQ(number_or_none(given, "none", 50.0), 0.0);
  EXPECT_EQ(number_or_none(given, "absent", 50.0), 50.0);
  EXPECT_EQ(integer_or_none(given, "window", 4096), 12);
  EXPECT_EQ(integer_or_none(given, "none", 4096), 0);
  EXPECT_EQ(integer_or_none(given, "absent", 4096), 4096);
}

TEST(RequireChoice, NamesTheKeyTheFamilyAndWhatIsSupported) {
  EXPECT_NO_THROW(require_choice(config({{"a", true}}), "a", false, true));
  EXPECT_NO_THROW(require_choice(config({}), "a", true, true));
  expect_refused(
      [] {
        require_choice(config({{"a", false}}), "a", true, true);
      },
      {"'a': false is not supported", "'some'", "supported: true"});
  expect_refused([] { require_choice(config({}), "a", true, false); },
                 {"'a': true is not supported", "supported: false"});
  expect_refused([] { require_choice(config({{"a", "yes"}}), "a", true, true); }, {"'a'"});
}

TEST(ActivationChoice, KnowsTheNamesOfTransformers) {
  struct Named {
    const char* name;
    Activation activation;
  };
  for (const auto& [name, activation] :
       {Named{"relu", Activation::relu}, Named{"gelu", Activation::gelu},
        Named{"gelu_new", Activation::gelu_tanh}, Named{"gelu_pytorch_tanh", Activation::gelu_tanh},
        Named{"gelu_fast", Activation::gelu_tanh}, Named{"silu", Activation::silu},
        Named{"swish", Activation::silu}}) {
    EXPECT_EQ(activation_choice(config({{"act", name}}), "act", "relu"), activation) << name;
    EXPECT_EQ(activation_choice(config({}), "act", name), activation) << name;
  }
  for (const char* name : {"", "GELU", "quick_gelu", "relu2"}) {
    expect_refused(
        [&] {
          activation_choice(config({{"act", name}}), "act", "relu");
        },
        {"'act'", std::string("'") + name + "'",
         "supported: relu, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, silu, swish"});
  }
}

TEST(RotaryChoice, OldAndNewPlaces) {
  const RotaryOptions plain = rotary_choice(config({}), 8);
  EXPECT_EQ(plain.channels, 8);
  EXPECT_EQ(plain.base, 10000.0F);
  EXPECT_EQ(plain.scaling.factor, 1.0F);
  EXPECT_EQ(rotary_choice(config({{"rope_theta", 5e5}}), 8).base, 5e5F);
  EXPECT_EQ(rotary_choice(config({{"rotary_emb_base", 77}}), 8, "rotary_emb_base").base, 77.0F);
  EXPECT_EQ(rotary_choice(config({{"rope_parameters", {{"rope_theta", 9.0}}}}), 8).base, 9.0F);
  for (const char* place : {"rope_scaling", "rope_parameters"}) {
    for (const char* key : {"type", "rope_type"}) {
      const RotaryOptions linear =
          rotary_choice(config({{place, {{key, "linear"}, {"factor", 4.0}}}}), 8);
      EXPECT_TRUE(linear.scaling.linear);
      EXPECT_EQ(linear.scaling.factor, 4.0F);
    }
    const RotaryOptions llama3 =
        rotary_choice(config({{place,
                               {{"rope_type", "llama3"},
                                {"factor", 32.0},
                                {"low_freq_factor", 2.0},
                                {"high_freq_factor", 5.0},
                                {"original_max_position_embeddings", 4096}}}}),
                      8);
    EXPECT_FALSE(llama3.scaling.linear);
    EXPECT_EQ(llama3.scaling.factor, 32.0F);
    EXPECT_EQ(llama3.scaling.low_frequency_factor, 2.0F);
    EXPECT_EQ(llama3.scaling.high_frequency_factor, 5.0F);
    EXPECT_EQ(llama3.scaling.original_positions, 4096.0F);
  }
}

TEST(RotaryChoice, OtherTypesAreRefused) {
  for (const char* place : {"rope_scaling", "rope_parameters"}) {
    for (const char* type : {"yarn", "dynamic", "longrope", ""}) {
      expect_refused(
          [&] {
            rotary_choice(config({{place, {{"rope_type", type}}}}), 8);
          },
          {place, std::string("'") + type + "' is not supported",
           "supported: default, linear, llama3"});
    }
    expect_refused([&] { rotary_choice(config({{place, 3}}), 8); }, {place, "an object"});
  }
}

TEST(RotaryChoice, NumbersThatDivideArePositive) {
  for (const double wrong : {0.0, -2.0, 1e300}) {
    expect_refused(
        [&] {
          rotary_choice(config({{"rope_theta", wrong}}), 8);
        },
        {"'rope_theta'", "expected a positive number"});
    expect_refused(
        [&] {
          rotary_choice(config({{"rope_scaling", {{"type", "linear"}, {"factor", wrong}}}}), 8);
        },
        {"'rope_scaling.factor'", "expected a positive number"});
  }
}

TEST(RotaryPart, IsAPartOfTheHead) {
  EXPECT_EQ(rotary_part(config({{"part", 0.25}}), 80, "part", 1.0), 20);
  EXPECT_EQ(rotary_part(config({{"partial_rotary_factor", 0.5}}), 80, "part", 1.0), 40);
  EXPECT_EQ(
      rotary_part(config({{"rope_parameters", {{"partial_rotary_factor", 0.4}}}}), 80, "part", 1.0),
      32);
  EXPECT_EQ(rotary_part(config({}), 80, "part", 0.5), 40);
  for (const double wrong : {0.0, -0.5, 1.01, 1e300}) {
    expect_refused(
        [&] {
          rotary_part(config({{"part", wrong}}), 80, "part", 1.0);
        },
        {"'part'", "(0, 1]"});
  }
}

bool even(Index number) { return number % 2 == 0; }

TEST(WindowChoice, ByNumberOrByTheTypesOfLayers) {
  using Windows = std::vector<Index>;
  EXPECT_EQ(window_choice(config({}), 3, 9, even), (Windows{9, 0, 9}));
  EXPECT_EQ(window_choice(config({}), 3, 0, even), (Windows{0, 0, 0}));
  const ordered_json types = {"full_attention", "sliding_attention", "sliding_attention"};
  EXPECT_EQ(window_choice(config({{"layer_types", types}}), 3, 9, even), (Windows{0, 9, 9}));
}

TEST(WindowChoice, WhatItRefuses) {
  const ordered_json types = {"full_attention", "chunked_attention"};
  expect_refused(
      [&] {
        window_choice(config({{"layer_types", types}}), 3, 9, even);
      },
      {"'layer_types'", "expected 3 entries, got 2"});
  expect_refused(
      [&] {
        window_choice(config({{"layer_types", types}}), 2, 9, even);
      },
      {"'layer_types'", "chunked_attention", "full_attention, sliding_attention"});
  expect_refused([&] { window_choice(config({}), 2, -1, even); }, {"-1 tokens"});
  expect_refused([&] { window_choice(config({}), 2147483647, 9, even); }, {"2147483647 blocks"});
}

TEST(UsualSizes, HeadsFollowFromChannelsUnlessTheyAreGiven) {
  ordered_json document = {{"hidden_size", 24},
                           {"num_hidden_layers", 3},
                           {"num_attention_heads", 6},
                           {"vocab_size", 11}};
  Architecture sizes = usual_sizes(config(document), "some");
  EXPECT_EQ(sizes.head_channels, 4);
  EXPECT_EQ(sizes.key_value_heads, 6);
  EXPECT_EQ(sizes.query_scale, 0.5F);
  EXPECT_EQ(sizes.embedding.channels, 24);
  document["head_dim"] = 16;
  document["num_key_value_heads"] = 2;
  sizes = usual_sizes(config(document), "some");
  EXPECT_EQ(sizes.head_channels, 16);
  EXPECT_EQ(sizes.query_channels(), 96);
  EXPECT_EQ(sizes.key_value_channels(), 32);
  EXPECT_EQ(sizes.query_scale, 0.25F);
  for (const char* key :
       {"hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"}) {
    ordered_json without = document;
    without.erase(key);
    expect_refused([&] { usual_sizes(config(without), "some"); }, {key});
  }
}

}  // namespace
}  // namespace evenkeel
