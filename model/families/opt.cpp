#include "model/families/opt.h"

namespace evenkeel {

const Family& opt_family() {
  static const Family family{
      .model_type = "opt",
      .prefixes = {"model.decoder.", "decoder."},
      .token_embedding = "embed_tokens",
      .position_embedding = "embed_positions",
      .position_offset = 2,
      .block = "layers.",
      .norms = {"self_attn_layer_norm", "final_layer_norm"},
      .linears = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj",
                  "fc1", "fc2"},
      .final_norm = "final_layer_norm",
      .head = "lm_head",
      .config_channels = "hidden_size",
      .config_ffn_channels = "ffn_dim",
      .config_heads = "num_attention_heads",
      .config_blocks = "num_hidden_layers",
      .config_vocabulary = "vocab_size",
      .config_positions = "max_position_embeddings",
      .config_activation = "activation_function",
      .config_bias = "enable_bias",
      .norm_epsilon = 1e-5F,
      .tied_head = true,
      .required = {{"do_layer_norm_before", true, true},
                   {"layer_norm_elementwise_affine", true, true},
                   {"_remove_final_layer_norm", false, false}},
      .equal_to_channels = {"word_embed_proj_dim"},
  };
  return family;
}

}  // namespace evenkeel
