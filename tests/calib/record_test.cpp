// The record of whole tiny jobs, read back, and records that somebody has changed.
#include "calib/record.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "calib/runner.h"
#include "calib/scheme_json.h"
#include "io/errors.h"
#include "support/expect_error.h"
#include "support/tiny_job.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::expect_error;
using Doubles = std::vector<double>;

class RecordOfAJob : public testing::Test {
 protected:
  nlohmann::ordered_json run(const std::vector<std::string>& settings = {}) {
    Progress silent;
    job_ = tiny_.job(settings);
    return run_job(job_, silent);
  }
  Hdf5Reader record() const { return Hdf5Reader(tiny_.output() / "calibration.h5"); }

  support::TinyJob tiny_;
  Job job_;
};

TEST_F(RecordOfAJob, HoldsWhatEachSiteFound) {
  const auto summary = run({"transform.search=exhaustive"});
  const Hdf5Reader file = record();
  std::size_t next = 0;
  for (int block = 0; block < 2; ++block) {
    for (const std::string name : {"attention", "mlp"}) {
      const std::string path = "/blocks/" + std::to_string(block) + "/sites/" + name;
      const auto& told = summary.at("sites").at(next++);
      EXPECT_EQ(told.at("name"), "blocks." + std::to_string(block) + "." + name);
      EXPECT_EQ(told.at("method"), "os_plus");
      EXPECT_EQ(file.text_attribute(path, "method"), "os_plus");
      EXPECT_EQ(file.number_attribute(path, "threshold"), told.at("threshold").get<double>());
      EXPECT_EQ(file.number_attribute(path, "loss"), told.at("loss_after").get<double>());
      EXPECT_EQ(file.number_attribute(path, "loss_before"), told.at("loss_before").get<double>());
      EXPECT_EQ(file.shape(path + "/shift"), (std::vector<std::int64_t>{16}));
      EXPECT_EQ(file.shape(path + "/scale"), (std::vector<std::int64_t>{16}));
      const Doubles thresholds = file.dataset(path + "/thresholds");
      const Doubles losses = file.dataset(path + "/losses");
      ASSERT_EQ(losses.size(), thresholds.size());
      ASSERT_GE(losses.size(), 100U);
      const auto best = std::min_element(losses.begin(), losses.end());
      EXPECT_EQ(*best, told.at("loss_after").get<double>());
      EXPECT_EQ(thresholds[static_cast<std::size_t>(best - losses.begin())],
                told.at("threshold").get<double>());
      for (const double scale : file.dataset(path + "/scale")) EXPECT_GE(scale, 1.0);
    }
  }
  EXPECT_EQ(summary.at("sites").size(), next);
}

TEST_F(RecordOfAJob, ExactSearchKeepsDroppedCandidatesAsNan) {
  run({"transform.search=exhaustive"});
  Doubles all = record().dataset("/blocks/0/sites/mlp/losses");
  run({"transform.search=exact"});
  const Doubles exact = record().dataset("/blocks/0/sites/mlp/losses");
  ASSERT_EQ(exact.size(), all.size());
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (std::isnan(exact[i])) {
      ++dropped;
    } else {
      EXPECT_EQ(exact[i], all[i]);
    }
  }
  EXPECT_GT(dropped, 0U);
}

TEST_F(RecordOfAJob, HoldsWhatEachNodeDoes) {
  run();
  const Hdf5Reader file = record();
  for (const Node node : all_nodes) {
    const std::string path = "/blocks/1/nodes/" + std::string(name_of(node));
    const Index size = node == Node::mlp_hidden                ? 24
                       : node == Node::attention_probabilities ? 2
                                                               : 16;
    const Doubles low = file.dataset(path + "/min");
    const Doubles high = file.dataset(path + "/max");
    const Doubles absmax = file.dataset(path + "/absmax");
    const Doubles mean = file.dataset(path + "/mean");
    const Doubles variance = file.dataset(path + "/variance");
    for (const Doubles* values : {&low, &high, &absmax, &mean, &variance}) {
      ASSERT_EQ(static_cast<Index>(values->size()), size) << path;
    }
    for (std::size_t j = 0; j < low.size(); ++j) {
      EXPECT_EQ(absmax[j], std::max(-low[j], high[j]));
      EXPECT_LE(low[j], mean[j]);
      EXPECT_LE(mean[j], high[j]);
      EXPECT_GE(variance[j], 0.0);
    }
    const auto range_low = static_cast<float>(*file.number_attribute(path, "range_low"));
    const auto range_high = static_cast<float>(*file.number_attribute(path, "range_high"));
    const auto step = static_cast<float>(*file.number_attribute(path, "step"));
    EXPECT_FLOAT_EQ(step, (std::max(range_high, 0.0F) - std::min(range_low, 0.0F)) / 255.0F);
    EXPECT_EQ(file.number_attribute(path, "zero_point"),
              -std::nearbyint(std::min(range_low, 0.0F) / step));
  }
}

TEST_F(RecordOfAJob, SaysWhichJobItWas) {
  run();
  const Hdf5Reader file = record();
  EXPECT_EQ(file.text("/job"), job_.text);
  EXPECT_EQ(file.number_attribute("/progress", "last_finished_block"), 1.0);
  EXPECT_EQ(file.text_attribute("/", "scheme"), scheme_to_json(job_.scheme).dump());
  EXPECT_EQ(file.text_attribute("/", "id")->size(), 16U);
}

