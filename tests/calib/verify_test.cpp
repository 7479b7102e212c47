#include "calib/verify.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "calib/quantized_model.h"
#include "calib/runner.h"
#include "io/checkpoint.h"
#include "io/errors.h"
#include "model/forward.h"
#include "model/language_model.h"
#include "model/quantizing_tap.h"
#include "support/expect_error.h"
#include "support/safetensors_builder.h"
#include "support/scratch_folder.h"
#include "support/tiny_job.h"
#include "support/tiny_opt.h"

namespace evenkeel {
namespace {

using support::BuiltTensor;
using support::expect_error;

constexpr std::int64_t tokens_of_a_sample = 5;
constexpr std::int64_t channels = 16;
constexpr std::int64_t vocabulary = 264;

// The model's own answers for two samples, the second padded on the left, as a file that tests
// change.
class VerifyTest : public testing::Test {
 protected:
  VerifyTest() {
    support::write_tiny_opt(scratch_ / "model");
    const Checkpoint checkpoint(scratch_ / "model");
    const LanguageModel model(checkpoint);
    for (const bool padded : {false, true}) {
      const TokenMask mask = padded ? TokenMask{0, 0, 1, 1, 1} : TokenMask{1, 1, 1, 1, 1};
      Matrix hidden = model.embed({1, 2, 3, 250, 5}, mask);
      append(hidden_[0], hidden);
      Workspace workspace;
      NoTap tap;
      for (Index number = 0; number < 2; ++number) {
        forward(model.architecture(), load_block(checkpoint, model.architecture(), number), hidden,
                mask, tap, workspace);
        if (number == 1) model.finish(hidden);
        append(hidden_[static_cast<std::size_t>(number) + 1], hidden);
      }
      append(logits_, model.logits(hidden));
    }
  }

  std::vector<BuiltTensor> tensors() const {
    const auto floats = [](const std::string& name, std::int64_t columns,
                           const std::vector<float>& values) {
      return BuiltTensor{
          name, "F32", {2, tokens_of_a_sample, columns}, support::bytes_of_numbers(values)};
    };
    return {integers("input_ids", {1, 2, 3, 250, 5, 1, 2, 3, 250, 5}),
            integers("attention_mask", {1, 1, 1, 1, 1, 0, 0, 1, 1, 1}),
            floats("logits", vocabulary, logits_),
            floats("hidden.0", channels, hidden_[0]),
            floats("hidden.1", channels, hidden_[1]),
            floats("hidden.2", channels, hidden_[2])};
  }

  static BuiltTensor integers(const std::string& name, const std::vector<std::int64_t>& values) {
    return {name, "I64", {2, tokens_of_a_sample}, support::bytes_of_numbers(values)};
  }

  VerifyResult verify(const std::vector<BuiltTensor>& tensors) const {
    support::write_bytes(file(), support::safetensors_bytes(tensors));
    return verify_checkpoint(scratch_ / "model", file());
  }
  std::filesystem::path file() const { return scratch_ / "golden.safetensors"; }

  static void append(std::vector<float>& values, const Matrix& matrix) {
    values.insert(values.end(), matrix.data(), matrix.data() + matrix.size());
  }

