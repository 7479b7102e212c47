#include "support/tiny_bert.h"

#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "support/safetensors_builder.h"
#include "support/tiny_tokenizer.h"

namespace evenkeel::support {
namespace {

constexpr Index channels = 16;
constexpr Index ffn_channels = 24;
constexpr Index vocabulary = 264;
constexpr Index blocks = 2;

class Builder {
 public:
  explicit Builder(const TinyBert& options) : options_(options), random_(options.seed) {}

  std::vector<BuiltTensor> tensors() {
    matrix("bert.embeddings.word_embeddings.weight", vocabulary, channels);
    matrix("bert.embeddings.position_embeddings.weight", options_.positions, channels);
    matrix("bert.embeddings.token_type_embeddings.weight", 2, channels);
    norm("bert.embeddings.LayerNorm");
    for (Index block = 0; block < blocks; ++block) {
      const std::string place = fmt::format("bert.encoder.layer.{}.", block);
      for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value",
                               "attention.output.dense"}) {
        linear(place + name, channels, channels);
      }
      norm(place + "attention.output.LayerNorm");
      linear(place + "intermediate.dense", ffn_channels, channels);
      linear(place + "output.dense", channels, ffn_channels);
      norm(place + "output.LayerNorm");
    }
    if (options_.masked) {
      linear("cls.predictions.transform.dense", channels, channels);
      norm("cls.predictions.transform.LayerNorm");
      add("cls.predictions.bias", {vocabulary}, 0.1F, 0.0F);
    } else {
      linear("bert.pooler.dense", channels, channels);
      linear("classifier", options_.labels, channels);
    }
    return std::move(tensors_);
  }

 private:
  void matrix(const std::string& name, Index rows, Index columns) {
    add(name, {rows, columns}, 0.6F, 0.0F);
  }
  void linear(const std::string& name, Index rows, Index columns) {
    matrix(name + ".weight", rows, columns);
    add(name + ".bias", {rows}, 0.2F, 0.0F);
  }
  void norm(const std::string& name) {
    add(name + ".weight", {channels}, 0.4F, 1.0F);
    add(name + ".bias", {channels}, 0.4F, 0.3F);
  }

  // Independent of the standard library's distributions, which differ between libraries.
  void add(const std::string& name, const std::vector<std::int64_t>& shape, float amplitude,
           float center) {
    std::size_t count = 1;
    for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
    std::vector<float> values(count);
    for (float& value : values) {
      value = center + amplitude * (static_cast<float>(random_()) * 0x1p-31F - 1.0F);
    }
    tensors_.push_back({name, "F32", shape, bytes_of_numbers(values)});
  }

  const TinyBert& options_;
  std::mt19937 random_;
  std::vector<BuiltTensor> tensors_;
};

nlohmann::json config_of(const TinyBert& options) {
  nlohmann::json names;
  for (Index label = 0; label < options.labels; ++label) {
    names[std::to_string(label)] = label == 0   ? "bad"
                                   : label == 1 ? "good"
                                                : fmt::format("class {}", label);
  }
  return {{"model_type", "bert"},
          {"architectures", {options.masked ? "BertForMaskedLM" : "BertForSequenceClassification"}},
          {"hidden_size", channels},
          {"intermediate_size", ffn_channels},
          {"num_attention_heads", 2},
          {"num_hidden_layers", blocks},
          {"max_position_embeddings", options.positions},
          {"type_vocab_size", 2},
          {"vocab_size", vocabulary},
          {"hidden_act", "gelu"},
          {"id2label", names}};
}

nlohmann::json tokenizer() {
  nlohmann::json document = tiny_tokenizer();
  int id = 262;
  for (const char* name : {"[CLS]", "[SEP]"}) {
    document["model"]["vocab"][name] = id;
    nlohmann::json token = added_token(id++, name);
    token["special"] = true;
    document["added_tokens"].push_back(token);
  }
  document["post_processor"] = {
      {"type", "BertProcessing"}, {"cls", {"[CLS]", 262}}, {"sep", {"[SEP]", 263}}};
  return document;
}

}  // namespace

std::filesystem::path write_tiny_bert(const std::filesystem::path& folder,
                                      const TinyBert& options) {
  std::filesystem::create_directories(folder);
  write_json(folder / "config.json", config_of(options));
  write_json(folder / "tokenizer.json", tokenizer());
  write_bytes(folder / "model.safetensors", safetensors_bytes(Builder(options).tensors()));
  return folder;
}

}  // namespace evenkeel::support
