#!/usr/bin/env python3
"""Writes an OPT checkpoint of any size with random weights in fp16, and token ids or text for it.

    bench/synthetic_checkpoint.py FOLDER --blocks 24 --channels 2048 --vocabulary 50272
    bench/synthetic_checkpoint.py FOLDER --ids ids.safetensors --windows 16 --length 512

Weights are drawn as OPT's are initialised, N(0, 0.02), those that write to the residual divided by
the root of their number. A few channels of each norm have a gain 8 to 40 times that of the others
and a bias beside it, and the weights after it are divided by that gain: outlier channels of a model
whose function is plain. One tensor is in memory at a time. The same options give the same bytes.
Needs numpy.
"""
import argparse
import json
import math
import pathlib
import shutil
import struct

import numpy as np

SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>"]
DEVIATION = 0.02
OUTLIER_SHARE = 0.004  # of the channels, at least OUTLIERS
OUTLIERS = 4
DRAWN_AT_ONCE = 1 << 22  # elements


class Model:
    """Names, shapes and values of the tensors."""

    def __init__(self, options):
        self.options = options
        self.residual_scale = 1 / math.sqrt(2 * options.blocks)

    def random(self, *key):
        """A generator of its own for each tensor, whatever the order of writing."""
        return np.random.default_rng([self.options.seed, *key])

    def norm(self, block, norm):
        """Gain and bias of one norm."""
        channels = self.options.channels
        random = self.random(block, norm, 0)
        gain = 1 + 0.1 * random.standard_normal(channels, dtype=np.float32)
        bias = 0.1 * random.standard_normal(channels, dtype=np.float32)
        count = min(channels, max(OUTLIERS, round(OUTLIER_SHARE * channels)))
        which = random.choice(channels, count, replace=False)
        gain[which] = np.geomspace(8, 40, count, dtype=np.float32)
        bias[which] = gain[which] * random.uniform(-1.5, 1.5, count).astype(np.float32)
        return gain, bias

    def tensors(self):
        """Of the whole model: (name, shape, rows), where rows(first, last) gives float32 values."""
        options = self.options
        channels, ffn = options.channels, options.ffn
        key = 0

        def plain(rows, columns, deviation, gain=None):
            nonlocal key
            key += 1
            own = key

            def values(first, last):
                random = self.random(own, first, 1)
                drawn = deviation * random.standard_normal((last - first, columns),
                                                           dtype=np.float32)
                return drawn if gain is None else drawn / np.maximum(gain, 1)
            return [rows, columns], values

        def constant(vector):
            return [len(vector)], lambda first, last: vector[first:last]

        def linear(name, rows, columns, deviation=DEVIATION, gain=None):
            yield name + ".weight", *plain(rows, columns, deviation, gain)
            nonlocal key
            key += 1
            bias = DEVIATION * self.random(key, 0, 1).standard_normal(rows, dtype=np.float32)
            yield name + ".bias", *constant(bias)

        yield "embed_tokens.weight", *plain(options.vocabulary, channels, 1.0)
        yield "embed_positions.weight", *plain(options.positions + 2, channels, 0.1)
        for block in range(options.blocks):
            place = f"layers.{block}."
            gain, bias = self.norm(block, 0)
            yield place + "self_attn_layer_norm.weight", *constant(gain)
            yield place + "self_attn_layer_norm.bias", *constant(bias)
            for name in ("q_proj", "k_proj", "v_proj"):
                yield from linear(f"{place}self_attn.{name}", channels, channels, gain=gain)
            yield from linear(place + "self_attn.out_proj", channels, channels,
                              DEVIATION * self.residual_scale)
            gain, bias = self.norm(block, 1)
            yield place + "final_layer_norm.weight", *constant(gain)
            yield place + "final_layer_norm.bias", *constant(bias)
            yield from linear(place + "fc1", ffn, channels, gain=gain)
            yield from linear(place + "fc2", channels, ffn, DEVIATION * self.residual_scale)
        # Embedding and head are one matrix: small, or each token foretells itself.
        yield "final_layer_norm.weight", *constant(
            np.full(channels, 0.1 / math.sqrt(channels), dtype=np.float32))
        yield "final_layer_norm.bias", *constant(np.zeros(channels, dtype=np.float32))


