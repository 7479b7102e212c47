"""OS+ (Wei et al. 2023) at w8a8 on an OPT checkpoint in plain PyTorch: what Evenkeel is timed beside.

    peer_search.py CHECKPOINT TEXT.jsonl [--samples 32] [--search-only] ...

Block by block: the inputs of each site (q, k, v; fc1) as the quantized blocks and nodes before give
them, ranges observed on the search samples; the shift; every threshold of the grid scored with
fake-quantized inputs and weights against the full-precision output; the fold; then quantized weights,
ranges of all nodes over all samples, and the samples moved on through the quantized block. Ranges,
rounding, grid and objectives are those of `calibrate run` (README, "What it does, exactly"), so
thresholds and losses can be compared: with `--stream full_precision` at every site, else in the
first block, after which a last-bit difference flips codes that later blocks amplify. It works in
float32 on whole batches, without gradients; attention is written out, as in the published program,
or PyTorch's fused one with `--attention fused`.

Prints JSON: seconds of the search (capture, scores, fold) and in total, each site's threshold,
loss and curve, peak memory. Loading and tokenizing are not timed.
"""
import argparse
import json
import math
import pathlib
import resource
import time

import torch
import torch.nn.functional as F
from safetensors import safe_open

LEVELS = 255
EPSILON = torch.finfo(torch.float32).eps
READERS = {"attention": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
           "mlp": ["fc1"]}
NORMS = {"attention": "self_attn_layer_norm", "mlp": "final_layer_norm"}
LINEARS = READERS["attention"] + ["self_attn.out_proj", "fc1", "fc2"]


def fake_quantize(x, low, high):
    """8 bits, asymmetric, half to even; `low` and `high` broadcast against x."""
    low, high = low.clamp(max=0), high.clamp(min=0)
    step = ((high - low) / LEVELS).clamp(min=EPSILON)
    zero = (-(low / step).round()).clamp(0, LEVELS)
    return (x / step).round_().add_(zero).clamp_(0, LEVELS).sub_(zero).mul_(step)


def fake_quantize_rows(weight):
    return fake_quantize(weight, weight.amin(1, keepdim=True), weight.amax(1, keepdim=True))


