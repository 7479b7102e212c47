"""Makes GGUF files of Hugging Face checkpoints as the published converter does."""
import json
import pathlib
import re

import gguf
import numpy as np
import safetensors.numpy


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


LLAMA = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
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


def gguf_name(name):
    module, suffix = name.rsplit(".", 1)
    block = re.fullmatch(r"model\.layers\.(\d+)\.(.*)", module)
    if block:
        return f"blk.{block[1]}.{LLAMA[block[2]]}.{suffix}"
    return f"{LLAMA[module]}.{suffix}"


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


def llama_tensors(config, tensors):
    """Tensors under GGUF's names: rows interleaved for the llama architecture, experts stacked."""
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
        converted[gguf_name(name)] = values
    for name, stack in experts.items():
        converted[name] = np.stack([stack[i] for i in sorted(stack)])
    if (config.get("rope_scaling") or {}).get("rope_type") == "llama3":
        converted["rope_freqs.weight"] = llama3_divisors(config)
    return converted


def add_llama_keys(writer, config):
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    rope = config.get("rope_parameters") or config
    writer.add_rope_freq_base(rope.get("rope_theta", config.get("rope_theta", 10000.0)))
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    writer.add_rope_dimension_count(head)
    if config["model_type"] == "qwen3" or config.get("head_dim"):
        writer.add_key_length(head)
        writer.add_value_length(head)
    if config["model_type"] == "mixtral":
        writer.add_expert_count(config["num_local_experts"])
        writer.add_expert_used_count(config["num_experts_per_tok"])
    if config["model_type"] in ("mistral", "mixtral") and config.get("sliding_window"):
        writer.add_sliding_window(config["sliding_window"])


ARCHITECTURES = {"llama": "llama", "mistral": "llama", "mixtral": "llama", "qwen2": "qwen2",
                 "qwen3": "qwen3"}


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
    """Bytes of one tensor, and what they decode to. Vectors stay float32, as in the converter."""
    if values.ndim < 2 or dtype == gguf.GGMLQuantizationType.F32:
        return values, values, gguf.GGMLQuantizationType.F32
    stored = gguf.quants.quantize(values, dtype)
    return stored, gguf.quants.dequantize(stored, dtype), dtype


def write_gguf(path, config, tensors, dtype=gguf.GGMLQuantizationType.F32, tokenizer=None):
    """Writes the file; returns the tensors, under GGUF's names, that its bytes decode to.
    `tokenizer(writer)` adds one."""
    writer = gguf.GGUFWriter(path, ARCHITECTURES[config["model_type"]])
    add_llama_keys(writer, config)
    if tokenizer:
        tokenizer(writer)
    decoded = {}
    for name, values in llama_tensors(config, tensors).items():
        stored, decoded[name], used = quantized(values, dtype)
        writer.add_tensor(name, stored, raw_dtype=used)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return decoded
