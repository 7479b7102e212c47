// BLOOM and BLOOMZ (Le Scao et al. 2022): ALiBi, a norm of the embedding, fused query, key and
// value by head.
#include <cmath>

#include "model/config_choices.h"
#include "model/families.h"

namespace evenkeel {

Architecture describe_bloom(const JsonReader& config) {
  require_choice(config, "apply_residual_connection_post_layernorm", false, false);
  Architecture model;
  model.model_type = "bloom";
  model.channels = config.positive("hidden_size", config.positive("n_embed", 64));
  model.embedding.channels = model.channels;
  model.ffn_channels = 4 * model.channels;
  model.blocks = config.positive("n_layer", config.positive("num_hidden_layers", 2));
  model.heads = config.positive("n_head", config.positive("num_attention_heads", 8));
  model.key_value_heads = model.heads;
  model.head_channels = model.channels / model.heads;
  model.query_scale = 1.0F / std::sqrt(static_cast<float>(model.head_channels));
  model.vocabulary = config.positive("vocab_size");
  model.vocabulary_key = "vocab_size";
  model.prefixes = {"transformer.", ""};
  model.embedding.tokens = "word_embeddings";
  model.embedding.norm = "word_embeddings_layernorm";
  model.position_kind = PositionKind::alibi;
  model.block = "h.";
  model.norm_epsilon = static_cast<float>(config.number("layer_norm_epsilon", 1e-5));
  model.norms[index_of(NormRole::attention_input)] = {"input_layernorm"};
  model.norms[index_of(NormRole::mlp_input)] = {"post_attention_layernorm"};
  fuse_attention(model, "self_attention.query_key_value", FusedLayout::by_group, true);
  model.linears[index_of(LinearRole::output)] = {.name = "self_attention.dense", .bias = true};
  model.linears[index_of(LinearRole::up)] = {.name = "mlp.dense_h_to_4h", .bias = true};
  model.linears[index_of(LinearRole::down)] = {.name = "mlp.dense_4h_to_h", .bias = true};
  model.activation = Activation::gelu_tanh;
  model.head.final_norm = "ln_f";
  model.head.logits = "lm_head";
  model.head.tied = config.boolean("tie_word_embeddings", true);
  return model;
}

}  // namespace evenkeel
