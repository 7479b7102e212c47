#!/usr/bin/env python3
"""The quantized checkpoints of `calibrate run`, read by PyPI's `compressed-tensors`.

Its quantization_config is accepted; every weight decompresses to exactly the floats that the
definition in quantizers/affine.h gives for it (in numpy, below); and compressing those gives the
same bytes again.
Exit status 77: the package (with torch and transformers, so not in tests/requirements.txt), or the
command is absent.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
QUICKSTART = SOURCE / "configs" / "quickstart"
COMMAND = os.environ.get("EVENKEEL_CALIBRATE", "")
SKIPPED = 77


def why_not():
    """What is missing for this test, or nothing."""
    try:
        import compressed_tensors  # noqa: F401
    except ImportError:
        return "needs the PyPI package 'compressed-tensors'"
    if not os.access(COMMAND, os.X_OK):
        return "needs EVENKEEL_CALIBRATE to name the built command"
    return None


def run_job(folder, weights, activations):
    """Runs a short job that leaves the weights as they are; the folder of its output."""
    job = {
        "model": str(QUICKSTART / "opt-3m-outlier"),
        "calibration": {"corpus": str(QUICKSTART / "calibration.txt"), "samples": 2,
                        "sequence_length": 32},
        "transform": {"method": "none"},
        "scheme": {"weights": weights, "activations": activations},
        "output": str(folder / "out"),
    }
    path = folder / "job.yaml"
    path.write_text(json.dumps(job, indent=1))
    done = subprocess.run([COMMAND, "run", str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return folder / "out"


def tensors_of(folder):
    from safetensors.torch import load_file

    tensors = {}
    for shard in sorted(folder.glob("*.safetensors")):
        tensors.update(load_file(shard))
    return tensors


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
    def check(self, weights, activations):
        import numpy as np
        import torch
        from compressed_tensors.compressors import BaseCompressor
        from compressed_tensors.compressors.format import infer_module_format
        from compressed_tensors.quantization import QuantizationConfig

        with tempfile.TemporaryDirectory() as folder:
            output = run_job(pathlib.Path(folder), weights, activations)
            config = json.loads((output / "quantized" / "config.json").read_text())
            stored = tensors_of(output / "quantized")
        original = tensors_of(QUICKSTART / "opt-3m-outlier")
        parsed = QuantizationConfig.model_validate(config["quantization_config"])
        scheme = parsed.config_groups["group_0"]
        compressor = BaseCompressor.get_value_from_registry(parsed.format)
        # What a reader takes for granted, where the group does not say it.
        inferred = infer_module_format(torch.nn.Linear, scheme).value
        self.assertEqual(parsed.format, scheme.format or inferred)

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
                   {"bits": 8, "granularity": "per_channel"})


if __name__ == "__main__":
    missing = why_not()
    if missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    unittest.main()