  support::ScratchFolder scratch_;
  std::vector<std::vector<float>> hidden_{3};
  std::vector<float> logits_;
};

BuiltTensor& named(std::vector<BuiltTensor>& tensors, const std::string& name) {
  return *std::find_if(tensors.begin(), tensors.end(),
                       [&](const BuiltTensor& tensor) { return tensor.name == name; });
}

void without(std::vector<BuiltTensor>& tensors, const std::string& name) {
  std::erase_if(tensors, [&](const BuiltTensor& tensor) { return tensor.name == name; });
}

TEST_F(VerifyTest, OwnAnswersDifferByNothing) {
  const VerifyResult result = verify(tensors());
  ASSERT_EQ(result.tensors.size(), 4U);
  const std::vector<std::string> names{"logits", "hidden.0", "hidden.1", "hidden.2"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(result.tensors[i].name, names[i]);
    EXPECT_EQ(result.tensors[i].largest, 0.0);
    EXPECT_EQ(result.tensors[i].mean, 0.0);
    EXPECT_GT(result.tensors[i].scale, 0.1);
  }
  EXPECT_EQ(result.worst, 0.0);
}

TEST_F(VerifyTest, MeasuresTheDifferenceOfEachTensor) {
  logits_[7] += 3.0F;
  hidden_[1][3] = 40.0F;  // the largest there
  const float was = hidden_[2][2];
  hidden_[2][2] = was - 1.0F;
  const VerifyResult result = verify(tensors());
  EXPECT_NEAR(result.tensors[0].largest, 3.0, 1e-5);
  // Eight of ten tokens are compared.
  EXPECT_NEAR(result.tensors[0].mean, 3.0 / (8.0 * vocabulary), 1e-7);
  EXPECT_EQ(result.tensors[1].largest, 0.0);
  EXPECT_EQ(result.tensors[2].scale, 40.0);
  EXPECT_NEAR(result.tensors[3].largest, 1.0, 1e-6);
  double worst = 0.0;
  for (const TensorDifference& tensor : result.tensors) {
    worst = std::max(worst, tensor.largest / tensor.scale);
  }
  EXPECT_EQ(result.worst, worst);
}

TEST_F(VerifyTest, PaddingIsMaskedAndNotCompared) {
  auto changed = tensors();
  // The padded tokens may be anything that is a token, and expected to be anything.
  named(changed, "input_ids") = integers("input_ids", {1, 2, 3, 250, 5, 0, 9, 3, 250, 5});
  for (std::size_t i = 0; i < 2 * vocabulary; ++i) logits_[5 * vocabulary + i] = 1e9F;
  named(changed, "logits").bytes = support::bytes_of_numbers(logits_);
  EXPECT_EQ(verify(changed).worst, 0.0);
  without(changed, "attention_mask");
  EXPECT_GT(verify(changed).worst, 0.01);
}

TEST_F(VerifyTest, WhatIsNotFiniteIsWorst) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity}) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{500}, 5 * vocabulary - 1UL}) {
      const float was = std::exchange(logits_[place], value);
      const VerifyResult result = verify(tensors());
      EXPECT_EQ(result.worst, std::numeric_limits<double>::infinity()) << value << ' ' << place;
      EXPECT_EQ(result.tensors.front().largest, std::numeric_limits<double>::infinity());
      logits_[place] = was;
    }
  }
}

TEST_F(VerifyTest, InfinityOnBothSidesIsNoAgreement) {
  support::TinyOpt options;
  options.change = [](const std::string& name, std::vector<float>& values) {
    if (name == "model.decoder.final_layer_norm.weight") values.assign(values.size(), 3e38F);
    if (name == "model.decoder.embed_tokens.weight") values.assign(values.size(), 3.0F);
  };
  support::write_tiny_opt(scratch_ / "model", options);
  for (float& value : logits_) value = std::numeric_limits<float>::infinity();
  auto changed = tensors();
  for (const char* name : {"hidden.0", "hidden.1", "hidden.2"}) without(changed, name);
  EXPECT_EQ(verify(changed).worst, std::numeric_limits<double>::infinity());
}

TEST_F(VerifyTest, NarrowIdsWithoutMaskAndOnlyLogits) {
  std::vector<BuiltTensor> changed = tensors();
  for (const char* name : {"hidden.0", "hidden.2", "attention_mask"}) without(changed, name);
  named(changed, "input_ids") = {
      "input_ids",
      "I32",
      {2, tokens_of_a_sample},
      support::bytes_of_numbers<std::int32_t>({1, 2, 3, 250, 5, 1, 2, 3, 250, 5})};
  // Both samples are now the first one.
  for (const auto& [name, values, columns] :
       {std::tuple{"logits", &logits_, vocabulary}, {"hidden.1", &hidden_[1], channels}}) {
    const auto half = static_cast<std::ptrdiff_t>(tokens_of_a_sample * columns);
    std::copy(values->begin(), values->begin() + half, values->begin() + half);
    named(changed, name).bytes = support::bytes_of_numbers(*values);
  }
  const VerifyResult result = verify(changed);
  ASSERT_EQ(result.tensors.size(), 2U);
  EXPECT_EQ(result.tensors[1].name, "hidden.1");
  EXPECT_EQ(result.worst, 0.0);
}

