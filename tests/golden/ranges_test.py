#!/usr/bin/env python3
"""Codes of every range estimator and granularity against their definitions in NumPy, to the bit.

Both sides work in float32 where values, steps and codes are concerned, and in float64 for quantiles,
means and sums of squared errors; sums in another order could only matter between candidates whose
errors agree to 1e-15, of which this data has none but exact ties.
Exit status 77: NumPy or the built tool (EVENKEEL_SCHEME_CODES) is absent.
"""
import json
import os
import subprocess
import sys
import unittest

TOOL = os.environ.get("EVENKEEL_SCHEME_CODES", "")
SKIPPED = 77
BASE = {"bits": 8, "granularity": "per_tensor", "symmetric": False, "range": "minmax",
        "rounding": "nearest"}


def why_not():
    """What is missing for this test, or nothing."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        return "needs the PyPI package 'numpy'"
    if not os.access(TOOL, os.X_OK):
        return "needs EVENKEEL_SCHEME_CODES to name the built tests/support/tools/scheme_codes"
    return None


def ours(tasks):
    done = subprocess.run([TOOL], input=json.dumps(tasks), capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def affine(low, high, scheme):
    """Step, zero point and codes' ends of a range, as quantizers/affine.h defines them."""
    import numpy as np

    f = np.float32
    low, high = np.minimum(f(low), f(0)), np.maximum(f(high), f(0))
    eps = np.finfo(f).eps
    if scheme["symmetric"]:
        last = f(2 ** (scheme["bits"] - 1) - 1)
        return np.maximum(np.maximum(-low, high) / last, eps), f(0), -last, last
    last = f(2 ** scheme["bits"] - 1)
    step = np.maximum((high - low) / last, eps)
    return step, np.clip(-np.rint(low / step), f(0), last), f(0), last


def codes_of(values, bounds, scheme):
    import numpy as np

    step, zero, first, last = affine(*bounds, scheme)
    return np.clip(np.rint(values / step) + zero, first, last), step, zero


def fake(values, bounds, scheme):
    codes, step, zero = codes_of(values, bounds, scheme)
    return step * (codes - zero)


def estimate(batches, scheme):
    """The range of values that share one, given as a list of batches."""
    import numpy as np

    values = np.concatenate([batch.ravel() for batch in batches])
    low, high = values.min(), values.max()
    name = scheme["range"]
    if name == "minmax":
        return low, high
    if name == "average_minmax":
        means = [np.mean([end(batch) for batch in batches], dtype=np.float64)
                 for end in (np.min, np.max)]
        return tuple(np.float32(mean) for mean in means)
    if name == "percentile":
        p = scheme["percentile"]
        ends = np.quantile(values.astype(np.float64), [1 - p, p])
        return tuple(ends.astype(np.float32))
    if name == "token_wise_clipping":
        return token_wise_clipping(batches, scheme["clip"])
    assert name == "omse"
    best, least = None, np.inf
    for i in range(100):
        f = (100 - i) / 100
        bounds = (np.float32(f * np.float64(low)), np.float32(f * np.float64(high)))
        error = values.astype(np.float64) - fake(values, bounds, scheme).astype(np.float64)
        error = np.sum(error * error)
        if error < least:
            best, least = bounds, error
    return best


def token_wise_clipping(batches, clip):
    """As the published observer (AvgPruneMinMaxObserver.prune_token), in float64."""
    import numpy as np

    ends = []
    for batch in batches:
        largest, smallest = batch.max(1).astype(np.float64), batch.min(1).astype(np.float64)
        upper = np.quantile(np.abs(largest), 1 - clip)
        lower = -np.quantile(np.abs(smallest), 1 - clip)
        ends.append((smallest[smallest >= lower].min(), largest[largest <= upper].max()))
    return tuple(np.mean(np.array(ends), axis=0).astype(np.float32))


