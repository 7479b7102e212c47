#!/usr/bin/env python3
"""Paired tests of two figures against SciPy's, of several seeds against the header's formula in
NumPy with SciPy's distribution, Holm's procedure in NumPy, and the share of false alarms.
Exit status 77: NumPy, SciPy or the tool that prints our tests is absent.
"""
import json
import math
import os
import subprocess
import sys
import unittest

TOOL = os.environ.get("EVENKEEL_PAIRED_TESTS", "")
SKIPPED = 77
COUNTS = [2, 3, 5, 10, 50, 120, 300]
# Both sides sum up to 300 doubles of the size of 1, in different orders, then divide: errors of
# some 300 eps = 7e-14 of what is summed. Differences of near-equal figures lose no more than the
# two digits that COUNTS allows for.
CLOSE = 1e-11
# p falls off with t as exp(-t^2 / 2) or t^-degrees, so that an error of t is that of p times t^2 or
# the degrees: at most some hundreds here, where larger t have p below TINY.
P_CLOSE = 1e-9
TINY = 1e-200


def why_not():
    """What is missing for this test, or nothing."""
    for package in ("numpy", "scipy.stats"):
        try:
            __import__(package)
        except ImportError as error:
            return f"needs the PyPI package '{package.split('.', maxsplit=1)[0]}' ({error})"
    if not os.access(TOOL, os.X_OK):
        return "needs EVENKEEL_PAIRED_TESTS to name the built tests/support/tools/paired_tests"
    return None


