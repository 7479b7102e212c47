"""Whole jobs on a tiny checkpoint of every family: what is written still computes the same, and
evaluate repeats the figures of the summary."""

import json
import random
import shutil
import struct

from command import SHARED, WRONG_INPUT, CommandTest, Safetensors, calibrate, run_tests, scratch

ARCHITECTURES = SHARED / "golden" / "architectures"
WINDOWS, LENGTH = 6, 24


def write_ids(path, vocabulary):
    """A safetensors file with input_ids [WINDOWS, LENGTH]."""
    source = random.Random(7)
    ids = [source.randrange(vocabulary) for _ in range(WINDOWS * LENGTH)]
    data = struct.pack(f"<{len(ids)}q", *ids)
    header = json.dumps({"input_ids": {"dtype": "I64", "shape": [WINDOWS, LENGTH],
                                       "data_offsets": [0, len(data)]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def is_encoder(checkpoint):
    return json.loads((checkpoint / "config.json").read_text())["model_type"] in ("bert", "roberta")


class Families(CommandTest):
    def setUp(self):
        if not ARCHITECTURES.exists():
            self.skipTest(f"needs {ARCHITECTURES.relative_to(SHARED.parent)}, which is absent")

    def job(self, folder, checkpoint, transform, scheme):
        ids = folder / "ids.safetensors"
        write_ids(ids, 60)
        job = {"model": str(checkpoint),
               "calibration": {"corpus": str(ids), "samples": WINDOWS, "sequence_length": LENGTH},
               "transform": transform, "scheme": scheme, "output": str(folder / "out")}
        if not is_encoder(checkpoint):
            job["evaluate"] = {"perplexity": [str(ids)], "sequence_length": LENGTH}
        path = folder / "job.yaml"
        path.write_text(json.dumps(job, indent=1) + "\n")
        return path

    def check(self, checkpoint, transform, scheme):
        with scratch() as folder:
            summary = self.assert_document(calibrate(
                "run", self.job(folder, checkpoint, transform, scheme), "--json"))
            golden = checkpoint / "golden.safetensors"
            # Rounding of folded parameters, through a few blocks.
            self.assert_done(calibrate("verify", folder / "out/model", "--against", golden,
                                       "--tolerance", "1e-4"))
            self.assert_done(calibrate("inspect", folder / "out/quantized"))
            if not is_encoder(checkpoint):
                found = summary["perplexity"]["ids.safetensors"]
                document = self.assert_document(calibrate(
                    "evaluate", folder / "out/quantized", "--text", folder / "ids.safetensors",
                    "--sequence-length", LENGTH, "--json"))
                self.assertEqual(document["perplexity"]["ids.safetensors"], found["quantized"])
            return summary

    def test_os_plus(self):
        for checkpoint in sorted(ARCHITECTURES.iterdir()):
            with self.subTest(checkpoint.name):
                summary = self.check(checkpoint, {"method": "os_plus", "search_samples": 2},
                                     "w8a8")
                self.assertTrue(summary["sites"])

    def test_smoothquant_at_every_site_of_per_tensor_weights(self):
        scheme = {"weights": {"bits": 6, "granularity": "per_tensor"}, "activations": {"bits": 8}}
        for checkpoint in sorted(ARCHITECTURES.iterdir()):
            with self.subTest(checkpoint.name):
                self.check(checkpoint, {"method": "smoothquant",
                                        "sites": ["attention", "output", "mlp"]}, scheme)

    def test_plain_layout_leaves_post_layer_norm_alone(self):
        for name in ("bert-masked", "opt-350m"):
            with self.subTest(name), scratch() as folder:
                job = self.job(folder, ARCHITECTURES / name,
                               {"method": "os_plus", "plain_layout": True,
                                "sites": ["attention", "output", "mlp"]}, "w8a8")
                result = calibrate("run", job)
                self.assert_done(result)
                self.assertIn("left alone, since plain_layout", result.stdout + result.stderr)
                config = json.loads((folder / "out/model/config.json").read_text())
                self.assertNotIn("residual_transforms", config)

    def test_plain_layout_must_leave_something_and_change_something(self):
        for name, word in (("bert-masked", "without a site"), ("llama", "leave it out")):
            with self.subTest(name), scratch() as folder:
                job = self.job(folder, ARCHITECTURES / name,
                               {"method": "os_plus", "plain_layout": True}, "w8a8")
                self.assert_refused(calibrate("run", job), WRONG_INPUT, "plain_layout", word)
                self.assertFalse((folder / "out").exists())

    def test_outlier_suppression_and_awq(self):
        for checkpoint in sorted(ARCHITECTURES.iterdir()):
            with self.subTest(checkpoint.name):
                self.check(checkpoint, {"method": "outlier_suppression"}, "w8a8")
                self.check(checkpoint, {"method": "awq", "search_samples": 2},
                           {"name": "w4a16", "weights": {"group_size": 8}})

    def test_norms_called_gamma_and_beta(self):
        with scratch() as folder:
            model = folder / "model"
            shutil.copytree(ARCHITECTURES / "bert-masked", model)
            stored = Safetensors(model / "model.safetensors")
            for name in [name for name in stored.header if "LayerNorm." in name]:
                old = name.replace(".weight", ".gamma").replace(".bias", ".beta")
                stored.header[old] = stored.header.pop(name)
            stored.write(model / "model.safetensors")
            self.check(model, {"method": "os_plus", "search_samples": 2}, "w8a8")

    def test_weights_alone(self):
        for name in ("llama", "bloom", "mixtral", "gpt2"):
            with self.subTest(name):
                scheme = {"name": "w4a16", "weights": {"group_size": 8}}
                self.check(ARCHITECTURES / name, {"method": "smoothquant"}, scheme)

    def test_what_cannot_shift_is_said(self):
        with scratch() as folder:
            job = self.job(folder, ARCHITECTURES / "llama", {"method": "os_plus"}, "w8a8")
            result = calibrate("run", job)
            self.assert_done(result)
            self.assertIn("scale only, since RMSNorm has no bias", result.stdout + result.stderr)


if __name__ == "__main__":
    run_tests()
