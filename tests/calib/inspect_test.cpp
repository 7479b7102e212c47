#include "calib/inspect.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/runner.h"
#include "calib/scheme_json.h"
#include "io/errors.h"
#include "io/hdf5.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/tiny_job.h"

namespace evenkeel {
namespace {

using Json = nlohmann::ordered_json;
using support::expect_error;

TEST(InspectTest, Checkpoint) {
  const support::TinyJob tiny;
  const Json json = inspect(tiny / "model");
  Json expected{
      {"kind", "checkpoint"}, {"architecture", "opt"}, {"blocks", 2},       {"channels", 16},
      {"heads", 2},           {"ffn_channels", 24},    {"vocabulary", 264}, {"positions", 32},
      {"quantized", nullptr}};
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(json.at(key), value) << key;
  // Embeddings, final norm, and of each block two norms, four square linears and two of the MLP.
  const int block = 2 * 2 * 16 + 4 * (16 * 16 + 16) + (16 * 24 + 24) + (24 * 16 + 16);
  const int parameters = 264 * 16 + 34 * 16 + 2 * 16 + 2 * block;
  EXPECT_EQ(json.at("parameters"), parameters);
  EXPECT_EQ(json.at("dtypes"), (Json{{"F32", parameters}}));
  EXPECT_EQ(json.at("nodes").size(), 8U);
  EXPECT_EQ(json.at("sites"),
            Json::parse(R"([{"name": "attention", "producer": "self_attn_layer_norm",
                             "readers": ["self_attn.q_proj", "self_attn.k_proj",
                                         "self_attn.v_proj"],
                             "objective": "attention", "default_of": ["smoothquant", "outlier_suppression", "os_plus",
                                                  "awq"],
                             "shift": true, "why_no_shift": "", "residual": false},
                            {"name": "output", "producer": "self_attn.v_proj",
                             "readers": ["self_attn.out_proj"],
                             "objective": "linear", "default_of": ["awq"],
                             "shift": true, "why_no_shift": "", "residual": false},
                            {"name": "mlp", "producer": "final_layer_norm", "readers": ["fc1"],
                             "objective": "linear", "default_of": ["smoothquant", "outlier_suppression", "os_plus",
                                                  "awq"],
                             "shift": true, "why_no_shift": "", "residual": false},
                            {"name": "down", "producer": "fc1", "readers": ["fc2"],
                             "objective": "linear", "default_of": ["awq"],
                             "shift": false, "why_no_shift": "ReLU lies between",
                             "residual": false}])"));
}

TEST(InspectTest, NoShiftWithoutBias) {
  support::TinyOpt options;
  options.bias = false;
  const support::TinyJob tiny(options);
  const Json found = inspect(tiny / "model");
  for (const Json& site : found.at("sites")) EXPECT_EQ(site.at("shift"), false);
}

TEST(InspectTest, QuantizedCheckpointAndRecord) {
  const support::TinyJob tiny;
  Progress silent;
  const Job job = tiny.job();
  const auto summary = run_job(job, silent);
  const Json quantized = inspect(tiny.output() / "quantized");
  EXPECT_EQ(quantized.at("quantized"), scheme_to_json(job.scheme));
  EXPECT_TRUE(quantized.at("dtypes").contains("I8"));

  const auto path = tiny.output() / "calibration.h5";
  const Json record = inspect(path);
  const Hdf5Reader file(path);
  EXPECT_EQ(record.at("kind"), "record");
  EXPECT_EQ(record.at("scheme"), scheme_to_json(job.scheme));
  EXPECT_EQ(record.at("id"), *file.text_attribute("/", "id"));
  EXPECT_EQ(record.at("blocks"), 2);
  ASSERT_EQ(record.at("sites").size(), summary.at("sites").size());
  for (std::size_t i = 0; i < record.at("sites").size(); ++i) {
    const Json& site = record.at("sites").at(i);
    for (const auto& [key, value] : summary.at("sites").at(i).items()) {
      EXPECT_EQ(site.at(key), value) << key;
    }
    EXPECT_GT(site.at("largest_shift"), 5.0);  // the channel at 9
    EXPECT_GE(site.at("largest_scale"), 1.0);
  }
  ASSERT_EQ(record.at("nodes").size(), 16U);
  const Json& node = record.at("nodes").at(8);
  EXPECT_EQ(node.at("name"), "blocks.1.attention.input");
  EXPECT_EQ(node.at("channels"), 16);
  const std::string place = "/blocks/1/nodes/attention.input";
  EXPECT_EQ(node.at("step"), *file.number_attribute(place, "step"));
  EXPECT_EQ(node.at("zero_point"), *file.number_attribute(place, "zero_point"));
  const auto high = file.dataset(place + "/max");
  EXPECT_EQ(node.at("high"), *std::max_element(high.begin(), high.end()));
}

class WrittenRecord : public testing::Test {
 protected:
  // A record of one node whose channels have these magnitudes; `change` may spoil it.
  Json inspected(const std::vector<float>& absmax,
                 const std::function<void(Hdf5Writer&)>& more = {}) const {
    Hdf5Writer writer(path());
    writer.attribute("/", "id", "0123456789abcdef");
    const std::string node = "/blocks/0/nodes/mlp.input";
    writer.dataset(node + "/min", std::vector<float>(absmax.size(), -1.0F));
    writer.dataset(node + "/max", absmax);
    writer.dataset(node + "/absmax", absmax);
    if (more) more(writer);
    writer.commit();
    return inspect(path());
  }
  std::filesystem::path path() const { return scratch_ / "calibration.h5"; }
  support::ScratchFolder scratch_;
};

TEST_F(WrittenRecord, OutlierChannelsAreSixMediansLargestFirst) {
  const Json json = inspected({1.0F, 2.0F, 12.0F, 2.0F, 11.99F, 40.0F, 2.0F, 1.5F, 1.0F});
  EXPECT_EQ(json.at("nodes").at(0).at("outlier_channels"),
            Json::parse(R"([{"channel": 5, "absmax": 40.0, "ratio": 20.0},
                            {"channel": 2, "absmax": 12.0, "ratio": 6.0}])"));
  EXPECT_EQ(json.at("nodes").at(0).at("step"), nullptr);
  EXPECT_EQ(json.at("scheme"), nullptr);
}

TEST_F(WrittenRecord, AtMostTenOutlierChannelsAndNoneOfZeros) {
  std::vector<float> many(40, 1.0F);
  for (std::size_t i = 0; i < 15; ++i) many[i] = 10.0F + static_cast<float>(i);
  const Json json = inspected(many);
  const Json& outliers = json.at("nodes").at(0).at("outlier_channels");
  ASSERT_EQ(outliers.size(), 10U);
  EXPECT_EQ(outliers.at(0).at("channel"), 14);
  EXPECT_EQ(outliers.at(9).at("channel"), 5);
  std::vector<float> zeros(9);
  zeros[3] = 5.0F;
  EXPECT_TRUE(inspected(zeros).at("nodes").at(0).at("outlier_channels").empty());
}

TEST_F(WrittenRecord, WrongValuesAreRefused) {
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(100, wrong);
    values[7] = 1.0F;
    expect_error<InputError>([&] { inspected(values); }, path(),
                             {"/blocks/0/nodes/mlp.input/", "finite"});
  }
  expect_error<InputError>([&] { inspected({}); }, path(), {"mlp.input/min"});
  const auto scheme = [](const std::string& text) {
    return [text](Hdf5Writer& writer) { writer.attribute("/", "scheme", text); };
  };
  expect_error<InputError>([&] { inspected({1.0F}, scheme("{")); }, path(), {});
  expect_error<InputError>([&] { inspected({1.0F}, scheme(std::string(10000, '['))); }, path(), {});
  EXPECT_EQ(inspected({1.0F}, scheme("8")).at("scheme"), 8);
}

TEST_F(WrittenRecord, OtherFilesAreNoRecords) {
  Hdf5Writer writer(path());
  writer.group("/blocks/0");
  writer.commit();
  expect_error<InputError>([&] { inspect(path()); }, path(), {"not a record"});
  support::write_bytes(path(), "text");
  expect_error<InputError>([&] { inspect(path()); }, path(), {});
  std::filesystem::remove(path());
  expect_error<InputError>([&] { inspect(path()); }, path(), {});
}

}  // namespace
}  // namespace evenkeel
