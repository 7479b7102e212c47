#include "calib/block_weights.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "calib/node_ranges.h"
#include "quantizers/clip_search.h"
#include "quantizers/gptq.h"
#include "support/scratch_folder.h"
#include "support/tiny_families.h"
#include "support/tiny_stream.h"

namespace evenkeel {
namespace {

using support::TinyStream;

Scheme scheme_of(Rounding rounding, int activation_bits = 4) {
  Scheme scheme;
  scheme.weights.bits = 3;
  scheme.weights.rounding = rounding;
  scheme.activations.bits = activation_bits;
  return scheme;
}

struct Result {
  Block quantized;
  std::vector<QuantizedWeight> codes;
};

Result quantize(const TinyStream& tiny, const Scheme& scheme) {
  BlockWeights weights(tiny.architecture(), 0, tiny.stream(), scheme, 2, true);
  Result result{tiny.block(), {}};
  weights.quantize(tiny.block(), result.quantized);
  result.codes = weights.take_codes();
  return result;
}

TEST(BlockWeights, NearestIsEachWeightAlone) {
  const TinyStream tiny;
  const Scheme scheme = scheme_of(Rounding::nearest);
  const Result result = quantize(tiny, scheme);
  const auto stored = stored_linears(tiny.architecture(), 0);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const QuantizedWeight expected =
        quantize_weight(joined_weight(stored[i], tiny.block()), scheme.weights);
    EXPECT_EQ(result.codes[i].codes, expected.codes);
  }
}

// By hand: each linear from the inputs that it has when all before it is quantized.
TEST(BlockWeights, GptqReadsTheStreamThatTheSchemePropagates) {
  const TinyStream tiny;
  for (const int bits : {4, unquantized_bits}) {
    for (const Propagate propagate : {Propagate::quantized, Propagate::full_precision}) {
      Scheme scheme = scheme_of(Rounding::gptq, bits);
      scheme.propagate = propagate;
      const Result result = quantize(tiny, scheme);
      const bool through = propagate == Propagate::quantized;
      const Block block = through ? result.quantized : tiny.block();
      const NodeQuantizers nodes = through
                                       ? observe_ranges(tiny.architecture(), block, tiny.stream(),
                                                        tiny.stream().size(), 2, scheme)
                                       : NodeQuantizers{};
      const auto stored = stored_linears(tiny.architecture(), 0);
      for (std::size_t i = 0; i < stored.size(); ++i) {
        const Node node = input_of(stored[i].role());
        InputHessian hessian(stored[i].columns);
        for (Matrix& values :
             tiny.stream().capture(tiny.architecture(), block, nodes, node, tiny.stream().size())) {
          if (nodes[index_of(node)]) nodes[index_of(node)]->apply(values);
          hessian.observe(values);
        }
        const QuantizedWeight expected =
            gptq(joined_weight(stored[i], tiny.block()),
                 GptqFactor(hessian.finish(), scheme.weights.gptq), scheme.weights);
        EXPECT_EQ(result.codes[i].codes, expected.codes) << stored[i].module;
        EXPECT_EQ(dequantize_weight(result.codes[i]), joined_weight(stored[i], result.quantized));
      }
    }
  }
}

// By hand: the columns that stay as they are belong to the sequence, also where one expert reads
// few of its tokens.
TEST(BlockWeights, AnExpertsInputsAreQuantizedBeforeItsTokensAreTaken) {
  const support::ScratchFolder scratch;
  const Checkpoint checkpoint(
      support::write_tiny_family(scratch / "model", support::tiny_mixtral()));
  const LanguageModel model(checkpoint);
  const Architecture& architecture = model.architecture();
  std::vector<Tokens> windows;
  for (TokenId window = 0; window < 4; ++window) {
    windows.push_back({window, 5, 3, window + 7, 11, 2, window + 1, 8});
  }
  const HiddenStream stream(model, windows);
  const Block block = load_block(checkpoint, architecture, 0);
  Scheme scheme = scheme_of(Rounding::gptq);
  scheme.activations = {.bits = 4, .granularity = Granularity::per_token, .outlier_threshold = 1.5};
  BlockWeights weights(architecture, 0, stream, scheme, 2, true);
  Block quantized = block;
  weights.quantize(block, quantized);
  const auto codes = weights.take_codes();

  const ActivationQuantizer quantizer(scheme.activations);
  const NodeQuantizers nodes =
      observe_ranges(architecture, quantized, stream, stream.size(), 2, scheme);
  const auto stored = stored_linears(architecture, 0);
  int experts = 0;
  bool differs = false;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (!architecture.by_expert(stored[i].role()) ||
        input_of(stored[i].role()) != Node::mlp_input) {
      continue;
    }
    const auto expert = static_cast<std::size_t>(stored[i].parts.front().place.expert);
    InputHessian hessian(stored[i].columns);
    Index tokens = 0;
    for (const Matrix& values :
         stream.capture(architecture, quantized, nodes, Node::mlp_input, stream.size())) {
      const auto sent = routing_of(architecture, quantized, values)[expert].tokens;
      if (sent.empty()) continue;
      Matrix whole = values;
      quantizer.apply(whole);
      Matrix alone = values(sent, Eigen::all);
      quantizer.apply(alone);
      const Matrix read = whole(sent, Eigen::all);
      differs = differs || read != alone;
      hessian.observe(read);
      tokens += read.rows();
    }
    if (tokens == 0) continue;
    ++experts;
    const QuantizedWeight expected =
        gptq(joined_weight(stored[i], block), GptqFactor(hessian.finish(), scheme.weights.gptq),
             scheme.weights);
    EXPECT_EQ(codes[i].codes, expected.codes) << stored[i].module;
  }
  EXPECT_GT(experts, 0);
  EXPECT_TRUE(differs) << "the order makes no difference here";
}

