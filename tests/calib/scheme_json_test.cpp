#include "calib/scheme_json.h"

#include <string>

#include <gtest/gtest.h>

#include "io/errors.h"
#include "support/expect_error.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;

JsonReader reader(Json scheme) {
  return JsonReader("config.json", {{"evenkeel", {{"scheme", std::move(scheme)}}}});
}

Scheme read(const Json& scheme) { return scheme_from_json(reader(scheme), "evenkeel.scheme"); }

TEST(SchemeJsonTest, EverySchemeComesBack) {
  for (int bits = 2; bits <= 8; ++bits) {
    for (const Granularity weights :
         {Granularity::per_tensor, Granularity::per_channel, Granularity::per_group}) {
      for (const Granularity activations : {Granularity::per_tensor, Granularity::per_channel,
                                            Granularity::per_token, Granularity::per_group}) {
        for (const bool symmetric : {false, true}) {
          Scheme scheme;
          scheme.weights = {.bits = bits, .granularity = weights, .symmetric = symmetric};
          scheme.activations = {
              .bits = 10 - bits, .granularity = activations, .symmetric = !symmetric};
          if (weights == Granularity::per_group) scheme.weights.group_size = 7;
          if (activations == Granularity::per_group) scheme.activations.group_size = 9;
          if (activations == Granularity::per_tensor) {
            scheme.activations.range = RangeEstimator::average_minmax;
          }
          scheme.propagate = symmetric ? Propagate::quantized : Propagate::full_precision;
          EXPECT_EQ(read(scheme_to_json(scheme)), scheme) << scheme_to_json(scheme);
        }
      }
    }
  }
}

TEST(SchemeJsonTest, EveryNamedSchemeKeepsItsName) {
  for (const std::string& name : scheme_names()) {
    const Scheme scheme = scheme_named(name).value();
    EXPECT_EQ(read(scheme_to_json(scheme)), scheme) << name;
    EXPECT_EQ(name_of(read(scheme_to_json(scheme))), name);
  }
}

TEST(SchemeJsonTest, PlacesComeBackInOrder) {
  Scheme scheme;
  scheme.nodes = {
      {"mlp.*", {.bits = 16}},
      {"attention.probabilities",
       {.bits = 6,
        .granularity = Granularity::per_head,
        .codes = Codes::logarithmic,
        .steps_per_octave = 3}},
      {"blocks.0.mlp.hidden", {.bits = 4, .codes = Codes::two_range, .split = 0.3}},
      {"blocks.1.mlp.hidden", {.bits = 4, .granularity = Granularity::per_group, .group_size = 9}},
  };
  scheme.keep = {"blocks.2", "*.fc1"};
  EXPECT_EQ(read(scheme_to_json(scheme)), scheme) << scheme_to_json(scheme);
}

TEST(SchemeJsonTest, OptionsComeBackWhereTheyAreRead) {
  Scheme scheme;
  scheme.weights.range = RangeEstimator::omse;
  scheme.activations = {
      .granularity = Granularity::per_embedding_group, .groups = 4, .permute = false};
  scheme.nodes = {{"mlp.hidden", {.range = RangeEstimator::percentile, .percentile = 0.75}}};
  for (const std::optional<double> clip : {std::optional<double>(), std::optional(0.015)}) {
    scheme.nodes.push_back({clip ? "mlp.input" : "attention.input",
                            {.range = RangeEstimator::token_wise_clipping, .clip = clip}});
  }
  scheme.nodes.push_back(
      {"attention.output", {.granularity = Granularity::per_token, .outlier_threshold = 6.0}});
  EXPECT_EQ(read(scheme_to_json(scheme)), scheme) << scheme_to_json(scheme);
  EXPECT_EQ(scheme_to_json(scheme)["nodes"]["attention.input"]["clip"], "search");
  EXPECT_EQ(scheme_to_json(scheme)["nodes"]["mlp.hidden"],
            Json::parse(R"({"bits": 8, "granularity": "per_tensor", "symmetric": false,
                            "range": "percentile", "rounding": "nearest", "percentile": 0.75})"));
}

