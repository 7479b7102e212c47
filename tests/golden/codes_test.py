#!/usr/bin/env python3
"""Logarithmic and two-range codes against their definition in NumPy, value by value.

Both sides form the values of the codes as float32(top) * float32(fraction); the nearest is then
found here by distances in float64, which are exact for float32 operands of such ratios, so that
equality is expected to the bit.
Exit status 77: NumPy or the built tool (EVENKEEL_QUANTIZE) is absent.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = os.environ.get("EVENKEEL_QUANTIZE", "")


def fractions(np, scheme):
    bits = scheme["bits"]
    if scheme["codes"] == "logarithmic":
        i = np.arange(2**bits - 1)
        steps = np.exp2(-i / np.float64(scheme["steps_per_octave"]))
        return np.append(steps.astype(np.float32), np.float32(0))
    c = np.arange(2 ** (bits - 1)) / np.float64(2 ** (bits - 1) - 1)
    return np.concatenate([c, scheme["split"] * c]).astype(np.float32)


def nearest(np, scheme, rows, tops):
    """`tops` one for each row."""
    out = np.empty_like(rows)
    for r, (row, top) in enumerate(zip(rows, tops)):
        values = np.unique(np.float32(top) * fractions(np, scheme))  # ascending: ties go down
        distance = np.abs(row[:, None].astype(np.float64) - values[None].astype(np.float64))
        out[r] = values[np.argmin(distance, axis=1)]
    return out


def adversarial(np):
    random = np.random.default_rng(3)
    columns = 37
    logits = random.normal(scale=6, size=(6, columns))
    softmax = np.exp(logits - logits.max(1, keepdims=True))
    softmax /= softmax.sum(1, keepdims=True)
    rows = [row for row in softmax]
    rows += [random.random(columns), np.zeros(columns), np.full(columns, 1 / columns),
             np.eye(columns)[5], 1e-40 * random.random(columns), np.full(columns, 1e-45),
             np.where(np.arange(columns) == 9, 1e4, random.random(columns)),
             np.exp2(-np.arange(columns) / 4.0)]
    return np.array(rows, dtype=np.float32)


SCHEMES = [{"bits": bits, "codes": "logarithmic", "steps_per_octave": m}
           for bits in (2, 4, 6, 8) for m in (1, 2, 3)]
SCHEMES += [{"bits": bits, "codes": "two_range", "split": split}
            for bits in (2, 4, 6, 8) for split in (2**-5, 0.3)]


class CodesTest(unittest.TestCase):
    def quantized(self, scheme, granularity, rows, ranges):
        import numpy as np

        base = {"granularity": "per_tensor", "symmetric": False, "range": "minmax",
                "rounding": "nearest"}
        node = {**base, **scheme, "granularity": granularity}
        whole = {"weights": {**base, "bits": 8}, "activations": {**base, "bits": 8},
                 "propagate": "quantized", "nodes": {"attention.probabilities": node}}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "scheme.json"
            path.write_text(json.dumps({"scheme": whole}))
            sizes = np.array([*rows.shape, len(ranges)], dtype=np.int64)
            given = sizes.tobytes() + ranges.astype(np.float32).tobytes() + rows.tobytes()
            done = subprocess.run([TOOL, str(path)], input=given, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return np.frombuffer(done.stdout, dtype=np.float32).reshape(rows.shape)

    def test_codes_are_the_nearest(self):
        import numpy as np

        rows = adversarial(np)
        own = rows.max(axis=1)
        one = np.array([[0, 0.8]], dtype=np.float32)  # some values lie beyond
        heads = np.stack([np.zeros_like(own), 0.9 * own], axis=1).astype(np.float32)
        for scheme in SCHEMES:
            for granularity, ranges, tops in (
                    ("per_token", np.empty((0, 2)), own),
                    ("per_tensor", one, np.full(len(rows), one[0, 1])),
                    ("per_head", heads, heads[:, 1])):
                with self.subTest(scheme=scheme, granularity=granularity):
                    given = self.quantized(scheme, granularity, rows, ranges)
                    np.testing.assert_array_equal(given, nearest(np, scheme, rows, tops))


if __name__ == "__main__":
    try:
        import numpy  # noqa: F401
    except ImportError:
        print("skipped: needs numpy")
        sys.exit(77)
    if not os.access(TOOL, os.X_OK):
        print("skipped: needs EVENKEEL_QUANTIZE to name the built tool")
        sys.exit(77)
    unittest.main()
