"""The forward of LLaMA in float64, from its definition and in no way for speed: RMSNorm before
each half of a block, rotary positions, grouped queries, SwiGLU."""
import numpy as np


def rms_norm(states, weight, epsilon):
    return states / np.sqrt(np.mean(states**2, axis=-1, keepdims=True) + epsilon) * weight


def rotated(heads, base):
    """[heads, tokens, channels]: channel i turns with channel i + channels / 2."""
    tokens, channels = heads.shape[1:]
    frequencies = base ** (-np.arange(0, channels, 2) / channels)
    angles = np.arange(tokens)[:, None] * frequencies
    cosine, sine = np.cos(angles), np.sin(angles)
    first, second = np.split(heads, 2, axis=-1)
    return np.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


def attention(states, weights, config):
    """`weights(name)`: of this attention."""
    tokens = len(states)
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    base = (config.get("rope_parameters") or config)["rope_theta"]

    def split(name, count):
        return (states @ weights(name).T).reshape(tokens, count, -1).swapaxes(0, 1)

    queries = rotated(split("q_proj", heads), base)
    keys = rotated(split("k_proj", groups), base).repeat(heads // groups, axis=0)
    values = split("v_proj", groups).repeat(heads // groups, axis=0)
    scores = queries @ keys.swapaxes(1, 2) / np.sqrt(queries.shape[-1])
    scores += np.where(np.tri(tokens, dtype=bool), 0, -np.inf)
    weighed = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = weighed / weighed.sum(axis=-1, keepdims=True) @ values
    return mixed.swapaxes(0, 1).reshape(tokens, -1) @ weights("o_proj").T


def feed_forward(states, weights):
    gate = states @ weights("gate_proj").T
    return (gate / (1 + np.exp(-gate)) * (states @ weights("up_proj").T)) @ weights("down_proj").T


def logits(config, tensors, ids):
    """[tokens, vocabulary] of one sequence; `tensors` under the names of Hugging Face."""
    def weight(name):
        return tensors[f"{name}.weight"].astype(np.float64)

    epsilon = config["rms_norm_eps"]
    states = weight("model.embed_tokens")[ids]
    for layer in range(config["num_hidden_layers"]):
        def of_block(name, layer=layer):
            return weight(f"model.layers.{layer}.{name}")

        normed = rms_norm(states, of_block("input_layernorm"), epsilon)
        states = states + attention(normed, lambda name: of_block(f"self_attn.{name}"), config)
        normed = rms_norm(states, of_block("post_attention_layernorm"), epsilon)
        states = states + feed_forward(normed, lambda name: of_block(f"mlp.{name}"))
    states = rms_norm(states, weight("model.norm"), epsilon)
    tied = config["tie_word_embeddings"]
    return states @ weight("model.embed_tokens" if tied else "lm_head").T
