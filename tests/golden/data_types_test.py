#!/usr/bin/env python3
"""Code books of weights against the maps of bitsandbytes, and codes against NumPy.

Maps agree within 1e-6, as they were written with fewer digits than float64. Decoded values agree to
the bit: both sides form float32(constant) * float32(value), the constant rounded to float16 and the
nearest found here by the middles of neighbours in float64, which are exact for such floats (a value
in the middle takes the lower one).
Exit status 77: NumPy or the built tool (EVENKEEL_SCHEME_CODES) is absent. Without ../shared, which
holds the maps, the comparison with them is skipped.
"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

TOOL = os.environ.get("EVENKEEL_SCHEME_CODES", "")
MAPS = (pathlib.Path(__file__).resolve().parents[3] / "shared" / "golden" / "datatypes" /
        "bitsandbytes_maps.json")
COLUMNS = 37


def quantized(tasks):
    """Each (weights, matrix) or (weights, matrix, kept columns) by the tool."""
    asked = []
    for weights, matrix, *kept in tasks:
        scheme = {"symmetric": False, "range": "minmax", "rounding": "nearest", **weights}
        asked.append({"scheme": {"weights": scheme, "activations": {"bits": 16},
                                 "propagate": "quantized"},
                      "weight": matrix.astype(float).tolist(), "kept": kept[0] if kept else []})
    done = subprocess.run([TOOL], input=json.dumps(asked), capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def adversarial(np):
    """Rows of which a block crosses the ends: no value, one outlier, denormals, ties."""
    random = np.random.default_rng(11)
    rows = [random.normal(size=COLUMNS) for _ in range(3)]
    rows += [np.zeros(COLUMNS), 1e-40 * random.normal(size=COLUMNS), np.full(COLUMNS, 1e-45),
             np.where(np.arange(COLUMNS) == 9, 6e4, random.normal(size=COLUMNS)),
             np.arange(COLUMNS) / 36.0 - 0.5, -np.exp2(-np.arange(COLUMNS) / 3.0),
             np.tile([0.5, -0.5], COLUMNS)[:COLUMNS], 1e-7 * random.normal(size=COLUMNS)]
    return np.array(rows, dtype=np.float32)


def runs(granularity, size, shape):
    """Lengths of the pieces that share a constant."""
    rows, columns = shape
    whole = {"per_tensor": [(rows * columns, rows * columns)], "per_block": [(rows * columns, size)],
             "per_channel": [(columns, columns)] * rows, "per_group": [(columns, size)] * rows}
    return [min(step, length - first) for length, step in whole[granularity]
            for first in range(0, length, step)]


def expected(np, values, flat, lengths, centered):
    """What the codes decode to, the constants and the means."""
    values = np.array(values, dtype=np.float32)
    out, constants, means, first = [], [], [], 0
    for length in lengths:
        block = flat[first:first + length]
        mean = np.float32(0)
        if centered:
            mean = np.float32(np.float16(np.float32(block.astype(np.float64).mean())))
            block = block - mean
        constant = np.float32(np.float16(np.abs(block).max()))
        meanings = constant * values
        middles = (meanings[:-1].astype(np.float64) + meanings[1:]) / 2
        out.append(meanings[np.searchsorted(middles, block.astype(np.float64))] + mean)
        constants.append(constant)
        means.append(mean)
        first += length
    return np.concatenate(out), constants, means if centered else []


def schemes():
    for bits in range(2, 9):
        yield {"bits": bits, "codes": "linear"}
        yield {"bits": bits, "codes": "quantile"}
        if bits < 3:
            continue
        yield {"bits": bits, "codes": "dynamic"}
        yield {"bits": bits, "codes": "float"}
        yield {"bits": bits, "codes": "float", "paper_exponents": True, "appendix_bias": True}
    yield {"bits": 4, "codes": "nf4"}
    yield {"bits": 4, "codes": "fp4"}


def sharings():
    yield {"granularity": "per_block", "block_size": 16}
    yield {"granularity": "per_block", "block_size": 64}
    yield {"granularity": "per_block", "block_size": 64, "centered": True}
    yield {"granularity": "per_tensor"}
    yield {"granularity": "per_channel"}
    yield {"granularity": "per_group", "group_size": 10}


class DataTypesTest(unittest.TestCase):
    def test_maps_of_bitsandbytes(self):
        if not MAPS.exists():
            self.skipTest("../shared, which holds the maps, is absent")
        maps = json.loads(MAPS.read_text())
        tasks, wanted = [], []
        for name, values in maps.items():
            scheme = {"granularity": "per_tensor", "codes": name}
            if name in ("nf4", "fp4"):
                scheme["bits"] = 4
            else:
                kind, bits = name.split("_")[0], int(name.split("_")[-1])
                scheme.update(codes=kind, bits=bits)
                if kind == "float":
                    scheme["exponent_bits"] = int(name.split("_e")[1][0])
            tasks.append((scheme, NUMPY.ones((1, 1))))
            # The linear maps have 0 twice, once as 6e-8 or so, which is one code here.
            linear = name.startswith("linear")
            wanted.append((name, sorted({value for value in values
                                         if not (linear and 0 < abs(value) < 1e-6)})))
        self.assertGreater(len(tasks), 30)
        for (name, values), found in zip(wanted, quantized(tasks), strict=True):
            self.assertEqual(len(found["book"]), len(values), name)
            self.assertLess(NUMPY.abs(NUMPY.array(found["book"]) - values).max(), 1e-6, name)

    def test_nearest_codes_of_adversarial_blocks(self):
        weight = adversarial(NUMPY)
        tasks = [({**data_type, **sharing}, weight)
                 for data_type in schemes() for sharing in sharings()]
        for (scheme, _), found in zip(tasks, quantized(tasks), strict=True):
            size = scheme.get("block_size", scheme.get("group_size", 0))
            decoded, constants, means = expected(
                NUMPY, found["book"], weight.reshape(-1),
                runs(scheme["granularity"], size, weight.shape), scheme.get("centered", False))
            self.assertEqual(found["steps"], [float(c) for c in constants], scheme)
            self.assertEqual(found["means"], [float(m) for m in means], scheme)
            NUMPY.testing.assert_array_equal(NUMPY.array(found["decoded"], NUMPY.float32), decoded,
                                             err_msg=str(scheme))

    def test_kept_columns(self):
        weight = adversarial(NUMPY)[:3]
        kept = [0, 17, 36]  # 8 percent of 37, rounded up
        scheme = {"bits": 3, "codes": "linear", "granularity": "per_block", "block_size": 16,
                  "proxy_percent": 8}
        found = quantized([(scheme, weight, kept)])[0]
        rest = NUMPY.delete(weight, kept, axis=1)
        decoded, _, _ = expected(NUMPY, found["book"], rest.reshape(-1),
                                 runs("per_block", 16, rest.shape), False)
        got = NUMPY.array(found["decoded"], NUMPY.float32).reshape(weight.shape)
        NUMPY.testing.assert_array_equal(NUMPY.delete(got, kept, axis=1), decoded.reshape(rest.shape))
        NUMPY.testing.assert_array_equal(got[:, kept], weight[:, kept].astype(NUMPY.float16))

    def test_quantiles_of_a_million_values(self):
        random = NUMPY.random.default_rng(5)
        size = (1, 1_000_000)
        drawn = [(4, random.normal(size=size)), (8, random.standard_t(3, size=size)),
                 (3, random.uniform(-1, 2, size=size))]
        tasks = [({"bits": bits, "codes": "quantile", "granularity": "per_tensor"},
                  values.astype(NUMPY.float32)) for bits, values in drawn]
        for (scheme, values), found in zip(tasks, quantized(tasks), strict=True):
            codes = 2**scheme["bits"]
            quantiles = NUMPY.quantile(values.astype(NUMPY.float64),
                                       NUMPY.arange(1, codes + 1) / (codes + 1))
            means = (quantiles[:-1] + quantiles[1:]) / 2
            book = NUMPY.sort(NUMPY.append(means / NUMPY.abs(means).max(), 0.0))
            # Both compute in float64; what is left is the rounding to float32, 2^-24 of 1 at most,
            # and positions of quantiles that differ in their last bit.
            self.assertLess(NUMPY.abs(book - found["book"]).max(), 2.0**-23, scheme)

    def test_too_large_for_a_constant(self):
        scheme = {"bits": 4, "codes": "nf4", "granularity": "per_block", "block_size": 64}
        with self.assertRaisesRegex(AssertionError, "70000.* 16-bit"):
            quantized([(scheme, NUMPY.full((1, 2), 7e4))])


if __name__ == "__main__":
    try:
        import numpy as NUMPY
    except ImportError:
        print("SKIPPED: NumPy is not installed; tests/run.sh installs it")
        sys.exit(77)
    if not TOOL:
        print("SKIPPED: EVENKEEL_SCHEME_CODES does not name the built tool")
        sys.exit(77)
    unittest.main()