TEST_F(VerifyTest, WhatTheFileLacksOrContradicts) {
  struct Fault {
    std::function<void(std::vector<BuiltTensor>&)> change;
    std::vector<std::string> parts;
  };
  const auto reshape = [](const std::string& name, std::vector<std::int64_t> shape) {
    return [name, shape = std::move(shape)](std::vector<BuiltTensor>& tensors) {
      named(tensors, name).shape = shape;
    };
  };
  const std::vector<Fault> faults{
      {[](auto& all) { without(all, "input_ids"); }, {"input_ids"}},
      {[](auto& all) { without(all, "logits"); }, {"logits"}},
      {reshape("input_ids", {10}), {"input_ids", "[samples, tokens]", "[10]"}},
      {reshape("input_ids", {5, 2}), {"attention_mask", "[2, 5]", "[5, 2]"}},
      {reshape("attention_mask", {5, 2}), {"attention_mask", "[5, 2]", "[2, 5]"}},
      {reshape("attention_mask", {1, 10}), {"attention_mask", "[1, 10]"}},
      {reshape("logits", {10, vocabulary}), {"logits", "[2, 5, columns]", "[10, 264]"}},
      {reshape("logits", {5, 2, vocabulary}), {"logits", "[5, 2, 264]"}},
      {reshape("hidden.1", {2, 10, channels / 2}), {"hidden.1", "[2, 10, 8]"}},
      {[](auto& all) {
         named(all, "hidden.1").shape = {2, tokens_of_a_sample, channels / 2};
         named(all, "hidden.1").bytes.resize(named(all, "hidden.1").bytes.size() / 2);
       },
       {"hidden.1", "8 columns", "16"}},
      {[](auto& all) { named(all, "logits").dtype = "I32"; }, {"logits", "I32"}},
      {[](auto& all) { named(all, "input_ids").dtype = "F64"; }, {"input_ids", "F64"}},
      {[](auto& all) { named(all, "hidden.2").name = "hidden.3"; },
       {"hidden.3", "hidden.0 to hidden.2"}},
      {[](auto& all) { named(all, "hidden.2").name = "hidden.02"; }, {"hidden.02"}},
      {[](auto& all) {
         named(all, "attention_mask") = integers("attention_mask", std::vector<std::int64_t>(10));
       },
       {"attention_mask", "padding"}},
      {[](auto& all) {
         named(all, "input_ids") = integers("input_ids", {1, 2, 3, -1, 5, 1, 2, 3, 250, 5});
       },
       {"input_ids", "-1"}},
      {[](auto& all) {
         named(all, "input_ids") =
             integers("input_ids", {1, 2, 3, std::int64_t{1} << 32, 5, 1, 2, 3, 250, 5});
       },
       {"input_ids", "4294967296"}},
  };
  for (const Fault& fault : faults) {
    std::vector<BuiltTensor> changed = tensors();
    fault.change(changed);
    SCOPED_TRACE(fault.parts.front() + " " + fault.parts.back());
    expect_error<InputError>([&] { verify(changed); }, file(), {});
    try {
      verify(changed);
    } catch (const InputError& error) {
      for (const std::string& part : fault.parts) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
            << part << " in " << error.what();
      }
    }
  }
}

TEST(VerifyQuantized, RunsWhatTheJobEvaluated) {
  const support::TinyJob tiny;
  Progress silent;
  run_job(tiny.job({"scheme=w4a4"}), silent);
  const Checkpoint checkpoint(tiny.output() / "quantized");
  const QuantizedModel model(checkpoint);
  const Architecture& architecture = model.model().architecture();
  Matrix hidden = model.model().embed({1, 2, 3, 250, 5});
  Workspace workspace;
  for (Index number = 0; number < architecture.blocks; ++number) {
    const NodeQuantizers quantizers = model.quantizers(number);
    QuantizingTap tap(quantizers);
    forward(architecture, model.block(number), hidden, {}, tap, workspace);
  }
  model.model().finish(hidden);
  const Matrix logits = model.model().logits(hidden);
  const std::vector<float> values(logits.data(), logits.data() + logits.size());
  const auto file = tiny / "logits.safetensors";
  const std::vector<BuiltTensor> tensors{
      {"input_ids",
       "I64",
       {1, tokens_of_a_sample},
       support::bytes_of_numbers<std::int64_t>({1, 2, 3, 250, 5})},
      {"logits", "F32", {1, tokens_of_a_sample, vocabulary}, support::bytes_of_numbers(values)}};
  support::write_bytes(file, support::safetensors_bytes(tensors));
  EXPECT_EQ(verify_checkpoint(tiny.output() / "quantized", file).worst, 0.0);
  EXPECT_GT(verify_checkpoint(tiny.output() / "model", file).worst, 1e-3);
}

TEST_F(VerifyTest, IdOutsideTheVocabulary) {
  auto changed = tensors();
  named(changed, "input_ids") = integers("input_ids", {1, 2, 3, 264, 5, 1, 2, 3, 250, 5});
  expect_error<InputError>([&] { verify(changed); }, scratch_ / "model", {"264"});
}

}  // namespace
}  // namespace evenkeel