def write_safetensors(path, entries):
    """entries: (name, dtype, shape, write(file))."""
    header, offset = {}, 0
    for name, dtype, shape, _ in entries:
        size = math.prod(shape) * {"F16": 2, "I32": 4}[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, _, write in entries:
            write(file)


def write_weights(path, options):
    def writer(shape, values):
        step = max(1, DRAWN_AT_ONCE // math.prod(shape[1:]))

        def write(file):
            for first in range(0, shape[0], step):
                part = values(first, min(first + step, shape[0]))
                file.write(part.astype("<f2").tobytes())
        return write

    write_safetensors(path, [("model.decoder." + name, "F16", shape, writer(shape, values))
                             for name, shape, values in Model(options).tensors()])


def config_of(options):
    return {
        "architectures": ["OPTForCausalLM"], "model_type": "opt", "torch_dtype": "float16",
        "activation_function": "relu", "do_layer_norm_before": True, "enable_bias": True,
        "layer_norm_elementwise_affine": True, "tie_word_embeddings": True,
        "hidden_size": options.channels, "word_embed_proj_dim": options.channels,
        "ffn_dim": options.ffn, "num_attention_heads": options.heads,
        "num_hidden_layers": options.blocks, "max_position_embeddings": options.positions,
        "vocab_size": options.vocabulary, "bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1,
        "dropout": 0.0, "attention_dropout": 0.0, "layerdrop": 0.0, "init_std": DEVIATION,
        "use_cache": True}


def byte_symbols():
    """The printable character that stands for each byte in a byte-level vocabulary."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return [chr(byte) for byte in plain] + [chr(256 + i) for i in range(len(others))]


def byte_tokenizer():
    """Byte-level BPE without a merge: one token a byte."""
    tokens = SPECIAL_TOKENS + byte_symbols()
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                  "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": token, "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False, "special": True}
                         for i, token in enumerate(SPECIAL_TOKENS)],
        "normalizer": None, "pre_tokenizer": byte_level, "post_processor": byte_level,
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None,
                  "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
                  "byte_fallback": False, "ignore_merges": False,
                  "vocab": {token: i for i, token in enumerate(tokens)}, "merges": []}}


def write_checkpoint(options):
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_of(options), indent=2) + "\n")
    if options.tokenizer:
        shutil.copyfile(options.tokenizer, folder / "tokenizer.json")
    else:
        (folder / "tokenizer.json").write_text(json.dumps(byte_tokenizer()))
    write_weights(folder / "model.safetensors", options)


def zipf(random, count, size):
    """Ranks below `size`, rank r with a probability like 1 / (r + 2.7), as words have."""
    weights = np.cumsum(1 / (np.arange(size) + 2.7))
    return np.searchsorted(weights, random.uniform(0, weights[-1], count)).clip(0, size - 1)


def write_ids(options):
    """input_ids [windows, length], no special token among them."""
    special = len(SPECIAL_TOKENS)
    count = options.windows * options.length
    ids = zipf(np.random.default_rng([options.seed, 2]), count, options.vocabulary - special)
    data = (ids + special).astype("<i4").tobytes()
    write_safetensors(options.ids, [("input_ids", "I32", [options.windows, options.length],
                                     lambda file: file.write(data))])


def write_text(options):
    """Words of random letters in lines of 12; each word as often as its rank says."""
    random = np.random.default_rng([options.seed, 3])
    letters = np.array(list("etaoinshrdlcumwfgypbvk"))
    words = ["".join(random.choice(letters, length)) for length in random.integers(2, 10, 20000)]
    text = [words[rank] for rank in zipf(random, options.text_bytes // 5, len(words))]
    lines = [" ".join(text[i:i + 12]) + ".\n" for i in range(0, len(text), 12)]
    options.text.write_text("".join(lines)[:options.text_bytes])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="the checkpoint, made or overwritten")
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--channels", type=int, default=512)
    parser.add_argument("--ffn", type=int, help="4 x channels")
    parser.add_argument("--heads", type=int, help="one for 64 channels")
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--positions", type=int, default=2048)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tokenizer", type=pathlib.Path,
                        help="tokenizer.json to copy; without it a token is a byte")
    parser.add_argument("--ids", type=pathlib.Path, help="write token ids here (.safetensors)")
    parser.add_argument("--windows", type=int, default=16, help="of the ids")
    parser.add_argument("--length", type=int, default=512, help="tokens of each window")
    parser.add_argument("--text", type=pathlib.Path, help="write random words here (.txt)")
    parser.add_argument("--text-bytes", type=int, default=1 << 20)
    options = parser.parse_args()
    options.ffn = options.ffn or 4 * options.channels
    options.heads = options.heads or max(1, options.channels // 64)
    least = len(SPECIAL_TOKENS) + 256
    if options.channels % options.heads:
        parser.error("--heads must divide --channels")
    if min(options.blocks, options.positions, options.windows, options.length) < 1:
        parser.error("sizes must be positive")
    if options.vocabulary < least:
        parser.error(f"--vocabulary must be at least {least}: special tokens and one for each byte")
    write_checkpoint(options)
    if options.ids:
        write_ids(options)
    if options.text:
        write_text(options)


if __name__ == "__main__":
    main()
