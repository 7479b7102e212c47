#include "calib/checkpoint_outputs.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/runner.h"
#include "io/errors.h"
#include "io/hdf5.h"
#include "support/safetensors_builder.h"
#include "support/stored_values.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using support::read_bytes;

void run(const support::TinyJob& tiny, const std::vector<std::string>& settings = {}) {
  Progress silent;
  run_job(tiny.job(settings), silent);
}

Json config_of(const std::filesystem::path& folder) {
  return Json::parse(read_bytes(folder / "config.json"));
}

TEST(CheckpointOutputsTest, FoldedCheckpointKeepsNamesShapesDtypesAndConfig) {
  for (const DType dtype : {DType::F32, DType::F16, DType::BF16}) {
    support::TinyOpt options;
    options.dtype = dtype;
    const support::TinyJob tiny(options);
    run(tiny);
    const Checkpoint source(tiny / "model");
    const Checkpoint folded(tiny.output() / "model");
    EXPECT_EQ(config_of(tiny.output() / "model"), config_of(tiny / "model"));
    EXPECT_EQ(read_bytes(tiny.output() / "model/tokenizer.json"),
              read_bytes(tiny / "model/tokenizer.json"));
    ASSERT_EQ(folded.shards().size(), 1U);
    ASSERT_EQ(folded.shards()[0].tensors().size(), source.shards()[0].tensors().size());
    for (const StoredTensor& tensor : source.shards()[0].tensors()) {
      const StoredTensor& other = folded.at(tensor.name);
      EXPECT_EQ(other.dtype, dtype) << tensor.name;
      EXPECT_EQ(other.shape, tensor.shape) << tensor.name;
      const bool in_a_site = tensor.name.find("norm") != std::string::npos ||
                             tensor.name.find("_proj") != std::string::npos ||
                             tensor.name.find("fc1") != std::string::npos;
      const bool outside = tensor.name.find("layers.") == std::string::npos ||
                           tensor.name.find("out_proj") != std::string::npos ||
                           tensor.name.find("fc2") != std::string::npos;
      const bool equal = std::ranges::equal(other.bytes, tensor.bytes);
      EXPECT_EQ(equal, outside || !in_a_site) << tensor.name;
    }
  }
}

TEST(CheckpointOutputsTest, FoldedNormsAndWeightsFollowTheRecord) {
  const support::TinyJob tiny;
  run(tiny);
  const Checkpoint source(tiny / "model");
  const Checkpoint folded(tiny.output() / "model");
  const Hdf5Reader record(tiny.output() / "calibration.h5");
  const std::string layer = "model.decoder.layers.1.";
  const auto shift = record.dataset("/blocks/1/sites/mlp/shift");
  const auto scale = record.dataset("/blocks/1/sites/mlp/scale");
  const auto values = [](const Checkpoint& checkpoint, const std::string& name) {
    return support::doubles_of(checkpoint.at(name));
  };
  const auto gain = values(source, layer + "final_layer_norm.weight");
  const auto bias = values(source, layer + "final_layer_norm.bias");
  const auto weight = values(source, layer + "fc1.weight");
  const auto fc1_bias = values(source, layer + "fc1.bias");
  // One rounding to float of what was computed in double.
  const auto near = [](double actual, double expected) {
    EXPECT_NEAR(actual, expected, 0x1p-23 * (std::abs(expected) + 1e-30));
  };
  for (std::size_t j = 0; j < 16; ++j) {
    near(values(folded, layer + "final_layer_norm.weight")[j], gain[j] / scale[j]);
    near(values(folded, layer + "final_layer_norm.bias")[j], (bias[j] - shift[j]) / scale[j]);
  }
  for (std::size_t i = 0; i < 24; ++i) {
    double moved = fc1_bias[i];
    for (std::size_t j = 0; j < 16; ++j) {
      near(values(folded, layer + "fc1.weight")[i * 16 + j], weight[i * 16 + j] * scale[j]);
      moved += weight[i * 16 + j] * shift[j];
    }
    near(values(folded, layer + "fc1.bias")[i], moved);
  }
}

TEST(CheckpointOutputsTest, QuantizedConfigSaysHowToReadIt) {
  const support::TinyJob tiny;
  run(tiny);
  Json config = config_of(tiny.output() / "quantized");
  EXPECT_EQ(config.at("quantization_config").at("quant_method"), "compressed-tensors");
  EXPECT_EQ(config.at("quantization_config").at("ignore"), Json::array({"lm_head"}));
  EXPECT_EQ(config.at("evenkeel").at("record"), "../calibration.h5");
  EXPECT_EQ(config.at("evenkeel").at("scheme").at("weights").at("bits"), 8);
  EXPECT_EQ(config.at("evenkeel").at("id"),
            *Hdf5Reader(tiny.output() / "calibration.h5").text_attribute("/", "id"));
  config.erase("quantization_config");
  config.erase("evenkeel");
  EXPECT_EQ(config, config_of(tiny / "model"));
}

TEST(CheckpointOutputsTest, QuantizedKeepsNormsAndBiasesInF32AndTheRestAsItWas) {
  support::TinyOpt options;
  options.dtype = DType::F16;
  const support::TinyJob tiny(options);
  run(tiny);
  const Checkpoint source(tiny / "model");
  const Checkpoint quantized(tiny.output() / "quantized");
  EXPECT_EQ(quantized.at("model.decoder.layers.0.fc1.weight").dtype, DType::I8);
  EXPECT_EQ(quantized.at("model.decoder.layers.0.fc1.bias").dtype, DType::F32);
  EXPECT_EQ(quantized.at("model.decoder.layers.0.final_layer_norm.weight").dtype, DType::F32);
  for (const char* name :
       {"model.decoder.embed_tokens.weight", "model.decoder.final_layer_norm.bias"}) {
    EXPECT_EQ(quantized.at(name).dtype, DType::F16);
    EXPECT_TRUE(std::ranges::equal(quantized.at(name).bytes, source.at(name).bytes));
  }
}

TEST(CheckpointOutputsTest, FoldedValueThatDoesNotFitTheDtypeStopsTheJob) {
  // Weights near the end of F16 that the scale multiplies.
  support::TinyOpt options;
  options.dtype = DType::F16;
  options.change = [](const std::string& name, std::vector<float>& values) {
    if (name != "model.decoder.layers.0.fc1.weight") return;
    for (std::size_t i = 1; i < values.size(); i += 16) values[i] = 60000.0F;
  };
  const support::TinyJob tiny(options);
  try {
    run(tiny, {"transform={method: smoothquant, alpha: 1.0}"});
    FAIL() << "no error";
  } catch (const MachineError& error) {
    EXPECT_NE(std::string(error.what()).find("model.decoder.layers.0.fc1.weight"),
              std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(tiny.output()));
}

}  // namespace
}  // namespace evenkeel