class Model:
    """Tensors of a pre-LayerNorm OPT in float32, and its sizes."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if self.config["model_type"] != "opt" or not self.config.get("do_layer_norm_before", True):
            raise SystemExit(f"{folder}: not an OPT with the norm before each sublayer")
        self.blocks = self.config["num_hidden_layers"]
        self.heads = self.config["num_attention_heads"]
        self.head_channels = self.config["hidden_size"] // self.heads
        self.tensors = {}
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(file, framework="pt") as stored:
                for name in stored.keys():
                    self.tensors[name.removeprefix("model.")] = stored.get_tensor(name).float()

    def embed(self, ids):
        positions = self.tensors["decoder.embed_positions.weight"]
        return (F.embedding(ids, self.tensors["decoder.embed_tokens.weight"])
                + positions[2:2 + ids.shape[1]])

    def block(self, number):
        place = f"decoder.layers.{number}."
        return {name.removeprefix(place): tensor for name, tensor in self.tensors.items()
                if name.startswith(place)}


class Attention:
    """Causal attention of q (scaled), k, v [samples, tokens, channels]."""

    def __init__(self, heads, tokens, fused):
        self.heads = heads
        self.fused = fused
        self.mask = torch.full((tokens, tokens), -math.inf).triu(1)

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def probabilities(self, q, k):
        scores = self.split(q) @ self.split(k).transpose(-1, -2)
        return scores.add_(self.mask).softmax(-1)

    def output(self, q, k, v, quantize=None):
        """`quantize` is applied to the probabilities, which fused attention never has."""
        if quantize is not None:
            out = quantize(self.probabilities(q, k)) @ self.split(v)
        elif self.fused:
            out = F.scaled_dot_product_attention(self.split(q), self.split(k), self.split(v),
                                                 is_causal=True, scale=1.0)
        else:
            out = self.probabilities(q, k) @ self.split(v)
        return out.transpose(1, 2).flatten(2)


class Calibration:
    def __init__(self, model, batches, fused, quantizes):
        self.model = model
        self.quantizes = quantizes
        self.attention = Attention(model.heads, batches[0].shape[1], fused)
        self.query_scale = model.head_channels ** -0.5
        self.hidden = [model.embed(ids) for ids in batches]
        self.sites = []
        self.search_seconds = 0.0

    def run(self, search_only):
        start = time.perf_counter()
        for number in range(self.model.blocks):
            began = time.perf_counter()
            folded = self.model.block(number)
            for site in READERS:
                self.transform(number, site, folded)
            self.search_seconds += time.perf_counter() - began
            if not search_only or number + 1 < self.model.blocks:
                self.hidden = self.forward(self.quantized(folded), self.hidden)
        return time.perf_counter() - start

    def quantized(self, folded):
        if not self.quantizes:
            return folded
        weights = {f"{name}.weight": fake_quantize_rows(folded[f"{name}.weight"])
                   for name in LINEARS}
        return folded | weights

    def node(self, batches):
        """Fake-quantizes with the mean over batches of each one's least and greatest value."""
        if not self.quantizes:
            return batches
        low = torch.stack([x.amin() for x in batches]).double().mean().float()
        high = torch.stack([x.amax() for x in batches]).double().mean().float()
        return [fake_quantize(x, low, high) for x in batches]

    @staticmethod
    def norm(block, name, x):
        return F.layer_norm(x, x.shape[-1:], block[f"{name}.weight"], block[f"{name}.bias"])

    @staticmethod
    def linear(block, name, x):
        return F.linear(x, block[f"{name}.weight"], block[f"{name}.bias"])

    def forward(self, block, hidden, until=None):
        """The block with every node quantized; `until` a site gives that site's inputs."""
        x = [self.norm(block, NORMS["attention"], h) for h in hidden]
        if until == "attention":
            return x
        x = self.node(x)
        q, k, v = ([self.linear(block, name, each) for each in x] for name in READERS["attention"])
        q, k, v = self.node([each * self.query_scale for each in q]), self.node(k), self.node(v)
        x = self.quantized_attention(q, k, v)
        x = [self.linear(block, "self_attn.out_proj", each) for each in self.node(x)]
        hidden = [h + each for h, each in zip(hidden, x)]
        x = [self.norm(block, NORMS["mlp"], h) for h in hidden]
        if until == "mlp":
            return x
        x = [self.linear(block, "fc1", each).relu_() for each in self.node(x)]
        x = [self.linear(block, "fc2", each) for each in self.node(x)]
        return [h + each for h, each in zip(hidden, x)]

    def quantized_attention(self, q, k, v):
        """Computes the probabilities twice rather than to keep those of all batches."""
        if not self.quantizes:
            return [self.attention.output(*each) for each in zip(q, k, v)]
        low, high = [], []
        for query, key in zip(q, k):
            probabilities = self.attention.probabilities(query, key)
            low.append(probabilities.amin())
            high.append(probabilities.amax())
        low = torch.stack(low).double().mean().float()
        high = torch.stack(high).double().mean().float()
        return [self.attention.output(*each, lambda p: fake_quantize(p, low, high))
                for each in zip(q, k, v)]

    def transform(self, number, site, folded):
        inputs = self.forward(self.quantized(folded), self.hidden[:1], until=site)[0]
        weight = torch.cat([folded[f"{name}.weight"] for name in READERS[site]])
        bias = torch.cat([folded[f"{name}.bias"] for name in READERS[site]])
        shift = inputs.amax((0, 1)) / 2 + inputs.amin((0, 1)) / 2
        inputs -= shift
        bias = (bias.double() + shift.double() @ weight.double().T).float()
        scale, found = self.search(site, inputs, weight, bias)
        self.fold(site, folded, shift, scale)
        self.sites.append({"name": f"blocks.{number}.{site}"} | found)

    def output(self, site, x, weight, bias):
        if site == "mlp":
            return F.linear(x, weight)
        q, k, v = F.linear(x, weight, bias).chunk(3, -1)
        return self.attention.output(q * self.query_scale, k, v)

    def search(self, site, inputs, weight, bias):
        expected = self.output(site, inputs, weight, bias)
        high, low = inputs.amax((0, 1)), inputs.amin((0, 1))
        best_scale, best, losses = None, math.inf, []
        grid = thresholds(low.min().item(), high.max().item())
        for threshold in grid:
            limit = torch.tensor(threshold)
            scale = torch.maximum(torch.where(high > limit, high / limit, 1.0),
                                  torch.where(low < -limit, low / -limit, 1.0))
            x = fake_quantize(inputs / scale, -limit, limit)
            found = self.output(site, x, fake_quantize_rows(weight * scale), bias)
            loss = (found - expected).square_().sum(-1).mean().item()
            losses.append(loss)
            if loss < best:
                best_scale, best = scale, loss
        return best_scale, {"threshold": grid[losses.index(best)], "loss": best,
                            "thresholds": grid, "losses": losses}

    def fold(self, site, folded, shift, scale):
        shift, scale = shift.double(), scale.double()
        norm = NORMS[site]
        folded[f"{norm}.weight"] = (folded[f"{norm}.weight"].double() / scale).float()
        folded[f"{norm}.bias"] = ((folded[f"{norm}.bias"].double() - shift) / scale).float()
        for name in READERS[site]:
            weight = folded[f"{name}.weight"]
            moved = shift @ weight.double().T
            folded[f"{name}.bias"] = (folded[f"{name}.bias"].double() + moved).float()
            folded[f"{name}.weight"] = weight * scale.float()


