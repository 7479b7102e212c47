"""Makes GGUF files of Hugging Face checkpoints as the published converter does."""
import json
import pathlib
import re

import gguf
import numpy as np
import safetensors.numpy

import gguf_k_types as k_types


def read_checkpoint(folder):
    """config, and float32 tensors by name."""
    folder = pathlib.Path(folder)
    tensors = {}
    for shard in sorted(folder.glob("model*.safetensors")):
        for name, values in safetensors.numpy.load_file(shard).items():
            tensors[name] = values.astype(np.float32)
    return json.loads((folder / "config.json").read_text()), tensors


def permuted(rows, heads):
    """As LlamaModel.permute of the converter."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def restored(rows, heads):
    """What `permuted` was given."""
    pairs = rows.reshape(heads, rows.shape[0] // heads // 2, 2, *rows.shape[1:])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


# Modules of each family: those of the whole model, the prefix of a block, those of a block.
LLAMA_BLOCK = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "block_sparse_moe.gate": "ffn_gate_inp",
}
LLAMA = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
FUSED_BLOCK = {
    "input_layernorm": "attn_norm",
    "attention.query_key_value": "attn_qkv",
    "attention.dense": "attn_output",
    "self_attention.query_key_value": "attn_qkv",
    "self_attention.dense": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.dense_h_to_4h": "ffn_up",
    "mlp.dense_4h_to_h": "ffn_down",
}
MODULES = {
    "gemma2": (LLAMA, "model.layers.", {
        **LLAMA_BLOCK, "post_attention_layernorm": "post_attention_norm",
        "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm"}),
    "phi": ({**LLAMA, "model.final_layernorm": "output_norm"}, "model.layers.", {
        **LLAMA_BLOCK, "self_attn.dense": "attn_output", "mlp.fc1": "ffn_up",
        "mlp.fc2": "ffn_down"}),
    "gpt_neox": ({"gpt_neox.embed_in": "token_embd", "embed_out": "output",
                  "gpt_neox.final_layer_norm": "output_norm"}, "gpt_neox.layers.", FUSED_BLOCK),
    "bloom": ({"transformer.word_embeddings": "token_embd", "transformer.ln_f": "output_norm",
               "transformer.word_embeddings_layernorm": "token_embd_norm"}, "transformer.h.",
              FUSED_BLOCK),
}


def gguf_name(name, model_type):
    whole, prefix, of_block = MODULES.get(model_type, (LLAMA, "model.layers.", LLAMA_BLOCK))
    module, suffix = name.rsplit(".", 1)
    block = re.fullmatch(re.escape(prefix) + r"(\d+)\.(.*)", module)
    if block:
        return f"blk.{block[1]}.{of_block[block[2]]}.{suffix}"
    return f"{whole[module]}.{suffix}"


def parts_together(rows, heads):
    """As GPTNeoXModel and BloomModel of the converter reorder query_key_value."""
    by_head = rows.reshape(heads, 3, rows.shape[0] // heads // 3, *rows.shape[1:])
    return by_head.swapaxes(0, 1).reshape(rows.shape)


def llama3_divisors(config):
    """rope_freqs, in float32 as the converter computes it."""
    rope = config["rope_scaling"]
    channels = config["head_dim"]
    base = np.float32(config["rope_theta"])
    exponents = np.arange(0, channels, 2, dtype=np.float32) / np.float32(channels)
    wavelengths = 2 * np.pi * base**exponents
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    original, factor = rope["original_max_position_embeddings"], rope["factor"]
    divisors = []
    for wavelength in wavelengths:
        if wavelength < original / high:
            divisors.append(1)
        elif wavelength > original / low:
            divisors.append(factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            divisors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(divisors, dtype=np.float32)


def converted_tensors(config, tensors):
    """Tensors under GGUF's names and in its order of rows; experts stacked."""
    interleaves = config["model_type"] in ("llama", "mistral", "mixtral")
    converted, experts = {}, {}
    for name, values in tensors.items():
        expert = re.fullmatch(
            r"model\.layers\.(\d+)\.block_sparse_moe\.experts\.(\d+)\.w([123])\.weight", name)
        if expert:
            kind = {"1": "gate", "2": "down", "3": "up"}[expert[3]]
            stack = experts.setdefault(f"blk.{expert[1]}.ffn_{kind}_exps.weight", {})
            stack[int(expert[2])] = values
            continue
        if name == "lm_head.weight" and config.get("tie_word_embeddings"):
            continue
        if interleaves and ".q_proj." in name:
            values = permuted(values, config["num_attention_heads"])
        if interleaves and ".k_proj." in name:
            values = permuted(values, config["num_key_value_heads"])
        if ".query_key_value." in name:
            values = parts_together(values, config.get("num_attention_heads") or config["n_head"])
        if config["model_type"] == "gemma2" and name.endswith("norm.weight"):
            values = values + 1
        converted[gguf_name(name, config["model_type"])] = values
    for name, stack in experts.items():
        converted[name] = np.stack([stack[i] for i in sorted(stack)])
    if (config.get("rope_scaling") or {}).get("rope_type") == "llama3":
        converted["rope_freqs.weight"] = llama3_divisors(config)
    return converted


