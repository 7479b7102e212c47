"""The forward of OPT in float64, from its definition and in no way for speed: learned positions,
LayerNorm before each half of a block, ReLU, biases everywhere."""
import numpy as np

PREFIX = "model.decoder."
OFFSET = 2  # OPT's positions begin at this row


def layer_norm(states, gain, bias):
    centered = states - states.mean(axis=-1, keepdims=True)
    return centered / np.sqrt(np.mean(centered**2, axis=-1, keepdims=True) + 1e-5) * gain + bias


class Opt:
    """`tensors` under the names of Hugging Face."""

    def __init__(self, config, tensors):
        self.config, self.tensors = config, tensors

    def tensor(self, name):
        return self.tensors[PREFIX + name].astype(np.float64)

    def linear(self, name, states):
        return states @ self.tensor(f"{name}.weight").T + self.tensor(f"{name}.bias")

    def norm(self, name, states):
        return layer_norm(states, self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias"))

    def embedded(self, ids):
        positions = self.tensor("embed_positions.weight")
        return self.tensor("embed_tokens.weight")[ids] + positions[OFFSET:OFFSET + len(ids)]

    def block(self, number, states):
        """What leaves the block, and its nodes by Evenkeel's names, each [tokens, channels]."""
        layer = f"layers.{number}."
        heads = self.config["num_attention_heads"]
        tokens, channels = states.shape

        def split(values):
            return values.reshape(tokens, heads, -1).swapaxes(0, 1)

        nodes = {}
        nodes["attention.input"] = x = self.norm(layer + "self_attn_layer_norm", states)
        scale = (channels // heads) ** -0.5
        nodes["attention.query"] = query = self.linear(layer + "self_attn.q_proj", x) * scale
        nodes["attention.key"] = key = self.linear(layer + "self_attn.k_proj", x)
        nodes["attention.value"] = value = self.linear(layer + "self_attn.v_proj", x)
        scores = split(query) @ split(key).swapaxes(1, 2)
        scores += np.where(np.tri(tokens, dtype=bool), 0, -np.inf)
        weighed = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = weighed / weighed.sum(axis=-1, keepdims=True) @ split(value)
        nodes["attention.output"] = mixed = mixed.swapaxes(0, 1).reshape(tokens, channels)
        states = states + self.linear(layer + "self_attn.out_proj", mixed)
        nodes["mlp.input"] = x = self.norm(layer + "final_layer_norm", states)
        nodes["mlp.hidden"] = hidden = np.maximum(self.linear(layer + "fc1", x), 0)
        return states + self.linear(layer + "fc2", hidden), nodes

    def walk(self, ids):
        """The nodes of every block, and the states that enter each and leave the last."""
        states = [self.embedded(ids)]
        nodes = []
        for number in range(self.config["num_hidden_layers"]):
            after, seen = self.block(number, states[-1])
            states.append(after)
            nodes.append(seen)
        return nodes, states

    def finished(self, states):
        return self.norm("final_layer_norm", states)
