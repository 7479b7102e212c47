#!/usr/bin/env python3
"""What a job leaves, loaded by transformers (with compressed-tensors): logits and perplexities
against those of `calibrate` itself.

Exit status 77: transformers, torch or compressed-tensors (too large for tests/requirements.txt),
the command or ../shared is absent.
"""
import json
import math
import pathlib
import sys
import tempfile
import unittest

from architectures_test import CASES, VOCABULARY, write_case
from compressed_checkpoints import (LINEARS_ALONE, SHARED, calibrate, difference, load, run_job,
                                    why_not)

SKIPPED = 77
ARCHITECTURES = SHARED / "golden" / "architectures"
TOKENS = 24
# Both sides multiply the very same weights in float32, in another order.
WEIGHTS_ALONE = 1e-4
# Folded parameters are rounded to float32 on their way into model/.
FOLDED = 1e-4
# What agreement to three significant digits is, by the usual definition: 5 * 10^-3 of the value.
# Two correct programs came as near as 6e-4: a code that the last bit of a sum sends to the other
# side of a tie is another draw of the rounding noise for all that comes after it.
THREE_DIGITS = 5e-3

# Modules of GPT-2 hold weights transposed; transformers joins a mixture's experts as they load.
TRANSPOSED = ("gpt2",)
MIXTURES = ("mixtral",)
# Their linears' own forward reads the weight before it is unpacked.
UNPACKED_ONLY = ("falcon-7b", "falcon-40b")
POST_NORM = ("bert", "roberta", "opt-350m")


def language_models():
    return [folder for folder in sorted(ARCHITECTURES.iterdir()) if "bert" not in folder.name]


def write_ids(path, vocabulary, samples=6):
    import torch
    from safetensors.torch import save_file

    random = torch.Generator().manual_seed(7)
    ids = torch.randint(2, vocabulary, (samples, TOKENS), generator=random)
    save_file({"input_ids": ids}, path)
    return {"input_ids": ids[:2].contiguous()}


def weights(bits, symmetric, group=None):
    granularity = {"granularity": "per_group", "group_size": group} if group else {
        "granularity": "per_channel"}
    return {"bits": bits, "symmetric": symmetric, **granularity}


def nodes(name, granularity):
    """Of a scheme for the inputs of linears alone. transformers' OPT gives its MLP all tokens as
    one matrix, of which compressed-tensors 0.20 takes one range, not one by token: those are left.
    """
    if granularity == "per_token" and name.startswith("opt"):
        return {**LINEARS_ALONE, "mlp.*": {"bits": 16}}
    return LINEARS_ALONE