def thresholds(low, high, lowest=1.0):
    """The published grid, in double."""
    largest = max(high, -low)
    if largest <= lowest:
        return [largest]
    step = (largest - lowest) / max(100.0, math.floor(max(high, 0.0) / 0.5))
    grid = []
    while largest >= lowest:
        grid.append(largest)
        largest -= step
    return grid


def windows(folder, text, count, length):
    """The first `count` windows: of a text tokenized without special tokens, or of stored ids."""
    if text.suffix == ".safetensors":
        with safe_open(text, framework="pt") as stored:
            ids = stored.get_tensor("input_ids").flatten().tolist()
    else:
        from tokenizers import Tokenizer
        content = text.read_text(encoding="utf-8")
        if text.suffix == ".jsonl":
            content = "\n\n".join(json.loads(line)["text"] for line in content.splitlines())
        tokenizer = Tokenizer.from_file(str(pathlib.Path(folder) / "tokenizer.json"))
        ids = tokenizer.encode(content, add_special_tokens=False).ids
    if len(ids) < count * length:
        raise SystemExit(f"{text}: {len(ids)} tokens, {count} windows of {length} are asked")
    return torch.tensor(ids[:count * length]).view(count, length)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("text", type=pathlib.Path, help=".jsonl, .txt, or .safetensors (input_ids)")
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--search-samples", type=int, default=8, help="also those of a batch")
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--attention", choices=["plain", "fused"], default="plain")
    parser.add_argument("--stream", choices=["quantized", "full_precision"], default="quantized",
                        help="what sites are searched on")
    parser.add_argument("--search-only", action="store_true", help="without the other samples")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    samples = arguments.search_samples if arguments.search_only else arguments.samples
    ids = windows(arguments.checkpoint, arguments.text, samples, arguments.length)
    with torch.inference_mode():
        calibration = Calibration(Model(arguments.checkpoint), ids.split(arguments.search_samples),
                                  arguments.attention == "fused", arguments.stream == "quantized")
        total = calibration.run(arguments.search_only)
    seconds = {"search": calibration.search_seconds}
    if not arguments.search_only:
        seconds["total"] = total
    print(json.dumps({
        "torch": torch.__version__, "attention": arguments.attention,
        "stream": arguments.stream, "threads": arguments.threads, "samples": samples,
        "seconds": seconds, "sites": calibration.sites,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}, indent=1))


if __name__ == "__main__":
    main()
