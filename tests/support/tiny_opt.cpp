#include "support/tiny_opt.h"

#include <cstddef>
#include <random>

#include <fmt/format.h>

#include "io/floats.h"
#include "support/safetensors_builder.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel::support {
namespace {

class Builder {
 public:
  explicit Builder(const TinyOpt& options) : options_(options), random_(options.seed) {}

  std::vector<BuiltTensor> tensors() {
    const Index channels = options_.channels;
    matrix("embed_tokens.weight", options_.vocabulary, channels, 1.0F);
    matrix("embed_positions.weight", options_.positions + 2, channels, 0.5F);
    for (Index block = 0; block < options_.blocks; ++block) {
      const std::string place = fmt::format("layers.{}.", block);
      norm(place + "self_attn_layer_norm", true);
      norm(place + "final_layer_norm", true);
      for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
        linear(place + "self_attn." + name, channels, channels);
      }
      linear(place + "fc1", options_.ffn_channels, channels);
      linear(place + "fc2", channels, options_.ffn_channels);
    }
    norm("final_layer_norm", false);
    return std::move(tensors_);
  }

 private:
  // Independent of the standard library's distributions, which differ between libraries.
  float uniform(float amplitude) {
    return amplitude * (static_cast<float>(random_()) * 0x1p-31F - 1.0F);
  }

  std::vector<float> values(Index count, float amplitude) {
    std::vector<float> made(static_cast<std::size_t>(count));
    for (float& value : made) value = uniform(amplitude);
    return made;
  }

  void matrix(const std::string& name, Index rows, Index columns, float amplitude) {
    add(name, {rows, columns}, values(rows * columns, amplitude));
  }

  void linear(const std::string& name, Index rows, Index columns) {
    matrix(name + ".weight", rows, columns, 0.5F);
    if (options_.bias) add(name + ".bias", {rows}, values(rows, 0.2F));
  }

  void norm(const std::string& name, bool outliers) {
    std::vector<float> gain = values(options_.channels, 0.2F);
    for (float& value : gain) value += 1.0F;
    std::vector<float> bias = values(options_.channels, 0.2F);
    if (outliers) {
      gain[1] = 6.0F;
      bias[3] = 9.0F;
    }
    add(name + ".weight", {options_.channels}, std::move(gain));
    add(name + ".bias", {options_.channels}, std::move(bias));
  }

  void add(const std::string& name, std::vector<std::int64_t> shape, std::vector<float> numbers) {
    const std::string full = "model.decoder." + name;
    if (options_.change) options_.change(full, numbers);
    std::string bytes(numbers.size() * size_of(options_.dtype), '\0');
    encode_floats(options_.dtype, numbers, std::as_writable_bytes(std::span(bytes)));
    tensors_.push_back(
        {full, std::string(name_of(options_.dtype)), std::move(shape), std::move(bytes)});
  }

  const TinyOpt& options_;
  std::mt19937 random_;
  std::vector<BuiltTensor> tensors_;
};

nlohmann::json config_of(const TinyOpt& options) {
  return {{"model_type", "opt"},
          {"hidden_size", options.channels},
          {"word_embed_proj_dim", options.channels},
          {"ffn_dim", options.ffn_channels},
          {"num_attention_heads", options.heads},
          {"num_hidden_layers", options.blocks},
          {"max_position_embeddings", options.positions},
          {"vocab_size", options.vocabulary},
          {"activation_function", "relu"},
          {"enable_bias", options.bias},
          {"do_layer_norm_before", true},
          {"tie_word_embeddings", true}};
}

}  // namespace

std::filesystem::path write_tiny_opt(const std::filesystem::path& folder, const TinyOpt& options) {
  std::filesystem::create_directories(folder);
  write_json(folder / "config.json", config_of(options));
  write_json(folder / "tokenizer.json", tiny_tokenizer());
  write_bytes(folder / "model.safetensors", safetensors_bytes(Builder(options).tensors()));
  return folder;
}

std::filesystem::path write_token_ids(const std::filesystem::path& file, std::int64_t samples,
                                      std::int64_t length, std::uint32_t seed, TokenId vocabulary) {
  std::mt19937 random(seed);
  std::vector<std::int64_t> ids(static_cast<std::size_t>(samples * length));
  for (std::int64_t& id : ids) id = random() % static_cast<std::uint32_t>(vocabulary);
  const std::vector<BuiltTensor> tensors{
      {"input_ids", "I64", {samples, length}, bytes_of_numbers(ids)}};
  write_bytes(file, safetensors_bytes(tensors));
  return file;
}

}  // namespace evenkeel::support