// Every row but those of query and key, by the linear's own inputs.
TEST(BlockWeights, ClipsByTheInputsBeforeRounding) {
  const TinyStream tiny;
  Scheme scheme = scheme_of(Rounding::nearest);
  scheme.propagate = Propagate::full_precision;
  BlockWeights weights(tiny.architecture(), 0, tiny.stream(), scheme, 2, true, true);
  const Block block = tiny.block();
  Block quantized = block;
  weights.quantize(block, quantized);
  const auto codes = weights.take_codes();
  const auto stored = stored_linears(tiny.architecture(), 0);
  int clipped = 0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const LinearRole role = stored[i].role();
    Matrix weight = joined_weight(stored[i], block);
    const QuantizedWeight plain = quantize_weight(weight, scheme.weights);
    if (role != LinearRole::query && role != LinearRole::key) {
      ClipSearch search(stored[i].columns, scheme.weights);
      for (const Matrix& values : tiny.stream().capture(tiny.architecture(), block, {},
                                                        input_of(role), tiny.stream().size())) {
        search.observe(values);
      }
      clip_weight(weight, search.limits(weight), scheme.weights);
    }
    EXPECT_EQ(codes[i].codes, quantize_weight(weight, scheme.weights).codes) << stored[i].module;
    if (codes[i].codes != plain.codes) ++clipped;
  }
  EXPECT_GT(clipped, 0);
}

TEST(BlockWeights, NothingDependsOnTheNumberOfThreads) {
  const TinyStream tiny;
  const Scheme scheme = scheme_of(Rounding::gptq);
  const Result many = quantize(tiny, scheme);
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const Result alone = quantize(tiny, scheme);
  ASSERT_EQ(many.codes.size(), alone.codes.size());
  for (std::size_t i = 0; i < many.codes.size(); ++i) {
    EXPECT_EQ(many.codes[i].codes, alone.codes[i].codes);
  }
}

TEST(BlockWeights, WhatHasChangedIsQuantizedAgain) {
  const TinyStream tiny;
  for (const Rounding rounding : {Rounding::nearest, Rounding::gptq}) {
    const Scheme scheme = scheme_of(rounding);
    BlockWeights weights(tiny.architecture(), 0, tiny.stream(), scheme, 2, false);
    Block folded = tiny.block();
    Block quantized = folded;
    weights.quantize(folded, quantized, Node::attention_output);
    // What reads a later node is as it was.
    EXPECT_EQ(quantized.linear(LinearRole::output).weight,
              folded.linear(LinearRole::output).weight);
    EXPECT_NE(quantized.linear(LinearRole::value).weight, folded.linear(LinearRole::value).weight);
    const Matrix query = quantized.linear(LinearRole::query).weight;
    folded.linear(LinearRole::query).weight *= 2.0F;
    folded.linear(LinearRole::value).weight *= 2.0F;
    const Matrix value = quantized.linear(LinearRole::value).weight;
    weights.changed(LinearRole::value);
    weights.quantize(folded, quantized);
    EXPECT_EQ(quantized.linear(LinearRole::query).weight, query);
    EXPECT_EQ(quantized.linear(LinearRole::value).weight, 2.0F * value);
    EXPECT_TRUE(weights.take_codes().empty());
    EXPECT_TRUE(weights.without_tokens().empty());
  }
}

}  // namespace
}  // namespace evenkeel
