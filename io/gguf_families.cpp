#include <algorithm>
#include <cstdint>

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

// A norm's gain is 1 + weight; the file has the sum.
const std::vector<GgufModule> gemma2_modules{
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm", Change::one_added},
    {"blk.{}.attn_norm", "model.layers.{}.input_layernorm", Change::one_added},
    {"blk.{}.attn_q", "model.layers.{}.self_attn.q_proj"},
    {"blk.{}.attn_k", "model.layers.{}.self_attn.k_proj"},
    {"blk.{}.attn_v", "model.layers.{}.self_attn.v_proj"},
    {"blk.{}.attn_output", "model.layers.{}.self_attn.o_proj"},
    {"blk.{}.post_attention_norm", "model.layers.{}.post_attention_layernorm", Change::one_added},
    {"blk.{}.ffn_norm", "model.layers.{}.pre_feedforward_layernorm", Change::one_added},
    {"blk.{}.post_ffw_norm", "model.layers.{}.post_feedforward_layernorm", Change::one_added},
    {"blk.{}.ffn_gate", "model.layers.{}.mlp.gate_proj"},
    {"blk.{}.ffn_up", "model.layers.{}.mlp.up_proj"},
    {"blk.{}.ffn_down", "model.layers.{}.mlp.down_proj"}};

// No key says it: the head's channels, but in the model of 46 blocks the channels by head.
void add_gemma2_query_scale(nlohmann::ordered_json& config) {
  const std::int64_t by_head = config.value("hidden_size", std::int64_t{0}) /
                               std::max<std::int64_t>(1, config["num_attention_heads"]);
  config["query_pre_attn_scalar"] =
      config["num_hidden_layers"] == 46 ? by_head : config.value("head_dim", by_head);
}

const std::vector<GgufKey> layer_norm_keys =
    joined({{".context_length", "max_position_embeddings"},
            {".embedding_length", "hidden_size"},
            {".block_count", "num_hidden_layers"},
            {".feed_forward_length", "intermediate_size"},
            {".attention.head_count", "num_attention_heads"},
            {".attention.layer_norm_epsilon", "layer_norm_eps", Kind::number}},
           special_tokens);

const std::vector<GgufKey> bloom_keys =
    joined({{".context_length", "seq_length"},
            {".embedding_length", "hidden_size"},
            {".block_count", "n_layer"},
            {".attention.head_count", "n_head"},
            {".attention.layer_norm_epsilon", "layer_norm_epsilon", Kind::number}},
           special_tokens);

const std::vector<GgufModule> phi2_modules{
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.final_layernorm"},
    {"output", "lm_head"},
    {"blk.{}.attn_norm", "model.layers.{}.input_layernorm"},
    {"blk.{}.attn_q", "model.layers.{}.self_attn.q_proj"},
    {"blk.{}.attn_k", "model.layers.{}.self_attn.k_proj"},
    {"blk.{}.attn_v", "model.layers.{}.self_attn.v_proj"},
    {"blk.{}.attn_output", "model.layers.{}.self_attn.dense"},
    {"blk.{}.ffn_up", "model.layers.{}.mlp.fc1"},
    {"blk.{}.ffn_down", "model.layers.{}.mlp.fc2"}};

const std::vector<GgufModule> gptneox_modules{
    {"token_embd", "gpt_neox.embed_in"},
    {"output_norm", "gpt_neox.final_layer_norm"},
    {"output", "embed_out"},
    {"blk.{}.attn_norm", "gpt_neox.layers.{}.input_layernorm"},
    {"blk.{}.attn_qkv", "gpt_neox.layers.{}.attention.query_key_value", Change::fused_rows},
    {"blk.{}.attn_output", "gpt_neox.layers.{}.attention.dense"},
    {"blk.{}.ffn_norm", "gpt_neox.layers.{}.post_attention_layernorm"},
    {"blk.{}.ffn_up", "gpt_neox.layers.{}.mlp.dense_h_to_4h"},
    {"blk.{}.ffn_down", "gpt_neox.layers.{}.mlp.dense_4h_to_h"}};

