#include "io/gguf_family.h"

namespace evenkeel {
namespace {

using Kind = GgufKey::Kind;
using Change = GgufModule::Change;

template <class Rule>
std::vector<Rule> joined(std::vector<Rule> rules, const std::vector<Rule>& more) {
  rules.insert(rules.end(), more.begin(), more.end());
  return rules;
}

const std::vector<GgufKey> special_tokens{
    {"tokenizer.ggml.bos_token_id", "bos_token_id", Kind::count, false},
    {"tokenizer.ggml.eos_token_id", "eos_token_id", Kind::count, false}};

const std::vector<GgufKey> llama_keys =
    joined({{".context_length", "max_position_embeddings"},
            {".embedding_length", "hidden_size"},
            {".block_count", "num_hidden_layers"},
            {".feed_forward_length", "intermediate_size"},
            {".attention.head_count", "num_attention_heads"},
            {".attention.head_count_kv", "num_key_value_heads", Kind::count, false},
            {".attention.key_length", "head_dim", Kind::count, false},
            {".attention.layer_norm_rms_epsilon", "rms_norm_eps", Kind::number},
            {".rope.freq_base", "rope_theta", Kind::number, false}},
           special_tokens);

const std::vector<GgufPresence> tied_head{{"output.weight", "tie_word_embeddings", false}};

const std::vector<GgufModule> llama_modules{
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
    {"rope_freqs", "", Change::left_out},
    {"blk.{}.attn_rot_embd", "", Change::left_out},
    {"blk.{}.attn_norm", "model.layers.{}.input_layernorm"},
    {"blk.{}.attn_q", "model.layers.{}.self_attn.q_proj", Change::query_rows},
    {"blk.{}.attn_k", "model.layers.{}.self_attn.k_proj", Change::key_rows},
    {"blk.{}.attn_v", "model.layers.{}.self_attn.v_proj"},
    {"blk.{}.attn_output", "model.layers.{}.self_attn.o_proj"},
    {"blk.{}.ffn_norm", "model.layers.{}.post_attention_layernorm"},
    {"blk.{}.ffn_gate", "model.layers.{}.mlp.gate_proj"},
    {"blk.{}.ffn_up", "model.layers.{}.mlp.up_proj"},
    {"blk.{}.ffn_down", "model.layers.{}.mlp.down_proj"}};

// Stacked, and one tensor for each expert as older files have them.
const std::vector<GgufModule> mixtral_modules{
    {"blk.{}.ffn_gate_inp", "model.layers.{}.block_sparse_moe.gate"},
    {"blk.{}.ffn_gate_exps", "model.layers.{}.block_sparse_moe.experts.{}.w1", Change::experts},
    {"blk.{}.ffn_down_exps", "model.layers.{}.block_sparse_moe.experts.{}.w2", Change::experts},
    {"blk.{}.ffn_up_exps", "model.layers.{}.block_sparse_moe.experts.{}.w3", Change::experts},
    {"blk.{}.ffn_gate.{}", "model.layers.{}.block_sparse_moe.experts.{}.w1"},
    {"blk.{}.ffn_down.{}", "model.layers.{}.block_sparse_moe.experts.{}.w2"},
    {"blk.{}.ffn_up.{}", "model.layers.{}.block_sparse_moe.experts.{}.w3"}};

// NeoX's order of rotated pairs is the checkpoint's, so nothing was interleaved.
const std::vector<GgufModule> qwen_modules{
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
    {"blk.{}.attn_norm", "model.layers.{}.input_layernorm"},
    {"blk.{}.attn_q", "model.layers.{}.self_attn.q_proj"},
    {"blk.{}.attn_k", "model.layers.{}.self_attn.k_proj"},
    {"blk.{}.attn_v", "model.layers.{}.self_attn.v_proj"},
    {"blk.{}.attn_output", "model.layers.{}.self_attn.o_proj"},
    {"blk.{}.attn_q_norm", "model.layers.{}.self_attn.q_norm"},
    {"blk.{}.attn_k_norm", "model.layers.{}.self_attn.k_norm"},
    {"blk.{}.ffn_norm", "model.layers.{}.post_attention_layernorm"},
    {"blk.{}.ffn_gate", "model.layers.{}.mlp.gate_proj"},
    {"blk.{}.ffn_up", "model.layers.{}.mlp.up_proj"},
    {"blk.{}.ffn_down", "model.layers.{}.mlp.down_proj"}};

const std::vector<GgufConstant> silu{{"hidden_act", R"("silu")"}};

const std::vector<GgufPresence> llama_presences =
    joined(tied_head, {{"blk.0.attn_q.bias", "attention_bias"}, {"blk.0.ffn_up.bias", "mlp_bias"}});

}  // namespace

const std::vector<GgufFamily>& gguf_families() {
  static const std::vector<GgufFamily> families{
      {"llama", ".expert_count", "mixtral", "MixtralForCausalLM",
       joined(llama_keys, {{".expert_count", "num_local_experts"},
                           {".expert_used_count", "num_experts_per_tok"},
                           {".attention.sliding_window", "sliding_window", Kind::count, false}}),
       silu, tied_head, joined(llama_modules, mixtral_modules), ""},
      {"llama", ".attention.sliding_window", "mistral", "MistralForCausalLM",
       joined(llama_keys, {{".attention.sliding_window", "sliding_window"}}), silu, tied_head,
       llama_modules, ""},
      {"llama", "", "llama", "LlamaForCausalLM", llama_keys, silu, llama_presences, llama_modules,
       ""},
      {"qwen2", "", "qwen2", "Qwen2ForCausalLM", llama_keys, silu, tied_head, qwen_modules, ""},
      {"qwen3", "", "qwen3", "Qwen3ForCausalLM", llama_keys, silu,
       joined(tied_head, {{"blk.0.attn_q.bias", "attention_bias"}}), qwen_modules, ""}};
  return families;
}

}  // namespace evenkeel