def restored_llama(config, converted, names):
    """The tensors `names` of a llama out of what `converted_tensors` made of them."""
    tensors = {}
    for name in names:
        tensors[name] = converted[gguf_name(name, config["model_type"])]
        for module, heads in (("q_proj", "num_attention_heads"), ("k_proj", "num_key_value_heads")):
            if f".{module}." in name:
                tensors[name] = restored(tensors[name], config[heads])
    return tensors


def add_keys(writer, config):
    def first(*keys):
        return next((config[key] for key in keys if config.get(key) is not None), None)

    kind = config["model_type"]
    channels, heads = config["hidden_size"], first("num_attention_heads", "n_head")
    head = config.get("head_dim") or channels // heads
    writer.add_context_length(first("max_position_embeddings", "seq_length") or channels)
    writer.add_embedding_length(channels)
    writer.add_block_count(first("num_hidden_layers", "n_layer"))
    writer.add_feed_forward_length(first("intermediate_size") or 4 * channels)
    writer.add_head_count(heads)
    if kind != "gpt_neox":
        writer.add_head_count_kv(first("num_key_value_heads") or heads)
    if "rms_norm_eps" in config:
        writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    else:
        writer.add_layer_norm_eps(first("layer_norm_eps", "layer_norm_epsilon"))
    base = (config.get("rope_parameters") or config).get("rope_theta")
    if base and kind not in ("gpt_neox", "phi"):
        writer.add_rope_freq_base(base)
    if kind in ("phi", "gpt_neox"):
        writer.add_rope_dimension_count(int(first("rotary_pct", "partial_rotary_factor") * head))
    elif kind not in ("bloom", "gemma2", "cohere"):
        writer.add_rope_dimension_count(head)
    if config.get("head_dim"):
        writer.add_key_length(head)
        writer.add_value_length(head)
    if kind == "mixtral":
        writer.add_expert_count(config["num_local_experts"])
        writer.add_expert_used_count(config["num_experts_per_tok"])
    if kind in ("mistral", "mixtral", "gemma2") and config.get("sliding_window"):
        writer.add_sliding_window(config["sliding_window"])
    if kind == "gemma2":
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    if kind == "gpt_neox":
        writer.add_parallel_residual(config["use_parallel_residual"])
    if kind == "cohere":
        writer.add_logit_scale(config["logit_scale"])
        writer.add_rope_scaling_type(gguf.RopeScalingType.NONE)


ARCHITECTURES = {"llama": "llama", "mistral": "llama", "mixtral": "llama", "qwen2": "qwen2",
                 "qwen3": "qwen3", "gemma2": "gemma2", "cohere": "command-r", "phi": "phi2",
                 "gpt_neox": "gptneox", "bloom": "bloom"}


def add_byte_level_tokenizer(writer, document, pre):
    """The tokenizer.json of a byte-level BPE."""
    vocab = sorted(document["model"]["vocab"].items(), key=lambda item: item[1])
    special = {token["id"] for token in document["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([token for token, _ in vocab])
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control if id in special else normal for _, id in vocab])
    merges = document["model"]["merges"]
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])


def quantized(values, dtype):
    """Bytes of one tensor, and what they decode to. Vectors stay float32, as in the converter; rows
    that blocks of `dtype` do not divide take Q8_0, as published tools too fall back to blocks of
    32 there."""
    types = gguf.GGMLQuantizationType
    if values.ndim < 2 or dtype == types.F32:
        return values, values, types.F32
    if values.shape[-1] % gguf.GGML_QUANT_SIZES[dtype][0] != 0:
        dtype = types.Q8_0
    if dtype.name in k_types.ENCODERS:
        stored = k_types.encoded(values, dtype.name)
    else:
        stored = gguf.quants.quantize(values, dtype)
    return stored, gguf.quants.dequantize(stored, dtype), dtype


def write_gguf(path, config, tensors, dtype=gguf.GGMLQuantizationType.F32, tokenizer=None,
               more=()):
    """Writes the file; returns the tensors, under GGUF's names, that its bytes decode to.
    `tokenizer(writer)` adds one; `more`: names to bytes and types of further tensors."""
    writer = gguf.GGUFWriter(path, ARCHITECTURES[config["model_type"]])
    add_keys(writer, config)
    if tokenizer:
        tokenizer(writer)
    decoded = {}
    for name, values in converted_tensors(config, tensors).items():
        stored, decoded[name], used = quantized(values, dtype)
        writer.add_tensor(name, stored, raw_dtype=used)
    for name, (stored, used) in dict(more).items():
        writer.add_tensor(name, stored, raw_dtype=used)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return decoded