def embedding_groups(samples, scheme):
    """The channels of each group; by the ranges that MinMax or the mean over batches gives."""
    import numpy as np

    plain = dict(scheme, range="minmax" if scheme["range"] == "omse" else scheme["range"])
    channels = samples[0].shape[1]
    bounds = np.array([estimate([s[:, c] for s in samples], plain) for c in range(channels)],
                      dtype=np.float64)
    order = (np.argsort(bounds[:, 1] - bounds[:, 0], kind="stable") if scheme["permute"]
             else np.arange(channels))
    return [g for g in np.array_split(order, scheme["groups"]) if len(g)], bounds


def quantized(samples, heads, scheme):
    """What the scheme makes of samples [tokens, channels], each of head i % heads."""
    import numpy as np

    kind = scheme["granularity"]
    out = [np.empty_like(sample) for sample in samples]
    channels = samples[0].shape[1]
    if scheme.get("outlier_threshold"):
        return without_outliers(samples, scheme)
    if kind in ("per_token", "per_group"):
        width = scheme["group_size"] if kind == "per_group" else channels
        for sample, made in zip(samples, out):
            for row, target in zip(sample, made):
                for i in range(0, channels, width):
                    piece = row[i:i + width]
                    target[i:i + width] = fake(piece, estimate([piece], scheme), scheme)
        return out
    if kind == "per_embedding_group":
        groups, found = embedding_groups(samples, scheme)
        for group in groups:
            bounds = (found[group, 0].min(), found[group, 1].max())
            if scheme["range"] == "omse":
                bounds = estimate([s[:, group] for s in samples], scheme)
            for sample, made in zip(samples, out):
                made[:, group] = fake(sample[:, group], bounds, scheme)
        return out
    if kind == "per_channel":
        for c in range(channels):
            bounds = estimate([s[:, c] for s in samples], scheme)
            for sample, made in zip(samples, out):
                made[:, c] = fake(sample[:, c], bounds, scheme)
        return out
    for head in range(heads):
        own = list(range(head, len(samples), heads))
        bounds = estimate([samples[i] for i in own], scheme)
        for i in own:
            out[i] = fake(samples[i], bounds, scheme)
    return out


def without_outliers(samples, scheme):
    """LLM.int8(): columns beyond the threshold stay, the rest has a range for each row."""
    import numpy as np

    out = [sample.copy() for sample in samples]
    for sample, made in zip(samples, out):
        kept = ~(np.abs(sample) > scheme["outlier_threshold"]).any(axis=0)
        if not kept.any():
            continue
        for row, target in zip(sample, made):
            target[kept] = fake(row[kept], estimate([row[kept]], scheme), scheme)
    return out


def data():
    """Names and samples [tokens, channels]: random ones and those that break things."""
    import numpy as np

    random = np.random.default_rng(7)

    def normal(*shape):
        return random.standard_normal(shape).astype(np.float32)

    outlier = [normal(9, 37) for _ in range(4)]
    outlier[2][3, 5] = 60
    channel = [normal(9, 37) for _ in range(4)]
    for sample in channel:
        sample[:, 11] = 20 + 3 * sample[:, 11]
    return [("random", [normal(9, 37) for _ in range(4)]),
            ("one outlier", outlier),
            ("outlier channel", channel),
            ("all zero", [np.zeros((3, 10), np.float32)] * 2),
            ("constant", [np.full((3, 10), 0.7, np.float32)] * 2),
            ("negative", [-np.abs(normal(3, 10)) for _ in range(2)]),
            ("single token", [normal(1, 10), normal(1, 10)]),
            ("single channel", [normal(5, 1), normal(5, 1)])]


RANGES = [{"range": "minmax"}, {"range": "average_minmax"},
          {"range": "percentile", "percentile": 0.97},
          {"range": "percentile", "percentile": 0.6}, {"range": "omse"}]
STATIC = [{"granularity": "per_tensor"}, {"granularity": "per_head"},
          {"granularity": "per_channel"},
          {"granularity": "per_embedding_group", "groups": 6, "permute": True},
          {"granularity": "per_embedding_group", "groups": 4, "permute": False}]
