#include "model/config_choices.h"

#include <array>
#include <cmath>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/errors.h"
#include "io/one_line.h"

namespace evenkeel {
namespace {

struct NamedActivation {
  std::string_view name;
  Activation value;
};
constexpr std::array activations{NamedActivation{"relu", Activation::relu},
                                 NamedActivation{"gelu", Activation::gelu},
                                 NamedActivation{"gelu_new", Activation::gelu_tanh},
                                 NamedActivation{"gelu_fast", Activation::gelu_tanh},
                                 NamedActivation{"gelu_pytorch_tanh", Activation::gelu_tanh},
                                 NamedActivation{"silu", Activation::silu},
                                 NamedActivation{"swish", Activation::silu}};

// Blocks are listed before their tensors are looked up: more than any model has.
constexpr Index most_blocks = 1 << 16;

// A number that the positions are divided by.
float positive_number(const JsonReader& config, std::string_view key, double otherwise) {
  const double value = config.number(key, otherwise);
  if (value > 0.0 && value <= static_cast<double>(std::numeric_limits<float>::max())) {
    return static_cast<float>(value);
  }
  throw InputError(fmt::format("{}: '{}': expected a positive number, got {}",
                               config.path().string(), key, value));
}

}  // namespace

void require_choice(const JsonReader& config, std::string_view key, bool otherwise,
                    bool supported) {
  if (config.boolean(key, otherwise) == supported) return;
  throw InputError(fmt::format("{}: '{}': {} is not supported for model_type '{}'; supported: {}",
                               config.path().string(), key, !supported, config.text("model_type"),
                               supported));
}

Activation activation_choice(const JsonReader& config, std::string_view key,
                             std::string_view otherwise) {
  const std::string name = config.text(key, otherwise);
  std::vector<std::string_view> known;
  for (const auto& [spelling, value] : activations) {
    if (spelling == name) return value;
    known.push_back(spelling);
  }
  throw InputError(fmt::format("{}: '{}': '{}' is not supported; supported: {}",
                               config.path().string(), key, name, fmt::join(known, ", ")));
}

RotaryOptions rotary_choice(const JsonReader& config, Index channels, std::string_view base_key) {
  const std::string place = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  RotaryOptions rotary;
  rotary.channels = channels;
  rotary.base = positive_number(
      config, config.has(base_key) ? base_key : "rope_parameters.rope_theta", 10000.0);
  const std::string type =
      config.text(place + ".rope_type", config.text(place + ".type", "default"));
  const auto number = [&](std::string_view key, double otherwise) {
    return positive_number(config, fmt::format("{}.{}", place, key), otherwise);
  };
  if (type == "llama3") {
    rotary.scaling.factor = number("factor", 1.0);
    rotary.scaling.low_frequency_factor = number("low_freq_factor", 1.0);
    rotary.scaling.high_frequency_factor = number("high_freq_factor", 4.0);
    rotary.scaling.original_positions = number("original_max_position_embeddings", 8192.0);
  } else if (type == "linear") {
    rotary.scaling.factor = number("factor", 1.0);
    rotary.scaling.linear = true;
  } else if (type != "default") {
    throw InputError(
        fmt::format("{}: '{}.rope_type': '{}' is not supported; supported: default, "
                    "linear, llama3",
                    config.path().string(), place, type));
  }
  return rotary;
}

Index rotary_part(const JsonReader& config, Index head_channels, std::string_view key,
                  double otherwise) {
  const double part =
      config.number(key, config.number("rope_parameters.partial_rotary_factor",
                                       config.number("partial_rotary_factor", otherwise)));
  if (!(part > 0.0 && part <= 1.0)) {
    throw InputError(fmt::format("{}: '{}': expected a part in (0, 1] of each head, got {}",
                                 config.path().string(), key, part));
  }
  return static_cast<Index>(static_cast<double>(head_channels) * part);
}

double number_or_none(const JsonReader& config, std::string_view key, double otherwise) {
  return config.number(key, config.document().contains(key) ? 0.0 : otherwise);
}

std::int64_t integer_or_none(const JsonReader& config, std::string_view key,
                             std::int64_t otherwise) {
  return config.integer(key, config.document().contains(key) ? 0 : otherwise);
}

std::vector<Index> window_choice(const JsonReader& config, Index blocks, Index window,
                                 bool (*slides)(Index number)) {
  if (window < 0 || blocks > most_blocks) {
    throw InputError(fmt::format("{}: a window of {} tokens in {} blocks is not supported",
                                 config.path().string(), window, blocks));
  }
  std::vector<Index> windows;
  const auto& document = config.document();
  const auto types = document.find("layer_types");
  for (Index number = 0; number < blocks; ++number) {
    bool sliding = slides(number);
    if (types != document.end() && types->is_array()) {
      if (types->size() != static_cast<std::size_t>(blocks)) {
        throw InputError(fmt::format("{}: 'layer_types': expected {} entries, got {}",
                                     config.path().string(), blocks, types->size()));
      }
      const auto& type = (*types)[static_cast<std::size_t>(number)];
      sliding = type == "sliding_attention";
      if (!sliding && type != "full_attention") {
        throw InputError(
            fmt::format("{}: 'layer_types': {} is not supported; supported: "
                        "full_attention, sliding_attention",
                        config.path().string(), in_quotes(type.dump())));
      }
    }
    windows.push_back(sliding ? window : 0);
  }
  return windows;
}

Architecture usual_sizes(const JsonReader& config, std::string_view model_type) {
  Architecture model;
  model.model_type = model_type;
  model.channels = config.positive("hidden_size");
  model.blocks = config.positive("num_hidden_layers");
  model.heads = config.positive("num_attention_heads");
  model.key_value_heads = config.positive("num_key_value_heads", model.heads);
  model.head_channels = config.positive("head_dim", model.channels / model.heads);
  model.vocabulary = config.positive("vocab_size");
  model.positions = config.positive("max_position_embeddings", 2048);
  model.vocabulary_key = "vocab_size";
  model.positions_key = "max_position_embeddings";
  model.embedding.channels = model.channels;
  model.query_scale = 1.0F / std::sqrt(static_cast<float>(model.head_channels));
  return model;
}

void fuse_attention(Architecture& model, const std::string& module, FusedLayout layout, bool bias) {
  model.fused_attention = module;
  model.fused_layout = layout;
  for (const LinearRole role : {LinearRole::query, LinearRole::key, LinearRole::value}) {
    model.linears[index_of(role)] = {.name = module, .bias = bias};
  }
}

void give_attention_bias(Architecture& model, bool bias) {
  for (const LinearRole role :
       {LinearRole::query, LinearRole::key, LinearRole::value, LinearRole::output}) {
    model.linears[index_of(role)].bias = bias;
  }
}

Architecture gpt_like(const JsonReader& config, std::string_view model_type) {
  Architecture model;
  model.model_type = model_type;
  model.channels = config.positive("n_embd");
  model.embedding.channels = model.channels;
  model.ffn_channels = config.positive("n_inner", 4 * model.channels);
  model.blocks = config.positive("n_layer");
  model.heads = config.positive("n_head");
  model.key_value_heads = model.heads;
  model.head_channels = model.channels / model.heads;
  model.query_scale = 1.0F / std::sqrt(static_cast<float>(model.head_channels));
  model.vocabulary = config.positive("vocab_size");
  model.positions = config.positive("n_positions");
  model.vocabulary_key = "vocab_size";
  model.positions_key = "n_positions";
  model.prefixes = {"transformer.", ""};
  model.embedding.tokens = "wte";
  model.block = "h.";
  model.norm_epsilon = static_cast<float>(config.number("layer_norm_epsilon", 1e-5));
  model.norms[index_of(NormRole::attention_input)] = {"ln_1"};
  model.activation = activation_choice(config, "activation_function", "gelu_new");
  model.head.final_norm = "ln_f";
  model.head.logits = "lm_head";
  return model;
}

Architecture llama_like(const JsonReader& config, std::string_view model_type) {
  Architecture model = usual_sizes(config, model_type);
  model.ffn_channels = config.positive("intermediate_size");
  model.prefixes = {"model.", ""};
  model.embedding.tokens = "embed_tokens";
  model.block = "layers.";
  model.norm_kind = NormKind::rms;
  model.norm_epsilon = static_cast<float>(config.number("rms_norm_eps", 1e-6));
  model.norms[index_of(NormRole::attention_input)] = {"input_layernorm", false};
  model.norms[index_of(NormRole::mlp_input)] = {"post_attention_layernorm", false};
  model.linears[index_of(LinearRole::query)].name = "self_attn.q_proj";
  model.linears[index_of(LinearRole::key)].name = "self_attn.k_proj";
  model.linears[index_of(LinearRole::value)].name = "self_attn.v_proj";
  model.linears[index_of(LinearRole::output)].name = "self_attn.o_proj";
  model.linears[index_of(LinearRole::gate)].name = "mlp.gate_proj";
  model.linears[index_of(LinearRole::up)].name = "mlp.up_proj";
  model.linears[index_of(LinearRole::down)].name = "mlp.down_proj";
  model.activation = activation_choice(config, "hidden_act", "silu");
  model.position_kind = PositionKind::rotary;
  model.rotary = rotary_choice(config, model.head_channels);
  model.head.final_norm = "norm";
  model.head.logits = "lm_head";
  model.head.tied = config.boolean("tie_word_embeddings", false);
  return model;
}

}  // namespace evenkeel