class Loading(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        if not ARCHITECTURES.exists():
            self.skipTest("needs ../shared/golden/architectures, which is absent")

    def leave(self, scheme, model, **settings):
        """A job's output, and inputs to compare on."""
        ids = self.folder / "ids.safetensors"
        inputs = write_ids(ids, 60)
        output = run_job(self.folder, scheme, model, ids, samples=6, length=TOKENS, **settings)
        return output, inputs

    def assert_alike(self, folder, inputs, dequantize):
        found = difference(folder, load(folder, dequantize), inputs)
        self.assertLessEqual(found["largest"], WEIGHTS_ALONE)
        self.assertGreater(found["scale"], 1e-2)
        return found["largest"]

    def check_weights_alone(self, model, own, form, name=""):
        """By every way of loading that there is; the largest difference."""
        output, inputs = self.leave({"weights": own, "activations": {"bits": 16}}, model)
        quantized = output / "quantized"
        config = json.loads((quantized / "config.json").read_text())["quantization_config"]
        self.assertEqual(config["format"], form)
        packed = form == "pack-quantized"
        worst = []
        for dequantize in (False, True):
            loads = name not in TRANSPOSED
            if name in MIXTURES:
                loads = packed and own["symmetric"]
            elif packed and not dequantize:
                loads = loads and own["symmetric"] and name not in UNPACKED_ONLY
            if loads:
                worst.append(self.assert_alike(quantized, inputs, dequantize))
            else:  # as the job's notes and the README say
                with self.assertRaises(Exception):
                    load(quantized, dequantize)(**inputs)
        return max(worst, default=math.nan)

    def test_weights_alone_of_every_family(self):
        for own in (weights(8, True), weights(8, False), weights(4, True, 16),
                    weights(4, False, 16)):
            for model in language_models():
                with self.subTest(model.name, **own):
                    worst = self.check_weights_alone(model, own, "pack-quantized", model.name)
                    print(f"{model.name}, {own}: {worst:.1e}", flush=True)

    def test_rows_that_do_not_fill_words(self):
        for name, group in (("opt", 2), ("llama", 4), ("gpt_neox", 4)):  # 30 and 52, 60 and 44
            model = self.folder / name
            write_case(model, *CASES[name], seed=3)
            for own in (weights(4, False), weights(8, False), weights(8, True, group),
                        weights(4, False, group)):
                with self.subTest(name, **own):
                    self.check_weights_alone(model, own, "pack-quantized")

    def test_other_widths_of_weights_alone(self):
        for bits in (2, 3, 5, 6, 7):
            for symmetric in (True, False):
                with self.subTest(bits=bits, symmetric=symmetric):
                    self.check_weights_alone(ARCHITECTURES / "llama", weights(bits, symmetric),
                                             "int-quantized")
        self.check_weights_alone(
            ARCHITECTURES / "llama",
            {"bits": 4, "symmetric": False, "granularity": "per_tensor"}, "int-quantized")

    def test_both_forms_in_one_checkpoint(self):
        scheme = {"weights": weights(4, True), "activations": {"bits": 8},
                  "nodes": {**LINEARS_ALONE, "attention.input": {"bits": 16},
                            "mlp.*": {"bits": 16}}}
        output, inputs = self.leave(scheme, ARCHITECTURES / "llama")
        config = json.loads((output / "quantized/config.json").read_text())["quantization_config"]
        self.assertEqual(config["format"], "mixed-precision")
        # Only the output projection's input has 8 bits: a code of it may fall to the other side.
        found = difference(output / "quantized", load(output / "quantized"), inputs)
        self.assertLessEqual(found["relative"], 1e-2)
        scheme["weights"] = weights(4, False)
        output, _ = self.leave(scheme, ARCHITECTURES / "llama")
        for dequantize in (False, True):  # as the job's note says
            with self.assertRaises(Exception):
                load(output / "quantized", dequantize)

    def test_activations_of_every_family(self):
        """The layout's inputs reach the right linears: far nearer than if they were left alone."""
        for activations in ({"bits": 8, "granularity": "per_tensor"},
                            {"bits": 8, "granularity": "per_token"}):
            for model in language_models():
                scheme = {"weights": weights(8, True), "activations": activations,
                          "nodes": nodes(model.name, activations["granularity"])}
                if model.name in TRANSPOSED + MIXTURES:
                    continue
                with self.subTest(model.name, **activations):
                    output, inputs = self.leave(scheme, model)
                    quantized = output / "quantized"
                    theirs = load(quantized)
                    found = difference(quantized, theirs, inputs)
                    for module in theirs.modules():
                        module.quantization_enabled = False
                    alone = difference(quantized, theirs, inputs)
                    print(f"{model.name}, {activations}: {found['mean'] / alone['mean']:.2g}")
                    self.assertLess(found["mean"], 0.1 * alone["mean"])

    def test_folded_models_of_every_family(self):
        for model in sorted(ARCHITECTURES.iterdir()):
            with self.subTest(model.name):
                # Elsewhere the residual reads tensors that only calibrate knows.
                plain = {"plain_layout": True} if model.name.startswith(POST_NORM) else {}
                output, inputs = self.leave("w8a8", model, transform="smoothquant",
                                            sites=["attention", "output", "mlp"], **plain)
                found = difference(output / "model", load(output / "model"), inputs)
                self.assertLessEqual(found["relative"], FOLDED)
                print(f"{model.name}: {found['relative']:.1e}", flush=True)


class Perplexity(unittest.TestCase):
    WINDOWS, LENGTH, CALIBRATION = 8, 512, 4

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def held_out(self, model, name, windows):
        """The first windows of a corpus, as a file of token ids."""
        import torch
        from safetensors.torch import save_file
        from tokenizers import Tokenizer

        lines = (SHARED / "data/corpus" / name).read_text(encoding="utf-8").splitlines()
        text = "\n\n".join(json.loads(line)["text"] for line in lines)[:40 * windows * self.LENGTH]
        ids = Tokenizer.from_file(str(model / "tokenizer.json")).encode(
            text, add_special_tokens=False).ids[:windows * self.LENGTH]
        ids = torch.tensor(ids).reshape(windows, self.LENGTH)
        path = self.folder / f"{name}.safetensors"
        save_file({"input_ids": ids}, path)
        return path, ids

    def theirs(self, folder, ids):
        import torch

        model = load(folder)
        total = 0.0
        with torch.no_grad():
            for window in ids:
                likelihood = torch.log_softmax(model(window[None]).logits[0, :-1].double(), dim=-1)
                total -= likelihood.gather(1, window[1:, None]).sum().item()
        return math.exp(total / (ids.shape[0] * (ids.shape[1] - 1)))

    def test_eight_bits(self):
        for name in ("opt-3m-outlier", "llama-17m"):
            model = SHARED / "models" / name
            if not model.exists():
                self.skipTest("needs ../shared/models, which is absent")
            text, ids = self.held_out(model, "heldout.jsonl", self.WINDOWS)
            corpus, _ = self.held_out(model, "calibration.jsonl", self.CALIBRATION)
            for granularity in ("per_tensor", "per_token"):
                for symmetric in (False, True):
                    with self.subTest(name, granularity=granularity, symmetric=symmetric):
                        places = nodes(name, granularity)
                        # Asymmetric weights load only where all are in one form.
                        scheme = {"weights": weights(8, symmetric or places != LINEARS_ALONE),
                                  "nodes": places,
                                  "activations": {"bits": 8, "granularity": granularity,
                                                  "symmetric": symmetric}}
                        output = run_job(self.folder, scheme, model, corpus, "smoothquant",
                                         self.CALIBRATION, self.LENGTH)
                        ours = calibrate("evaluate", output / "quantized", "--text", text,
                                         "--sequence-length", self.LENGTH)["perplexity"][text.name]
                        theirs = self.theirs(output / "quantized", ids)
                        print(f"{name}, {granularity}, symmetric {symmetric}: {ours:.4f}, "
                              f"transformers {theirs:.4f}", flush=True)
                        self.assertLess(abs(theirs / ours - 1), THREE_DIGITS)


if __name__ == "__main__":
    missing = why_not()
    if missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    unittest.main()
