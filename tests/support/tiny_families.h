// Small random checkpoints of several families, made without the project's writers: one for each
// form of a block, of an embedding and of a head that the tests of model/ need.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace evenkeel::support {

struct TinyTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// What is written: a test may change either first.
struct TinyFamily {
  nlohmann::json config;
  std::vector<TinyTensor> tensors;

  void add(const std::string& name, std::vector<std::int64_t> shape) {
    tensors.push_back({name, std::move(shape)});
  }
};

// Two blocks of 16 channels in 4 heads, 20 channels of the MLP, 50 tokens, 32 positions.
inline constexpr std::int64_t tiny_channels = 16;
inline constexpr std::int64_t tiny_ffn = 20;
inline constexpr std::int64_t tiny_vocabulary = 50;

/// LLaMA's modules with two key-value heads, under any model_type that has them.
TinyFamily tiny_llama(const std::string& model_type = "llama");
/// Four norms in a block; scores and logits capped; a window of 5 in the first block.
TinyFamily tiny_gemma2();
/// Mixtral: five experts, two for each token.
TinyFamily tiny_mixtral();
/// Parallel residual with one norm, a bias of the logits.
TinyFamily tiny_gptj();
/// Weights stored [in, out]; query, key and value fused in blocks.
TinyFamily tiny_gpt2();
/// Query, key and value fused by group: two key-value heads; two norms, parallel residual.
TinyFamily tiny_falcon();
/// Post-LayerNorm with token types; with the masked-language head or a classifier of three labels.
TinyFamily tiny_bert(bool classifies);
/// Post-LayerNorm OPT whose embedding has 6 channels.
TinyFamily tiny_projected_opt();

/// Writes config.json and model.safetensors: weights uniform in [-0.5, 0.5), those of one dimension
/// (norms) in [0.5, 1.5), biases in [-0.3, 0.3). Returns the folder.
std::filesystem::path write_tiny_family(const std::filesystem::path& folder,
                                        const TinyFamily& family, std::uint32_t seed = 1);

}  // namespace evenkeel::support
