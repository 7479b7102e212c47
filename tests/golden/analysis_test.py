#!/usr/bin/env python3
"""Every figure of calibrate analyze against its definition in NumPy, on activations that come from a
forward in float64 that shares nothing with Evenkeel's and that is itself held to transformers'.

Evenkeel computes in float32: an activation is off by about 1e-6 of its node's largest. Figures are
held to 1e-4.
Exit status 77: a package, the command or the shared files are absent.
"""
import itertools
import json
import pathlib
import sys
import tempfile
import unittest

from gguf_files import ARCHITECTURES, COMMAND, SHARED, SKIPPED, run, why_not

MODELS = {name: SHARED / "models" / name for name in ("opt-3m", "opt-3m-outlier")}
NODES = ("attention.input", "attention.query", "attention.key", "attention.value",
         "attention.output", "mlp.input", "mlp.hidden")
LINEARS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "fc1",
           "fc2")
HISTOGRAMS = ("attention.output", "mlp.hidden")
SAMPLES, TOKENS = 3, 40
OPTIONS = {"outlier_threshold": 3.5, "outlier_blocks": 0.3, "outlier_tokens": 0.1, "pooling": 20,
           "bits": 6, "histogram_bins": 31}
TOLERANCE = 1e-4


def read_checkpoint(folder):
    return (json.loads((folder / "config.json").read_text()),
            safetensors.numpy.load_file(folder / "model.safetensors"))


