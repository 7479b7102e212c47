#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "quantizers/packing.h"

namespace evenkeel {
namespace {

using nlohmann::ordered_json;

// As compressed-tensors 0.20 reads it: its models refuse any key they do not know.
TEST(QuantizationConfig, SaysWhatW8A8Is) {
  EXPECT_EQ(quantization_config(Scheme{}, {"lm_head"}), ordered_json::parse(R"({
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "config_groups": {"group_0": {
      "targets": ["Linear"],
      "weights": {"num_bits": 8, "type": "int", "symmetric": false, "strategy": "channel",
                  "group_size": null, "dynamic": false, "observer": "minmax"},
      "input_activations": {"num_bits": 8, "type": "int", "symmetric": false,
                            "strategy": "tensor", "group_size": null, "dynamic": false,
                            "observer": "minmax"},
      "output_activations": null,
      "format": "int-quantized"}},
    "ignore": ["lm_head"],
    "kv_cache_scheme": null})"));
}

TEST(QuantizationConfig, GroupsOfWeightsAreStoredAndThoseOfActivationsAreNot) {
  const TensorScheme groups{
      .bits = 4, .granularity = Granularity::per_group, .symmetric = true, .group_size = 64};
  const auto config = quantization_config({.weights = groups, .activations = groups}, {});
  const auto& group = config.at("config_groups").at("group_0");
  EXPECT_EQ(config.at("ignore"), ordered_json::array());
  for (const char* kind : {"weights", "input_activations"}) {
    EXPECT_EQ(group.at(kind).at("strategy"), "group");
    EXPECT_EQ(group.at(kind).at("group_size"), 64);
    EXPECT_EQ(group.at(kind).at("symmetric"), true);
  }
  EXPECT_EQ(group.at("weights").at("dynamic"), false);
  EXPECT_EQ(group.at("input_activations").at("dynamic"), true);
  EXPECT_TRUE(group.at("input_activations").at("observer").is_null());
}

TEST(QuantizationConfig, SaysNothingOfActivationsThatItHasNoWordFor) {
  Scheme scheme;
  scheme.activations.granularity = Granularity::per_channel;
  const auto config = quantization_config(scheme, {});
  const auto& group = config.at("config_groups").at("group_0");
  EXPECT_TRUE(group.at("input_activations").is_null());
  EXPECT_EQ(group.at("format"), "pack-quantized");
}

TEST(QuantizationConfig, SaysTheFormOfEachGroup) {
  const TensorScheme weights{.bits = 4, .granularity = Granularity::per_channel};
  const TensorScheme eight{.bits = 8};
  const TensorScheme none{.bits = unquantized_bits};
  const auto config = [](const std::vector<LinearGroup>& groups) {
    return quantization_config(groups, {});
  };
  EXPECT_EQ(config({{weights, none, {"Linear"}}}).at("format"), "pack-quantized");
  EXPECT_EQ(config({{weights, eight, {"Linear"}}}).at("format"), "int-quantized");
  const auto both = config({{weights, none, {"a"}}, {weights, eight, {"b"}}});
  EXPECT_EQ(both.at("format"), "mixed-precision");
  EXPECT_EQ(both.at("config_groups").at("group_0").at("format"), "pack-quantized");
  EXPECT_EQ(both.at("config_groups").at("group_1").at("format"), "int-quantized");
  EXPECT_EQ(config({{{.bits = 3}, none, {"Linear"}}}).at("format"), "int-quantized");
}

}  // namespace
}  // namespace evenkeel
