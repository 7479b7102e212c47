#!/usr/bin/env python3
"""Codes of GPTQ against the algorithm of the paper in plain NumPy (Frantar et al. 2022, Algorithm
1 without its blocks): Hessian, dead columns, damping, numpy.linalg's inverse and Cholesky factor,
activation order, groups.
Exit status 77: NumPy or the tool that prints our codes is absent.
"""
import json
import os
import subprocess
import sys
import unittest

TOOL = os.environ.get("EVENKEEL_WEIGHT_CODES", "")
SKIPPED = 77


def why_not():
    """What is missing for this test, or nothing."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        return "needs the PyPI package 'numpy'"
    if not os.access(TOOL, os.X_OK):
        return "needs EVENKEEL_WEIGHT_CODES to name the built tests/support/tools/weight_codes"
    return None


def our_task(weight, inputs, scheme, **more):
    """What the product's tool prints."""
    task = {"scheme": {"weights": scheme, "activations": {"bits": 16}, "propagate": "quantized"},
            "weight": weight.tolist(), "inputs": inputs.tolist(), **more}
    done = subprocess.run([TOOL], input=json.dumps(task), capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def our_codes(weight, inputs, scheme):
    """Codes [rows, columns], steps and zero points of the product."""
    import numpy as np

    found = our_task(weight, inputs, scheme)
    return (np.array(found["codes"]).reshape(weight.shape),
            np.array(found["steps"], np.float32), np.array(found["zero_points"]))


def affine(values, bits, symmetric):
    """Step and zero point of MinMax, as quantizers/affine.h defines them, in float32."""
    import numpy as np

    low = np.minimum(values.min(axis=1, keepdims=True), np.float32(0))
    high = np.maximum(values.max(axis=1, keepdims=True), np.float32(0))
    smallest = np.finfo(np.float32).eps
    if symmetric:
        step = np.maximum(np.maximum(-low, high) / np.float32(2 ** (bits - 1) - 1), smallest)
        return step, np.zeros_like(step)
    last = np.float32(2**bits - 1)
    step = np.maximum((high - low) / last, smallest)
    return step, np.clip(-np.rint(low / step), 0, last)


def plain_gptq(weight, inputs, scheme):
    """Codes [rows, columns], steps and zero points [rows, groups]."""
    import numpy as np

    rows, columns = weight.shape
    bits, symmetric, options = scheme["bits"], scheme["symmetric"], scheme["gptq"]
    first, last = (1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1) if symmetric else (0, 2**bits - 1)
    hessian = 2 * inputs.astype(np.float64).T @ inputs.astype(np.float64) / len(inputs)
    diagonal = np.diag(hessian).copy()
    living = diagonal > 0
    order = (np.argsort(-diagonal, kind="stable") if options["activation_order"]
             else np.arange(columns))
    damping = options["damping"] * diagonal[living].mean()
    hessian += np.diag(np.where(living, damping, 1.0))
    hessian = hessian[np.ix_(order, order)]
    upper = np.linalg.cholesky(np.linalg.inv(hessian)).T

    grouped = scheme["granularity"] == "per_group"
    width = scheme["group_size"] if grouped else columns
    pieces = [weight[:, i:i + width] for i in range(0, columns, width)]
    if scheme["granularity"] == "per_tensor":
        step, zero = affine(weight.reshape(1, -1), bits, symmetric)
    else:
        found = [affine(piece, bits, symmetric) for piece in pieces]
        step, zero = (np.concatenate(parts, axis=1) for parts in zip(*found))
    moving = weight.astype(np.float64)[:, order]
    codes = np.zeros(weight.shape, int)
    for i, column in enumerate(order):
        group = column // width
        if grouped and not options["static_groups"] and column % width == 0:
            now = moving[:, column:column + width].astype(np.float32)
            step[:, group:group + 1], zero[:, group:group + 1] = affine(now, bits, symmetric)
        s, z = step[:, group], zero[:, group]
        code = np.clip(np.rint(moving[:, i].astype(np.float32) / s) + z, first, last)
        codes[:, column] = code
        error = (moving[:, i] - (s * (code - z).astype(np.float32))) / upper[i, i]
        moving[:, i + 1:] -= np.outer(error, upper[i, i + 1:])
    return codes, step, zero


class Gptq(unittest.TestCase):
    def check(self, weight, inputs, scheme):
        import numpy as np

        found = our_codes(weight, inputs, scheme)
        expected = plain_gptq(weight, inputs, scheme)
        # Both move columns in double and round them in float32: equal, but for a weight within
        # 1e-7 of a tie, of which this data has none.
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1].astype(np.float32).ravel())
        np.testing.assert_array_equal(found[2], expected[2].ravel())

    def schemes(self):
        for granularity in ("per_tensor", "per_channel", "per_group"):
            for symmetric in (False, True):
                for order, static in ((False, True), (True, True), (False, False)):
                    if granularity != "per_group" and not static:
                        continue
                    yield {"bits": 4, "granularity": granularity, "symmetric": symmetric,
                           "range": "minmax", "rounding": "gptq", "group_size": 48,
                           "gptq": {"damping": 0.01, "activation_order": order,
                                    "static_groups": static}}

    def test_every_scheme(self):
        import numpy as np

        random = np.random.default_rng(0)
        mixing = random.standard_normal((40, 200))
        inputs = (random.standard_normal((500, 40)) @ mixing).astype(np.float32)
        inputs += random.standard_normal(inputs.shape).astype(np.float32) * np.float32(0.3)
        inputs[:, 7] *= np.float32(50)  # one outlier channel
        inputs[:, 11] = 0  # a dead one
        weight = random.standard_normal((16, 200)).astype(np.float32)
        weight[3] = 0
        weight[4] = np.float32(0.7)
        weight[5, 100] = np.float32(40)
        for scheme in self.schemes():
            with self.subTest(scheme=scheme):
                self.check(weight, inputs, scheme)

    def test_one_token_one_column_one_row(self):
        import numpy as np

        random = np.random.default_rng(1)
        for rows, columns, tokens in ((1, 60, 1), (5, 1, 9), (1, 1, 1)):
            weight = random.standard_normal((rows, columns)).astype(np.float32)
            inputs = random.standard_normal((tokens, columns)).astype(np.float32)
            for scheme in self.schemes():
                with self.subTest(scheme=scheme, shape=(rows, columns, tokens)):
                    self.check(weight, inputs, scheme)


if __name__ == "__main__":
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