def ours(tests, metric="accuracy"):
    """What the product's tool prints of a table of (figures, baselines), each a list of seeds."""
    table = {"metric": metric,
             "tests": [{"figures": [list(map(float, seed)) for seed in figures],
                        "baselines": [list(map(float, seed)) for seed in baselines]}
                       for figures, baselines in tests]}
    done = subprocess.run([TOOL], input=json.dumps(table), capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def pairs(seed):
    """(name, a, b) of one seed each: normal terms, ties, right or wrong answers, for each count."""
    import numpy as np

    generator = np.random.default_rng(seed)
    for count in COUNTS:
        a = generator.normal(size=count)
        yield f"normal {count}", a, a * 0.9 + 0.2 * generator.normal(size=count)
        whole = generator.integers(0, 4, (2, count)).astype(float)
        whole[:, 0] = [3, 1]  # never all alike, where a test has no error to divide by
        whole[:, 1] = [1, 1]
        yield f"ties {count}", *whole
        right = (generator.random((2, count)) < [[0.6], [0.5]]).astype(float)
        right[:, 0] = [1, 0]
        right[:, 1] = [0, 0]
        yield f"answers {count}", *right


def by_formula(figures, baselines):
    """difference, standard error and degrees, as calib/compare/paired_difference.h says."""
    import numpy as np

    a, b = np.array(figures), np.array(baselines)  # [seeds, terms]

    def part(values):
        """The variance of their mean, and its degrees of freedom; none of a single value."""
        if len(values) < 2:
            return []
        return [(np.var(values, ddof=1) / len(values), len(values) - 1)]

    terms = a.mean(axis=0) - b.mean(axis=0)
    parts = part(terms)
    if len(a) == len(b):
        parts += part(a.mean(axis=1) - b.mean(axis=1))
    else:
        parts += part(a.mean(axis=1)) + part(b.mean(axis=1))
    variance = sum(each for each, _ in parts)
    welch = variance ** 2 / sum(each ** 2 / degrees for each, degrees in parts)
    return terms.mean(), math.sqrt(variance), welch


def holm(values):
    """Adjusted p values: in rising order (m - k) p_k with k from 0, none below one before it."""
    import numpy as np

    values = np.array(values)
    order = np.argsort(values, kind="stable")
    steps = np.minimum(1.0, (len(values) - np.arange(len(values))) * values[order])
    adjusted = np.empty(len(values))
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


class PairedTests(unittest.TestCase):
    def assert_close(self, found, expected, within, what):
        self.assertIsNotNone(found, what)  # NaN, which JSON has not
        self.assertTrue(math.isclose(found, expected, rel_tol=within, abs_tol=TINY),
                        f"{what}: {found} is not {expected}")

    def test_one_seed_is_the_paired_t_test(self):
        from scipy import stats

        for seed in range(5):
            cases = list(pairs(seed))
            for (name, a, b), test in zip(cases, ours([([a], [b]) for _, a, b in cases])):
                with self.subTest(name, seed=seed):
                    expected = stats.ttest_rel(a, b)
                    self.assert_close(test["degrees"], expected.df, CLOSE, "degrees")
                    self.assertLess(abs(test["difference"] - (a - b).mean()), CLOSE)
                    self.assert_close(test["standard_error"], stats.sem(a - b), CLOSE, "error")
                    self.assert_close(test["p_value"], expected.pvalue, P_CLOSE, "p")

    def test_perplexities_are_compared_by_their_terms(self):
        from scipy import stats

        cases = [(a + 4.0, b + 4.0) for name, a, b in pairs(11) if name.startswith("normal")]
        for (a, b), test in zip(cases, ours([([a], [b]) for a, b in cases], "perplexity")):
            self.assertLess(abs(test["difference"] - (a - b).mean()), CLOSE)
            self.assert_close(test["p_value"], stats.ttest_rel(a, b).pvalue, P_CLOSE, "p")

    def test_seeds_add_their_variance(self):
        import numpy as np
        from scipy import stats

        generator = np.random.default_rng(5)
        cases = []
        for seeds in [(1, 2), (2, 1), (3, 3), (3, 5), (8, 1), (2, 2)]:
            for count in COUNTS:
                of_terms = generator.normal(size=count)  # what all seeds have of a window
                cases.append([[of_terms + 0.1 * generator.normal() +
                               0.3 * generator.normal(size=count) for _ in range(each)]
                              for each in seeds])
        for (figures, baselines), test in zip(cases, ours(cases)):
            difference, error, degrees = by_formula(figures, baselines)
            with self.subTest(seeds=(len(figures), len(baselines)), count=len(figures[0])):
                self.assertLess(abs(test["difference"] - difference), CLOSE)
                self.assert_close(test["standard_error"], error, CLOSE, "error")
                self.assert_close(test["degrees"], degrees, CLOSE, "degrees")
                expected = 2 * stats.t.sf(abs(difference) / error, degrees)
                self.assert_close(test["p_value"], expected, P_CLOSE, "p")

    def test_a_table_is_adjusted_by_holm(self):
        import numpy as np

        for seed in range(20):
            generator = np.random.default_rng(seed)
            # Some rows differ, others do not, and two are one, so that their p is the same.
            rows = [generator.normal(loc=loc, size=30) for loc in generator.choice([0, 0.4, 1], 9)]
            tests = ours([([row], [np.zeros(30)]) for row in [*rows, rows[0]]])
            expected = holm([test["p_value"] for test in tests])
            for test, adjusted in zip(tests, expected):
                # The same doubles multiplied by whole numbers: one rounding each.
                self.assert_close(test["adjusted_p_value"], adjusted, 1e-15, "adjusted p")

    def test_what_does_not_differ_rarely_seems_to(self):
        import numpy as np

        runs, level = 4000, 0.05
        # The binomial's standard deviation, 0.34 %; beyond four of them is one case of 16000, and
        # the seed is fixed.
        within = 4 * math.sqrt(level * (1 - level) / runs)
        generator = np.random.default_rng(2026)
        # The test is exact of normal differences, whatever they share, even of few.
        for count in (4, 25):
            shared = generator.normal(size=(runs, count))
            own = generator.normal(size=(2, runs, count))
            found = ours([([a], [b]) for a, b in zip(shared + own[0], shared + own[1])])
            share = np.mean([test["p_value"] < level for test in found])
            self.assertLess(abs(share - level), within, f"{count} terms")


if __name__ == "__main__":
    if reason := why_not():
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