const std::vector<GgufModule> bloom_modules{
    {"token_embd", "transformer.word_embeddings"},
    {"token_embd_norm", "transformer.word_embeddings_layernorm"},
    {"output_norm", "transformer.ln_f"},
    {"output", "lm_head"},
    {"blk.{}.attn_norm", "transformer.h.{}.input_layernorm"},
    {"blk.{}.attn_qkv", "transformer.h.{}.self_attention.query_key_value", Change::fused_rows},
    {"blk.{}.attn_output", "transformer.h.{}.self_attention.dense"},
    {"blk.{}.ffn_norm", "transformer.h.{}.post_attention_layernorm"},
    {"blk.{}.ffn_up", "transformer.h.{}.mlp.dense_h_to_4h"},
    {"blk.{}.ffn_down", "transformer.h.{}.mlp.dense_4h_to_h"}};

const std::vector<GgufConstant> silu{{"hidden_act", R"("silu")"}};

const std::vector<GgufPresence> llama_presences =
    joined(tied_head, {{"blk.0.attn_q.bias", "attention_bias"}, {"blk.0.ffn_up.bias", "mlp_bias"}});

const std::vector<GgufPresence> qwen3_presences =
    joined(tied_head, {{"blk.0.attn_q.bias", "attention_bias"}});

}  // namespace

const std::vector<GgufFamily>& gguf_families() {
  static const std::vector<GgufFamily> families{
      {"llama", ".expert_count", "mixtral", "MixtralForCausalLM",
       joined(llama_keys, {{".expert_count", "num_local_experts"},
                           {".expert_used_count", "num_experts_per_tok"},
                           {".attention.sliding_window", "sliding_window", Kind::count, false}}),
       silu, tied_head, joined(llama_modules, mixtral_modules)},
      {"llama", ".attention.sliding_window", "mistral", "MistralForCausalLM",
       joined(llama_keys, {{".attention.sliding_window", "sliding_window"}}), silu, tied_head,
       llama_modules},
      {"llama", "", "llama", "LlamaForCausalLM", llama_keys, silu, llama_presences, llama_modules},
      {"qwen2", "", "qwen2", "Qwen2ForCausalLM", llama_keys, silu, tied_head, qwen_modules},
      {"qwen3", "", "qwen3", "Qwen3ForCausalLM", llama_keys, silu, qwen3_presences, qwen_modules},
      {"gemma2",
       "",
       "gemma2",
       "Gemma2ForCausalLM",
       joined(llama_keys, {{".attention.sliding_window", "sliding_window"},
                           {".attn_logit_softcapping", "attn_logit_softcapping", Kind::number},
                           {".final_logit_softcapping", "final_logit_softcapping", Kind::number}}),
       {{"hidden_activation", R"("gelu_pytorch_tanh")"}, {"tie_word_embeddings", "true"}},
       {},
       gemma2_modules,
       "",
       add_gemma2_query_scale},
      {"command-r",
       "",
       "cohere",
       "CohereForCausalLM",
       joined(layer_norm_keys, {{".attention.head_count_kv", "num_key_value_heads"},
                                {".rope.freq_base", "rope_theta", Kind::number, false},
                                {".logit_scale", "logit_scale", Kind::number}}),
       joined(silu, {{"tie_word_embeddings", "true"}}),
       {{"blk.0.attn_q_norm.weight", "use_qk_norm"}},
       qwen_modules},
      {"phi2",
       "",
       "phi",
       "PhiForCausalLM",
       joined(layer_norm_keys, {{".attention.head_count_kv", "num_key_value_heads"},
                                {".rope.freq_base", "rope_theta", Kind::number, false}}),
       {{"hidden_act", R"("gelu_new")"}},
       tied_head,
       phi2_modules,
       "partial_rotary_factor"},
      {"gptneox",
       "",
       "gpt_neox",
       "GPTNeoXForCausalLM",
       joined(layer_norm_keys, {{".use_parallel_residual", "use_parallel_residual", Kind::flag},
                                {".rope.freq_base", "rotary_emb_base", Kind::number, false}}),
       {{"hidden_act", R"("gelu")"}},
       tied_head,
       gptneox_modules,
       "rotary_pct"},
      {"bloom", "", "bloom", "BloomForCausalLM", bloom_keys, {}, tied_head, bloom_modules}};
  return families;
}

}  // namespace evenkeel