DYNAMIC = [{"granularity": "per_token"}, {"granularity": "per_group", "group_size": 8}]
BITS = [{"bits": bits, "symmetric": symmetric} for bits in (8, 4) for symmetric in (False, True)]


def activation_schemes():
    for kind in STATIC + DYNAMIC:
        for estimator in RANGES:
            if kind in DYNAMIC and estimator["range"] == "average_minmax":
                continue
            if "channel" in kind["granularity"] or "embedding" in kind["granularity"]:
                if estimator["range"] == "percentile":
                    continue
            for number in BITS:
                yield {**BASE, **kind, **estimator, **number}


def activation_task(scheme, samples, heads=1):
    return {"scheme": {"weights": BASE, "activations": BASE, "propagate": "quantized",
                       "nodes": {"mlp.hidden": scheme}},
            "samples": [s.tolist() for s in samples], "heads": heads}


class Ranges(unittest.TestCase):
    def check_activations(self, schemes):
        import numpy as np

        cases = [(scheme, 2 if scheme["granularity"] == "per_head" else 1, name, samples)
                 for scheme in schemes for name, samples in data()]
        answers = ours([activation_task(scheme, samples, heads)
                        for scheme, heads, _, samples in cases])
        for (scheme, heads, name, samples), found in zip(cases, answers):
            with self.subTest(data=name, scheme=scheme):
                expected = np.concatenate([e.ravel() for e in quantized(samples, heads, scheme)])
                np.testing.assert_array_equal(np.array(found["values"], np.float32), expected)

    def test_activations(self):
        self.check_activations(list(activation_schemes()))

    def test_token_wise_clipping(self):
        self.check_activations([{**BASE, **number, "range": "token_wise_clipping", "clip": clip}
                                for number in BITS for clip in (0.0, 0.005, 0.1, 0.3, 0.9)])

    def test_columns_left_out(self):
        self.check_activations([{**BASE, "granularity": "per_token", "symmetric": symmetric,
                                 "outlier_threshold": threshold}
                                for symmetric in (False, True) for threshold in (0.5, 2.0, 6.0)])

    def test_weights(self):
        kinds = [{"granularity": "per_tensor"}, {"granularity": "per_channel"},
                 {"granularity": "per_group", "group_size": 16}]
        cases = [({**BASE, **kind, **estimator, **number}, name, samples[-1])
                 for kind in kinds for estimator in RANGES for number in BITS
                 for name, samples in data() if estimator["range"] != "average_minmax"]
        answers = ours([{"scheme": {"weights": scheme, "activations": {"bits": 16},
                                    "propagate": "quantized"}, "weight": weight.tolist()}
                        for scheme, _, weight in cases])
        for (scheme, name, weight), found in zip(cases, answers):
            with self.subTest(data=name, scheme=scheme):
                self.check_weight(weight, found, scheme)

    def check_weight(self, weight, found, scheme):
        import numpy as np

        codes = np.empty_like(weight)
        steps, zeros = [], []
        width = scheme.get("group_size", weight.shape[1])
        if scheme["granularity"] == "per_tensor":
            codes, step, zero = codes_of(weight, estimate([weight], scheme), scheme)
            steps, zeros = [step], [zero]
        else:
            for r, row in enumerate(weight):
                for i in range(0, len(row), width):
                    piece = row[i:i + width]
                    own, step, zero = codes_of(piece, estimate([piece], scheme), scheme)
                    codes[r, i:i + width] = own
                    steps.append(step)
                    zeros.append(zero)
        np.testing.assert_array_equal(np.array(found["codes"]), codes.ravel())
        np.testing.assert_array_equal(np.array(found["steps"], np.float32), np.array(steps))
        np.testing.assert_array_equal(np.array(found["zero_points"]), np.array(zeros))


if __name__ == "__main__":
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
