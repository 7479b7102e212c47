#!/usr/bin/env python3
"""The quantized checkpoints of `calibrate run`, read by PyPI's `compressed-tensors`.

Its quantization_config is accepted; every weight decompresses to exactly the floats that the
definition in quantizers/affine.h gives for it (in numpy, below); and compressing those gives the
same bytes again.
Exit status 77: transformers, torch or compressed-tensors (too large for tests/requirements.txt) or
the command is absent.
"""
import json
import pathlib
import sys
import tempfile
import unittest

from compressed_checkpoints import QUICKSTART, run_job, tensors_of, why_not

SKIPPED = 77


def defined_weight(weight, scheme):
    """Fake quantization of a [rows, columns] weight as affine.h defines it, in float32."""
    import numpy as np

    bits, symmetric = scheme["bits"], scheme["symmetric"]
    width = {"per_tensor": weight.size, "per_channel": weight.shape[1],
             "per_group": scheme.get("group_size")}[scheme["granularity"]]
    pieces = weight.astype(np.float32).reshape(-1, width)
    low = np.minimum(pieces.min(axis=1, keepdims=True), np.float32(0))
    high = np.maximum(pieces.max(axis=1, keepdims=True), np.float32(0))
    smallest = np.finfo(np.float32).eps
    if symmetric:
        last = np.float32(2 ** (bits - 1) - 1)
        first, zero = -last, np.float32(0)
        step = np.maximum(np.maximum(-low, high) / last, smallest)
    else:
        first, last = np.float32(0), np.float32(2**bits - 1)
        step = np.maximum((high - low) / last, smallest)
        zero = np.clip(-np.rint(low / step), first, last)
    codes = np.clip(np.rint(pieces / step) + zero, first, last)
    return (step * (codes - zero)).reshape(weight.shape)


class PackedCheckpoints(unittest.TestCase):
    def check(self, weights, activations, form="int-quantized"):
        import numpy as np
        import torch
        from compressed_tensors.compressors import BaseCompressor
        from compressed_tensors.compressors.format import infer_module_format
        from compressed_tensors.quantization import QuantizationConfig

        with tempfile.TemporaryDirectory() as folder:
            output = run_job(pathlib.Path(folder),
                             {"weights": weights, "activations": activations})
            config = json.loads((output / "quantized" / "config.json").read_text())
            stored = tensors_of(output / "quantized")
        original = tensors_of(QUICKSTART / "opt-3m-outlier")
        parsed = QuantizationConfig.model_validate(config["quantization_config"])
        scheme = parsed.config_groups["group_0"]
        compressor = BaseCompressor.get_value_from_registry(parsed.format)
        self.assertEqual(parsed.format, form)
        self.assertEqual(scheme.format, form)
        if form == "pack-quantized" or scheme.input_activations is not None:
            self.assertEqual(infer_module_format(torch.nn.Linear, scheme).value, form)

        modules = [n.removesuffix(".weight_scale") for n in stored if n.endswith(".weight_scale")]
        self.assertEqual(len(modules), 6 * 6)
        for module in modules:
            state = {name.removeprefix(module + "."): tensor for name, tensor in stored.items()
                     if name.startswith(module + ".weight")}
            self.assertEqual(set(state), set(compressor.compression_param_names(scheme)))
            plain = compressor.decompress(dict(state), scheme)
            expected = defined_weight(original[module + ".weight"].float().numpy(), weights)
            np.testing.assert_array_equal(plain["weight"].numpy(), expected, module)

            again = compressor.compress(
                {"weight": plain["weight"], "weight_scale": state["weight_scale"],
                 "weight_zero_point": plain.get(
                     "weight_zero_point",
                     torch.zeros_like(state["weight_scale"], dtype=torch.int8))}, scheme)
            for name, tensor in state.items():
                self.assertTrue(torch.equal(again[name], tensor), f"{module}.{name}")

    def test_rows_and_tensors(self):
        for bits, granularity, symmetric in ((8, "per_channel", False), (8, "per_tensor", True),
                                             (6, "per_channel", False), (4, "per_channel", True),
                                             (3, "per_tensor", False)):
            with self.subTest(bits=bits, granularity=granularity, symmetric=symmetric):
                weights = {"bits": bits, "granularity": granularity, "symmetric": symmetric}
                self.check(weights, {"bits": bits, "granularity": "per_tensor"})

    def test_groups(self):
        for bits in (4, 8):
            with self.subTest(bits=bits):
                weights = {"bits": bits, "granularity": "per_group", "symmetric": False,
                           "group_size": 64}
                self.check(weights, {"bits": 8, "granularity": "per_token"})

    def test_channels_of_activations_are_left_out(self):
        self.check({"bits": 4, "granularity": "per_channel", "symmetric": False},
                   {"bits": 8, "granularity": "per_channel"}, "pack-quantized")

    def test_weights_alone(self):
        for bits, form in ((8, "pack-quantized"), (4, "pack-quantized"), (3, "int-quantized")):
            for group in ({"granularity": "per_channel"},
                          {"granularity": "per_group", "group_size": 64}):
                for symmetric in (True, False):
                    with self.subTest(bits=bits, symmetric=symmetric, **group):
                        self.check({"bits": bits, "symmetric": symmetric, **group}, {"bits": 16},
                                   form)


if __name__ == "__main__":
    missing = why_not()
    if missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    unittest.main()