def kurtosis_of(values):
    distances = values - values.mean(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        kurtosis = np.mean(distances**4, 0) / np.mean(distances**2, 0) ** 2
    return np.where(values.min(0) == values.max(0), np.nan, kurtosis)


def rmse(values, absmax):
    """Of symmetric codes, one step for what shares `absmax`."""
    step = absmax / (2 ** (OPTIONS["bits"] - 1) - 1)
    return np.sqrt(np.mean((np.rint(values / step) * step - values) ** 2))


def ranks(values):
    """From 1 on, ties averaged."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]


def spearman(a, b):
    return np.corrcoef(ranks(a), ranks(b))[0, 1]


def histogram(values, width, bins):
    counts, _ = np.histogram(values, bins, (-width, width))
    return counts, np.sum(values < -width), np.sum(values > width)


def jaccard(a, b):
    return len(a & b) / len(a | b) if a | b else None


def outlier_rule(blocks):
    """`blocks`: [tokens, channels] of each."""
    beyond = np.stack([np.abs(values) > OPTIONS["outlier_threshold"] for values in blocks])
    in_blocks, in_tokens = beyond.any(1).mean(0), beyond.mean((0, 1))
    found = np.flatnonzero((in_blocks > OPTIONS["outlier_blocks"])
                           & (in_tokens > OPTIONS["outlier_tokens"]))
    absmax = np.max([np.abs(values).max(0) for values in blocks], 0)
    return [(int(j), absmax[j], in_blocks[j]) for j in found]


def top_channels(blocks):
    found = set()
    for number, values in enumerate(blocks):
        absmax = np.abs(values).max(0)
        count = -(-len(absmax) // 100)
        found |= {(number, int(j)) for j in np.argsort(-absmax, kind="stable")[:count]}
    return found


class Analysis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.scratch.name)
        random = np.random.default_rng(7)
        cls.sets = {"all ids": random.integers(4, 4096, (SAMPLES, TOKENS)),
                    "a few ids": random.integers(4, 60, (SAMPLES, TOKENS))}
        entries = []
        for number, (label, ids) in enumerate(cls.sets.items()):
            file = folder / f"{number}.safetensors"
            safetensors.numpy.save_file({"input_ids": ids.astype(np.int64)}, file)
            entries.append({"label": label, "corpus": str(file)})
        job = {"calibration": {"samples": SAMPLES, "sequence_length": TOKENS},
               "analyze": OPTIONS,
               "compare": {"model": [str(path) for path in MODELS.values()],
                           "calibration": entries, "transform.method": ["none", "smoothquant"]},
               "output": str(folder / "out")}
        (folder / "job.yaml").write_text(json.dumps(job, indent=1))
        run(COMMAND, "analyze", folder / "job.yaml", "--quiet")
        cls.found = json.loads((folder / "out" / "analysis.json").read_text())
        cls.file = h5py.File(folder / "out" / "analysis.h5")
        cls.tensors, cls.seen = [], []  # by model; then of each set the blocks' nodes
        for path in MODELS.values():
            config, tensors = read_checkpoint(path)
            model = opt_forward.Opt(config, tensors)
            cls.tensors.append(tensors)
            of_sets = []
            for ids in cls.sets.values():
                samples = [model.walk(row)[0] for row in ids]
                of_sets.append([{node: np.concatenate([sample[block][node] for sample in samples])
                                 for node in NODES} for block in range(len(samples[0]))])
            cls.seen.append(of_sets)

    @classmethod
    def tearDownClass(cls):
        cls.file.close()
        cls.scratch.cleanup()

    def close(self, actual, expected, message, scale=None):
        """Within the tolerance of each value, or of `scale`."""
        actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
        self.assertEqual(actual.shape, expected.shape, message)
        np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected), message)
        limit = TOLERANCE * (np.abs(expected) if scale is None else scale) + 1e-12
        wrong = np.abs(actual - expected) > limit
        self.assertFalse(wrong.any(), f"{message}: {actual[wrong]} for {expected[wrong]}")

    def assert_share(self, actual, values, axes, message):
        """The share of magnitudes beyond the threshold: those beside it may fall on either side."""
        slack = 1e-5 * np.abs(values).max()
        for edge, side in ((slack, np.greater_equal), (-slack, np.less_equal)):
            share = (np.abs(values) > OPTIONS["outlier_threshold"] + edge).mean(axes)
            self.assertTrue(side(np.asarray(actual) + (1e-7 if edge > 0 else -1e-7), share).all(),
                            f"{message}: {actual} for {share}")

    def every_block(self):
        """(what analysis.json says, the block's group in analysis.h5, its nodes)"""
        for m, of_sets in enumerate(self.seen):
            for s, blocks in enumerate(of_sets):
                for b, nodes in enumerate(blocks):
                    yield (self.found["models"][m]["sets"][s]["blocks"][b],
                           self.file[f"models/{m}/sets/{s}/blocks/{b}"], nodes)

    def weight(self, model, block, name):
        return self.tensors[model][f"model.decoder.layers.{block}.{name}.weight"].astype(np.float64)

    def test_the_forward_is_that_of_transformers(self):
        config, tensors = read_checkpoint(ARCHITECTURES / "opt")
        golden = safetensors.numpy.load_file(ARCHITECTURES / "opt" / "golden.safetensors")
        self.assertTrue(golden["attention_mask"].all())
        model = opt_forward.Opt(config, tensors)
        for row, ids in enumerate(golden["input_ids"]):
            states = model.walk(ids)[1]
            states[-1] = model.finished(states[-1])
            for number, state in enumerate(states):
                expected = golden[f"hidden.{number}"][row]
                self.assertLess(np.abs(state - expected).max(), 1e-5 * np.abs(expected).max())

    def test_labels_and_options(self):
        self.assertEqual([model["label"] for model in self.found["models"]], list(MODELS))
        for m, model in enumerate(self.found["models"]):
            self.assertEqual(self.file[f"models/{m}"].attrs["label"], model["label"])
            self.assertEqual([each["label"] for each in model["sets"]], list(self.sets))
            for s, each in enumerate(model["sets"]):
                self.assertEqual((each["samples"], each["tokens"]), (SAMPLES, SAMPLES * TOKENS))
                self.assertEqual(self.file[f"models/{m}/sets/{s}"].attrs["label"],
                                 each["label"])
        self.assertEqual(self.found["options"], {**OPTIONS, "histogram_range": None})

    def test_channels(self):
        for told, group, nodes in self.every_block():
            for node in NODES:
                values, arrays = nodes[node], group[f"nodes/{node}"]
                largest = np.abs(values).max()
                self.assertEqual(set(nodes), set(group["nodes"]))
                for name, expected in (("min", values.min(0)), ("max", values.max(0)),
                                       ("mean", values.mean(0)), ("std", values.std(0))):
                    # An activation's error is relative to its node, as it is a sum.
                    self.close(arrays[name], expected, f"{node} {name}", largest / 10)
                kurtosis = kurtosis_of(values)
                # Where a channel hardly moves, its moments are those of the rounding.
                moves = ~(values.std(0) < 1e-3 * largest)
                self.close(arrays["kurtosis"][moves], kurtosis[moves], f"{node} kurtosis")
                np.testing.assert_array_equal(np.isnan(arrays["kurtosis"]), np.isnan(kurtosis))
                self.assert_share(arrays["outlier_share"], values, 0, f"{node} outlier_share")
                self.assert_share(told["nodes"][node]["beyond"], values, (0, 1), node)
                self.close(told["nodes"][node]["min"], values.min(), node, largest)
                self.close(told["nodes"][node]["max"], values.max(), node, largest)
                stored = np.asarray(arrays["kurtosis"], np.float64)
                self.close(told["nodes"][node]["kurtosis"], np.nanmean(stored), node)
                means, kernel = np.asarray(arrays["mean"]), OPTIONS["pooling"]
                parts = [means[i:i + kernel] for i in range(0, len(means), kernel)]
                self.close(arrays["pooled_min"], [part.min() for part in parts], "pooled", 0)
                self.close(arrays["pooled_max"], [part.max() for part in parts], "pooled", 0)

    def test_tokens(self):
        for told, group, nodes in self.every_block():
            x = nodes["attention.input"]
            magnitudes = np.abs(x)
            for name, expected in (
                    ("rmse_per_token", rmse(x, magnitudes.max(1, keepdims=True))),
                    ("rmse_per_tensor", rmse(x, magnitudes.max())),
                    ("token_std", x.std(1).mean())):
                self.close(told[name], expected, name)
                self.close(group.attrs[name], expected, name)

    def test_histograms(self):
        first = {(m, b): nodes for m, of_sets in enumerate(self.seen)
                 for b, nodes in enumerate(of_sets[0])}
        for m, of_sets in enumerate(self.seen):
            for s, blocks in enumerate(of_sets):
                for b, nodes in enumerate(blocks):
                    for node in HISTOGRAMS:
                        group = self.file[f"models/{m}/sets/{s}/blocks/{b}/nodes/{node}"]
                        sample = first[m, b][node][:TOKENS]
                        width = group.attrs["histogram_range"]
                        self.close(width, 4 * np.sqrt(np.mean(sample**2)), node)
                        counts, below, above = histogram(nodes[node], width,
                                                         OPTIONS["histogram_bins"])
                        stored = np.asarray(group["histogram"], np.int64)
                        self.assertEqual(stored.sum() + group.attrs["below"]
                                         + group.attrs["above"], nodes[node].size)
                        # A value beside an edge may be rounded across it.
                        moved = (np.abs(stored - counts).sum() + abs(group.attrs["below"] - below)
                                 + abs(group.attrs["above"] - above))
                        self.assertLessEqual(moved, 1e-3 * nodes[node].size)
                    for node in set(NODES) - set(HISTOGRAMS):
                        self.assertNotIn(
                            "histogram", self.file[f"models/{m}/sets/{s}/blocks/{b}/nodes/{node}"])

    def test_outlier_dimensions(self):
        some = 0
        for m, of_sets in enumerate(self.seen):
            for s, blocks in enumerate(of_sets):
                for node in NODES:
                    told = self.found["models"][m]["sets"][s]["outliers"][node]
                    expected = outlier_rule([nodes[node] for nodes in blocks])
                    self.assertEqual([each["channel"] for each in told],
                                     [each[0] for each in expected])
                    for each, wanted in zip(told, expected, strict=True):
                        self.close([each["absmax"], each["blocks"]], wanted[1:3], node)
                        channel = np.stack([nodes[node][:, wanted[0]] for nodes in blocks])
                        self.assert_share(each["tokens"], channel, (0, 1), node)
                    some += 0 < len(expected) < blocks[0][node].shape[1]
        self.assertGreater(some, 0)

    def test_mean_ends(self):
        for m, of_sets in enumerate(self.seen):
            for s, blocks in enumerate(of_sets):
                for node in NODES:
                    means = np.stack([np.asarray(
                        self.file[f"models/{m}/sets/{s}/blocks/{b}/nodes/{node}/mean"])
                        for b in range(len(blocks))])
                    count = -(-means.size // 100)
                    group = self.file[f"models/{m}/sets/{s}/means/{node}"]
                    told = self.found["models"][m]["sets"][s]["means"][node]
                    for end, order in (("top", -means), ("bottom", means)):
                        picked = np.argsort(order, axis=None, kind="stable")[:count]
                        b, c = np.unravel_index(picked, means.shape)
                        np.testing.assert_array_equal(group[f"{end}_block"], b)
                        np.testing.assert_array_equal(group[f"{end}_channel"], c)
                        np.testing.assert_array_equal(group[f"{end}_value"], means[b, c])
                    self.assertEqual(told, {
                        "count": count, "largest": float(group["top_value"][0]),
                        "top_from": float(group["top_value"][-1]),
                        "bottom_to": float(group["bottom_value"][-1]),
                        "smallest": float(group["bottom_value"][0])})

    def test_weights(self):
        for m, of_sets in enumerate(self.seen):
            for b in range(len(of_sets[0])):
                told = self.found["models"][m]["blocks"][b]
                self.assertEqual(list(told["linears"]), list(LINEARS))
                for name, figures in told["linears"].items():
                    weight = self.weight(m, b, name)
                    self.assertEqual([figures["rows"], figures["columns"]], list(weight.shape))
                    self.close(figures["spectral_norm"], np.linalg.norm(weight, 2), name)
                    self.close(figures["absmax"], np.abs(weight).max(), name)
                    self.close(figures["std"], weight.std(), name)
                    group = self.file[f"models/{m}/weights/blocks/{b}/{name}"]
                    counts, below, above = histogram(weight, group.attrs["histogram_range"],
                                                     OPTIONS["histogram_bins"])
                    self.assertEqual((below, above), (0, 0))
                    # float16 weights lie on a grid, and some on an edge.
                    self.assertEqual(group["histogram"][:].sum(), weight.size)
                    self.assertLessEqual(np.abs(group["histogram"] - counts).sum(),
                                         1e-3 * weight.size)
                self.assertEqual(list(told["norms"]),
                                 ["self_attn_layer_norm", "final_layer_norm"])
                for name, figures in told["norms"].items():
                    self.close(figures["gain_std"], self.weight(m, b, name).std(), name)

    def test_producers(self):
        for m, of_sets in enumerate(self.seen):
            for s, blocks in enumerate(of_sets):
                for b, nodes in enumerate(blocks):
                    makers = {"attention.output": (b, "self_attn.v_proj"),
                              "mlp.input": (b, "self_attn.out_proj"), "mlp.hidden": (b, "fc1")}
                    if b > 0:
                        makers["attention.input"] = (b - 1, "fc2")
                    told = self.found["models"][m]["sets"][s]["blocks"][b]["nodes"]
                    for node in NODES:
                        path = f"models/{m}/producers/blocks/{b}/{node}/std"
                        if node not in makers:
                            self.assertIsNone(told[node]["producers"])
                            self.assertNotIn(path, self.file)
                            continue
                        deviations = self.weight(m, *makers[node]).std(1)
                        self.close(self.file[path], deviations, node)
                        self.close(told[node]["producers"],
                                   spearman(deviations, np.abs(nodes[node]).max(0)), node, 1)

    def test_similarity(self):
        for m, of_sets in enumerate(self.seen):
            told = self.found["models"][m]["similarity"]
            pairs = list(itertools.combinations(range(len(of_sets)), 2))
            self.assertEqual(len(told), len(pairs))
            for (a, b), each in zip(pairs, told, strict=True):
                self.assertEqual(each["sets"], [list(self.sets)[a], list(self.sets)[b]])
                self.check_similarity(each["overall"], of_sets[a], of_sets[b], NODES)
                for node in NODES:
                    self.check_similarity(each["nodes"][node], of_sets[a], of_sets[b], [node])

    def check_similarity(self, told, a, b, nodes):
        def of(blocks, end):
            return np.concatenate([end(block[node], 0) for node in nodes for block in blocks])

        def channels(blocks, find):
            return {(node, *np.atleast_1d(each)) for node in nodes
                    for each in find([block[node] for block in blocks])}

        def by_rule(blocks):
            return [outlier[0] for outlier in outlier_rule(blocks)]

        self.assertEqual(told["outliers"], jaccard(channels(a, by_rule), channels(b, by_rule)))
        self.close(told["top"], jaccard(channels(a, top_channels), channels(b, top_channels)), nodes)
        for name, end in (("maxima", np.max), ("minima", np.min)):
            x, y = of(a, end), of(b, end)
            if x.std() == 0 or y.std() == 0:  # no ReLU gives less than zero
                self.assertIsNone(told[name])
            else:
                self.close(told[name], np.corrcoef(x, y)[0, 1], nodes)
        x, y = of(a, np.ptp), of(b, np.ptp)
        mean = (x + y) / 2
        distances = np.abs(x - y) / np.where(mean > 0, mean, 1)
        self.close(told["distance"], distances.mean(), nodes)


if __name__ == "__main__":
    reason = why_not(("h5py", "numpy", "safetensors"), ("EVENKEEL_CALIBRATE",),
                     (*MODELS.values(), ARCHITECTURES))
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    import h5py
    import numpy as np
    import safetensors.numpy

    import opt_forward

    unittest.main()
