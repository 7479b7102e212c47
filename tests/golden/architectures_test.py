#!/usr/bin/env python3
"""Every family's forward against transformers, at other sizes and seeds than ../shared/golden.

transformers makes a random checkpoint of each case, runs it, and saves both; `calibrate verify`
then compares logits and every hidden state. The figure held is that of the golden files.
Exit status 77: torch or transformers (too large for tests/requirements.txt) or the command is
absent.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

COMMAND = os.environ.get("EVENKEEL_CALIBRATE", "")
SKIPPED = 77
TOLERANCE = "2e-5"  # of the largest: what two forwards in float32 may differ by
SAMPLES, TOKENS, PADDING = 3, 23, 6
VOCABULARY = 131


def why_not():
    """What is missing for this test, or nothing."""
    try:
        import safetensors.torch  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as missing:
        return f"needs the PyPI packages torch, transformers and safetensors ({missing})"
    if not os.access(COMMAND, os.X_OK):
        return "needs EVENKEEL_CALIBRATE to name the built command"
    return None


def llama_like(**changes):
    """Settings that LLaMA and its kin share: three blocks, heads of 10 channels."""
    return {"hidden_size": 60, "intermediate_size": 44, "num_hidden_layers": 3,
            "num_attention_heads": 6, "num_key_value_heads": 3, "max_position_embeddings": 77,
            **changes}


def encoder(**changes):
    return {"hidden_size": 36, "intermediate_size": 50, "num_hidden_layers": 3,
            "num_attention_heads": 3, "max_position_embeddings": 41, **changes}


def gpt(**changes):
    return {"n_embd": 42, "n_layer": 3, "n_head": 3, "n_positions": 37, **changes}


def bloom(heads):
    return {"hidden_size": 10 * heads, "n_layer": 3, "n_head": heads}


def falcon(**changes):
    return {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 6, "alibi": False,
            **changes}


def opt(**changes):
    return {"hidden_size": 30, "word_embed_proj_dim": 30, "ffn_dim": 52, "num_hidden_layers": 3,
            "num_attention_heads": 5, "max_position_embeddings": 39, **changes}


def neox(**changes):
    return {"hidden_size": 60, "intermediate_size": 44, "num_hidden_layers": 3,
            "num_attention_heads": 5, "max_position_embeddings": 77, **changes}


def rope(kind, **changes):
    return {"rope_type": kind, "rope_theta": 5000.0, **changes}


# Low enough that at these lengths some frequencies are kept, some stretched, some in between.
LLAMA3 = rope("llama3", factor=5.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
THREE_WINDOWS = ["sliding_attention", "full_attention", "sliding_attention"]

# By name: transformers' class and what its config is given.
CASES = {
    "llama": ("LlamaForCausalLM", llama_like()),
    "llama-one-key": ("LlamaForCausalLM", llama_like(
        num_attention_heads=4, num_key_value_heads=1, head_dim=14, tie_word_embeddings=True)),
    "llama-all-keys": ("LlamaForCausalLM", llama_like(num_key_value_heads=6)),
    "llama-biases": ("LlamaForCausalLM", llama_like(
        num_attention_heads=12, num_key_value_heads=3, head_dim=10, attention_bias=True,
        mlp_bias=True, rms_norm_eps=1e-3)),
    "llama-llama3": ("LlamaForCausalLM", llama_like(head_dim=16, rope_parameters=LLAMA3)),
    "llama-linear": ("LlamaForCausalLM", llama_like(rope_parameters=rope("linear", factor=3.0))),
    "mistral": ("MistralForCausalLM", llama_like(sliding_window=5)),
    "mistral-wide": ("MistralForCausalLM", llama_like(sliding_window=None, head_dim=12,
                                                      tie_word_embeddings=True)),
    "mixtral": ("MixtralForCausalLM", llama_like(
        sliding_window=7, num_local_experts=5, num_experts_per_tok=3)),
    "mixtral-one": ("MixtralForCausalLM", llama_like(
        num_local_experts=3, num_experts_per_tok=1, num_key_value_heads=6)),
    "qwen2": ("Qwen2ForCausalLM", llama_like(tie_word_embeddings=True)),
    "qwen2-windows": ("Qwen2ForCausalLM", llama_like(
        use_sliding_window=True, sliding_window=6, max_window_layers=1)),
    "qwen3": ("Qwen3ForCausalLM", llama_like(head_dim=14, tie_word_embeddings=True)),
    "qwen3-biases": ("Qwen3ForCausalLM", llama_like(
        head_dim=6, num_attention_heads=4, num_key_value_heads=1, attention_bias=True)),
    "gemma2": ("Gemma2ForCausalLM", llama_like(
        sliding_window=4, head_dim=6, query_pre_attn_scalar=9, attn_logit_softcapping=4.0,
        final_logit_softcapping=6.0)),
    "gemma2-windows": ("Gemma2ForCausalLM", llama_like(
        sliding_window=3, head_dim=10, layer_types=THREE_WINDOWS[1:] + ["full_attention"],
        attn_logit_softcapping=None, final_logit_softcapping=None, num_key_value_heads=6)),
    "cohere": ("CohereForCausalLM", llama_like(logit_scale=0.3, attention_bias=True)),
    "cohere-norms": ("CohereForCausalLM", llama_like(use_qk_norm=True, tie_word_embeddings=False)),
    "phi": ("PhiForCausalLM", llama_like(num_attention_heads=5, num_key_value_heads=5,
                                         partial_rotary_factor=0.5)),
    "phi-shared": ("PhiForCausalLM", llama_like(
        num_attention_heads=4, num_key_value_heads=2, hidden_size=64, partial_rotary_factor=0.25,
        hidden_act="gelu")),
    "gpt_neox": ("GPTNeoXForCausalLM", neox(rotary_pct=0.5)),
    "gpt_neox-sequential": ("GPTNeoXForCausalLM", neox(
        rotary_pct=1.0, use_parallel_residual=False, attention_bias=False,
        tie_word_embeddings=True)),
    "gptj": ("GPTJForCausalLM", gpt(rotary_dim=6, n_inner=50)),
    "gptj-all": ("GPTJForCausalLM", gpt(rotary_dim=14)),
    "gpt2": ("GPT2LMHeadModel", gpt()),
    "gpt2-untied": ("GPT2LMHeadModel", gpt(n_inner=33, tie_word_embeddings=False,
                                           activation_function="relu")),
    "bloom-six": ("BloomForCausalLM", bloom(6)),
    "bloom-three": ("BloomForCausalLM", bloom(3)),
    "bloom-one": ("BloomForCausalLM", bloom(1)),
    "bloom-eight": ("BloomForCausalLM", bloom(8)),
    "falcon-7b": ("FalconForCausalLM", falcon()),
    "falcon-7b-biases": ("FalconForCausalLM", falcon(bias=True, tie_word_embeddings=False,
                                                     ffn_hidden_size=50)),
    "falcon-40b": ("FalconForCausalLM", falcon(new_decoder_architecture=True, num_kv_heads=2)),
    "falcon-11b": ("FalconForCausalLM", falcon(
        new_decoder_architecture=True, num_kv_heads=3, num_ln_in_parallel_attn=1)),
    "opt": ("OPTForCausalLM", opt()),
    "opt-plain": ("OPTForCausalLM", opt(enable_bias=False, activation_function="gelu",
                                        tie_word_embeddings=False)),
    "opt-after": ("OPTForCausalLM", opt(do_layer_norm_before=False)),
    "opt-projected": ("OPTForCausalLM", opt(do_layer_norm_before=False, word_embed_proj_dim=18)),
    "bert-classification": ("BertForSequenceClassification", encoder(num_labels=5)),
    "bert-masked": ("BertForMaskedLM", encoder(type_vocab_size=3, hidden_act="relu")),
    "roberta-classification": ("RobertaForSequenceClassification", encoder(
        num_labels=4, type_vocab_size=1, pad_token_id=1)),
    "roberta-masked": ("RobertaForMaskedLM", encoder(type_vocab_size=2, pad_token_id=1,
                                                     hidden_act="gelu_new")),
}
# Positions that are counted over the mask: padding may also stand on the left.
LEFT_PADDED = ("OPT", "Bloom")


def randomize(model, seed):
    """Weights for which every part of a block matters: no zeros, no ones."""
    import torch

    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, values in sorted(model.named_parameters()):
            noise = torch.randn(values.shape, generator=random)
            if values.dim() > 1 and "norm" not in name:
                embedding = "emb" in name or "wte" in name or "wpe" in name
                values.copy_(0.7 * noise if embedding else noise / values.shape[-1]**0.5)
            elif name.endswith("bias"):
                values.copy_(0.3 * noise)
            else:
                values.copy_(1.0 + 0.3 * noise)


def inputs_of(kind, config, seed):
    """Token ids, a mask with padding, token types where the model has several."""
    import torch

    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, VOCABULARY, (SAMPLES, TOKENS), generator=random)
    mask = torch.ones_like(ids)
    mask[1, TOKENS - PADDING:] = 0
    if kind.startswith(LEFT_PADDED):
        mask[2, :PADDING] = 0
    ids[mask == 0] = 1
    inputs = {"input_ids": ids, "attention_mask": mask}
    types = getattr(config, "type_vocab_size", 0)
    if types > 1:
        inputs["token_type_ids"] = torch.randint(0, types, ids.shape, generator=random)
    return inputs


def write_case(folder, kind, settings, seed):
    """The checkpoint and golden.safetensors, laid out as ../shared/golden/README.md says."""
    import torch
    import transformers
    from safetensors.torch import save_file

    model_class = getattr(transformers, kind)
    config = model_class.config_class(
        vocab_size=VOCABULARY, attn_implementation="eager",
        **{"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 1, **settings})
    model = model_class(config).eval().float()
    randomize(model, seed)
    inputs = inputs_of(kind, config, seed)
    with torch.no_grad():
        logits = model(**inputs).logits
        states = model.base_model(**inputs, output_hidden_states=True)
    hidden = [*states.hidden_states[:-1], states.last_hidden_state]
    model.save_pretrained(folder)
    golden = {**inputs, "logits": logits,
              **{f"hidden.{number}": state for number, state in enumerate(hidden)}}
    # A copy of each: some share their memory.
    save_file({name: values.clone().contiguous() for name, values in golden.items()},
              folder / "golden.safetensors")


class ArchitecturesTest(unittest.TestCase):
    """One test a case, added below."""

    def check(self, name, seed):
        kind, settings = CASES[name]
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            write_case(folder, kind, settings, seed)
            done = subprocess.run(
                [COMMAND, "verify", folder, "--against", folder / "golden.safetensors",
                 "--tolerance", TOLERANCE, "--json"],
                capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        compared = [tensor["name"] for tensor in result["tensors"]]
        self.assertEqual(compared, ["logits"] + [f"hidden.{number}" for number in range(4)])
        print(f"{name}: {result['worst']:.1e}", flush=True)


for _seed, _name in enumerate(CASES, start=101):
    setattr(ArchitecturesTest, f"test_{_name}",
            lambda self, name=_name, seed=_seed: self.check(name, seed))

if __name__ == "__main__":
    missing = why_not()
    if missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    unittest.main()