TEST_F(RecordOfAJob, NoSitesWithoutAMethod) {
  run({"transform={method: none}"});
  EXPECT_FALSE(record().exists("/blocks/0/sites"));
  EXPECT_TRUE(record().exists("/blocks/0/nodes"));
}

TEST_F(RecordOfAJob, SmoothQuantWithAGivenAlphaHasNoCurve) {
  run({"transform={method: smoothquant, alpha: 0.25}"});
  EXPECT_EQ(record().number_attribute("/blocks/0/sites/mlp", "threshold"), 0.25);
  EXPECT_TRUE(record().dataset("/blocks/0/sites/mlp/losses").empty());
  run({"transform={method: smoothquant, alpha: search}"});
  EXPECT_EQ(record().dataset("/blocks/0/sites/mlp/losses").size(), 21U);
}

// Ranges come back as the floats that the calibration used.
class RecordRoundTrip : public testing::Test {
 protected:
  BlockResult write(const Scheme& scheme) {
    BlockOptions options;
    options.transform.method = Method::none;
    options.scheme = scheme;
    Stopwatch stopwatch;
    BlockResult result =
        calibrate_block(tiny_.architecture(), tiny_.block(), tiny_.stream(), options, stopwatch);
    RecordWriter writer(path(), "job", options);
    writer.block(0, record_of(result));
    writer.commit("id");
    return result;
  }
  std::filesystem::path path() const { return scratch_ / "calibration.h5"; }
  NodeQuantizers read(const Scheme& scheme) const {
    return RecordReader(path()).quantizers(0, tiny_.architecture(), scheme);
  }

  support::ScratchFolder scratch_;
  support::TinyStream tiny_;
};

TEST_F(RecordRoundTrip, EveryGranularity) {
  for (const Granularity granularity : {Granularity::per_tensor, Granularity::per_channel,
                                        Granularity::per_token, Granularity::per_group}) {
    Scheme scheme;
    scheme.activations = {.bits = 8, .granularity = granularity};
    const BlockResult result = write(scheme);
    const NodeQuantizers quantizers = read(scheme);
    for (const Node node : all_nodes) {
      const auto& expected = *result.quantizers[index_of(node)];
      const auto& actual = *quantizers[index_of(node)];
      EXPECT_EQ(actual.scheme(), expected.scheme());
      EXPECT_EQ(actual.ranges(), expected.ranges());
      EXPECT_EQ(actual.parameters(), expected.parameters());
    }
    const Hdf5Reader file(path());
    const std::string node = "/blocks/0/nodes/mlp.input";
    EXPECT_EQ(file.text_attribute(node, "dynamic").value_or("static"),
              is_dynamic(scheme.activations) ? std::string(name_of(granularity)) : "static");
    EXPECT_EQ(file.exists(node + "/step"), granularity == Granularity::per_channel);
  }
}

TEST_F(RecordRoundTrip, NotCommittedLeavesNothing) {
  { RecordWriter writer(path(), "job", {}); }
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

TEST_F(RecordRoundTrip, WhatIsMissingIsNamed) {
  expect_error<InputError>([&] { RecordReader reader(path()); }, path(), {});
  Scheme per_tensor;
  Scheme per_channel;
  per_channel.activations.granularity = Granularity::per_channel;
  write(per_channel);
  expect_error<InputError>([&] { read(per_tensor); }, path(),
                           {"/blocks/0/nodes/attention.input", "range_low", "calibrate again"});
  write(per_tensor);
  expect_error<InputError>([&] { read(per_channel); }, path(),
                           {"/blocks/0/nodes/attention.input/range_low"});
  expect_error<InputError>(
      [&] { RecordReader(path()).quantizers(1, tiny_.architecture(), per_tensor); }, path(),
      {"/blocks/1/nodes/attention.input"});
  Hdf5Writer other(path());
  other.group("/progress");
  other.commit();
  expect_error<InputError>([&] { static_cast<void>(RecordReader(path()).id()); }, path(),
                           {"'id'", "not a record"});
}

TEST_F(RecordRoundTrip, RangesThatDoNotFitAreRefused) {
  const auto write_ranges = [&](const std::vector<float>& low, const std::vector<float>& high) {
    Hdf5Writer writer(path());
    for (const Node node : all_nodes) {
      const std::string place = "/blocks/0/nodes/" + std::string(name_of(node));
      writer.attribute(place, "range_low", static_cast<double>(low.front()));
      writer.attribute(place, "range_high", static_cast<double>(high.front()));
      writer.dataset(place + "/range_low", low);
      writer.dataset(place + "/range_high", high);
    }
    writer.commit();
  };
  Scheme scheme;
  scheme.activations.granularity = Granularity::per_channel;
  const std::vector<float> zeros(16);
  for (const std::vector<float>& wrong :
       {std::vector<float>{0.0F}, std::vector<float>(15), std::vector<float>(17)}) {
    write_ranges(zeros, wrong);
    expect_error<InputError>([&] { read(scheme); }, path(), {"16 channels"});
    write_ranges(wrong, wrong);
    expect_error<InputError>([&] { read(scheme); }, path(), {"16 channels"});
  }
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    std::vector<float> wrong = zeros;
    wrong.front() = value;
    write_ranges(wrong, zeros);
    expect_error<InputError>([&] { read(scheme); }, path(), {"attention.input", "not finite"});
    expect_error<InputError>([&] { read(Scheme{}); }, path(), {"attention.input", "not finite"});
  }
}

}  // namespace
}  // namespace evenkeel