TEST(SchemeJsonTest, GptqComesBackWithItsOptions) {
  Scheme scheme;
  scheme.weights.rounding = Rounding::gptq;
  for (const bool activation_order : {false, true}) {
    scheme.weights.gptq = {.damping = 0.0625, .activation_order = activation_order};
    EXPECT_EQ(read(scheme_to_json(scheme)), scheme) << scheme_to_json(scheme);
  }
  scheme.weights.gptq = {.activation_order = false, .static_groups = false};
  scheme.weights.granularity = Granularity::per_group;
  EXPECT_EQ(read(scheme_to_json(scheme)), scheme);
  EXPECT_EQ(scheme_to_json(scheme)["weights"]["gptq"],
            Json::parse(R"({"damping": 0.01, "activation_order": false, "static_groups": false})"));
}

TEST(SchemeJsonTest, ReadsAsWritten) {
  EXPECT_EQ(scheme_to_json(Scheme{}),
            Json::parse(R"({"weights": {"bits": 8, "granularity": "per_channel",
                            "symmetric": false, "range": "minmax", "rounding": "nearest"},
                            "activations": {"bits": 8, "granularity": "per_tensor",
                            "symmetric": false, "range": "average_minmax", "rounding": "nearest"},
                            "propagate": "quantized"})"));
}

TEST(SchemeJsonTest, FaultsNameFileAndKey) {
  const auto expect_fault = [](const char* pointer, Json value, const char* key) {
    Json scheme = scheme_to_json(Scheme{});
    scheme[Json::json_pointer(pointer)] = std::move(value);
    support::expect_error<InputError>([&] { read(scheme); }, "config.json", {key});
  };
  expect_fault("/weights/bits", 9, "evenkeel.scheme");
  expect_fault("/weights/bits", 0, "evenkeel.scheme.weights.bits");
  expect_fault("/weights/bits", "8", "evenkeel.scheme.weights.bits");
  expect_fault("/weights/granularity", "per_token", "evenkeel.scheme");
  expect_fault("/activations/granularity", "per_row", "evenkeel.scheme.activations.granularity");
  expect_fault("/activations/symmetric", 1, "evenkeel.scheme.activations.symmetric");
  expect_fault("/activations/range", "median", "evenkeel.scheme.activations.range");
  expect_fault("/activations/rounding", "up", "evenkeel.scheme.activations.rounding");
  expect_fault("/activations/group_size", -1, "evenkeel.scheme.activations.group_size");
  expect_fault("/propagate", "both", "evenkeel.scheme.propagate");
  expect_fault("/propagate", nullptr, "evenkeel.scheme.propagate");
  expect_fault("/nodes", 8, "evenkeel.scheme.nodes");
  expect_fault("/nodes", Json{{"mlp.hidden", 8}}, "nodes.mlp.hidden");
  expect_fault("/keep", "blocks.0", "evenkeel.scheme.keep");
  expect_fault("/keep", Json::array({1}), "evenkeel.scheme.keep");
  Json node = scheme_to_json(Scheme{}).at("activations");
  node["codes"] = "cubic";
  expect_fault("/nodes", Json{{"mlp.hidden", node}}, "nodes.codes");
  node["codes"] = "logarithmic";
  node["steps_per_octave"] = 65;
  expect_fault("/nodes", Json{{"mlp.hidden", node}}, "steps_per_octave must be 1 to 64");
  node["codes"] = "two_range";
  node["split"] = 1.0;
  expect_fault("/nodes", Json{{"mlp.hidden", node}}, "split must be at least 1e-06 and below 1");
  node["codes"] = "uniform";
  node["range"] = "token_wise_clipping";
  node["clip"] = "much";
  expect_fault("/nodes", Json{{"mlp.hidden", node}}, "nodes.clip");
  expect_fault("/weights", 8, "evenkeel.scheme.weights");
}

}  // namespace
}  // namespace evenkeel
