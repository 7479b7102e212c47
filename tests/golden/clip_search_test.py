#!/usr/bin/env python3
"""Limits and codes of the clip search against the formulas of AWQ's published `auto_clip` in plain
NumPy (Lin et al. 2023): each group's products on every token, in float64.
Exit status 77: NumPy or the tool that prints our codes is absent.
"""
import sys
import unittest

from gptq_test import SKIPPED, affine, our_task, why_not


def our_limits(weight, inputs, scheme):
    """Codes [rows, columns] and limits [rows, groups] of the product."""
    import numpy as np

    found = our_task(weight, inputs, scheme, clip=True)
    return (np.array(found["codes"]).reshape(weight.shape),
            np.array(found["limits"], np.float32).reshape(len(weight), -1))


def rounded(values, scheme):
    """Codes of [rows, columns] with one step a row, and what they stand for, in float32."""
    import numpy as np

    bits = scheme["bits"]
    first, last = ((1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1) if scheme["symmetric"]
                   else (0, 2**bits - 1))
    step, zero = affine(values, bits, scheme["symmetric"])
    codes = np.clip(np.rint(values / step) + zero, first, last)
    return codes, step * (codes - zero).astype(np.float32)


def plain_clip(weight, inputs, scheme):
    """Codes [rows, columns] and limits [rows, groups]."""
    import numpy as np

    columns = weight.shape[1]
    width = scheme["group_size"] if scheme["granularity"] == "per_group" else columns
    codes, limits = [], []
    for first in range(0, columns, width):
        w = weight[:, first:first + width]
        x = inputs[:, first:first + width].astype(np.float64)
        org_max = np.abs(w).max(axis=1, keepdims=True)
        best, least = org_max.copy(), np.full_like(org_max, np.inf, dtype=np.float64)
        for i in range(int(0.5 * 20)):
            limit = org_max * np.float32(1 - i / 20)
            _, values = rounded(np.clip(w, -limit, limit), scheme)
            # The published float16 products less each other; here of the difference, so that no
            # digit is lost.
            error = ((x @ (values - w).T.astype(np.float64)) ** 2).mean(axis=0)[:, None]
            better = error < least
            least[better], best[better] = error[better], limit[better]
        codes.append(rounded(np.clip(w, -best, best), scheme)[0])
        limits.append(best)
    return np.concatenate(codes, axis=1).astype(int), np.concatenate(limits, axis=1)


class ClipSearch(unittest.TestCase):
    def check(self, weight, inputs, granularity, symmetric, bits):
        import numpy as np

        scheme = {"bits": bits, "granularity": granularity, "symmetric": symmetric,
                  "range": "minmax", "rounding": "nearest", "group_size": 48}
        with self.subTest(**scheme, shape=weight.shape, tokens=len(inputs)):
            codes, limits = our_limits(weight, inputs, scheme)
            expected_codes, expected_limits = plain_clip(weight, inputs, scheme)
            # Both sum in double, and no two limits of this data give errors within 1e-12 of each
            # other: the same limit, and so the same codes.
            np.testing.assert_array_equal(limits, expected_limits)
            np.testing.assert_array_equal(codes, expected_codes)
            return (limits.max(axis=1) < np.abs(weight).max(axis=1)).any()

    def check_all(self, weight, inputs):
        found = []
        for granularity in ("per_channel", "per_group"):
            for symmetric in (False, True):
                for bits in (3, 4, 8):
                    found.append(self.check(weight, inputs, granularity, symmetric, bits))
        return found

    def test_random_and_adversarial_rows(self):
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
        weight[6, 48:96] = 0
        weight[7] = -np.abs(weight[7])
        self.assertTrue(any(self.check_all(weight, inputs)))  # something is cut off

    def test_one_token_one_column_one_row(self):
        import numpy as np

        random = np.random.default_rng(1)
        for rows, columns, tokens in ((1, 60, 1), (5, 1, 9), (1, 1, 1)):
            self.check_all(random.standard_normal((rows, columns)).astype(np.float32),
                           random.standard_normal((tokens, columns)).astype(np.float32))

    def test_inputs_of_zero_cut_nothing_off(self):
        import numpy as np

        weight = np.random.default_rng(2).standard_normal((4, 60)).astype(np.float32)
        self.check_all(weight, np.zeros((3, 60), np.float32))


if __name__ == "__main__":
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
