#!/usr/bin/env python3
"""Logits of llama-17m in every type of a GGUF file that is read.

Expected: the bytes of the file, decoded by PyPI's `gguf`, run through a forward in float64 that
shares nothing with Evenkeel's and that is itself held to transformers'.
Exit status 77: a package, the command or the shared files are absent.
"""
import pathlib
import sys
import tempfile
import unittest

from gguf_files import ARCHITECTURES, COMMAND, LLAMA, READ, SKIPPED, WRITTEN, run, why_not

# Of the largest logit. Evenkeel computes in float32: eight blocks of sums of up to 1024 products
# leave about 2^-24 * sqrt(1024) = 2e-6.
TOLERANCE = 1e-5
SEQUENCES, TOKENS = 2, 48


def relative(actual, expected):
    return np.abs(actual - expected).max() / np.abs(expected).max()


def all_logits(config, tensors, ids):
    return np.stack([llama_forward.logits(config, tensors, row) for row in ids])


class Logits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.config, cls.tensors = models.read_checkpoint(LLAMA)
        random = np.random.default_rng(1)
        cls.ids = random.integers(0, cls.config["vocab_size"], (SEQUENCES, TOKENS))
        cls.original = all_logits(cls.config, cls.tensors, cls.ids)

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def check(self, checkpoint, logits):
        """Holds the checkpoint's logits to `logits`."""
        self.assertTrue(np.isfinite(logits).all())
        against = self.folder / "expected.safetensors"
        safetensors.numpy.save_file({"input_ids": self.ids, "logits": logits.astype(np.float32)},
                                    against)
        run(COMMAND, "verify", checkpoint, "--against", against, "--tolerance", TOLERANCE)

    def test_the_expected_logits_are_those_of_transformers(self):
        config, tensors = models.read_checkpoint(ARCHITECTURES / "llama")
        golden = safetensors.numpy.load_file(ARCHITECTURES / "llama" / "golden.safetensors")
        self.assertTrue(golden["attention_mask"].all())
        actual = all_logits(config, tensors, golden["input_ids"])
        self.assertLess(relative(actual, golden["logits"]), TOLERANCE)

    def test_the_original(self):
        self.check(LLAMA, self.original)

    def test_every_type(self):
        for name in WRITTEN + READ:
            with self.subTest(name):
                file = self.folder / f"{name}.gguf"
                decoded = models.write_gguf(file, self.config, self.tensors,
                                            gguf.GGMLQuantizationType[name])
                used = {tensor.tensor_type.name for tensor in gguf.GGUFReader(file).tensors}
                self.assertIn(name, used)
                tensors = models.restored_llama(self.config, decoded, self.tensors)
                expected = all_logits(self.config, tensors, self.ids)
                self.check(file, expected)
                # llama-17m is stored in F16. Any other type moves its logits far beyond the
                # tolerance, so that weights taken from elsewhere cannot pass, yet not to nonsense.
                change = relative(expected, self.original)
                if name in ("F32", "F16"):
                    self.assertEqual(change, 0)
                else:
                    self.assertGreater(change, 100 * TOLERANCE)
                    self.assertLess(change, 0.3)


if __name__ == "__main__":
    reason = why_not(("gguf", "numpy", "safetensors"), ("EVENKEEL_CALIBRATE",),
                     (LLAMA, ARCHITECTURES))
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    import gguf
    import numpy as np
    import safetensors.numpy

    import gguf_models as models
    import llama_forward

    unittest.main()
