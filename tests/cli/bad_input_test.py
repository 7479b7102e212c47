"""Every kind of bad input: one clear line, the documented status, existing outputs untouched."""

import json
import struct

from command import (CALIBRATION_TEXT, DONE, EVALUATION_TEXT, WRONG_INPUT, WRONG_USAGE, CommandTest,
                     Safetensors, calibrate, copy_model, digest, make_folder, run_tests, scratch,
                     small_job)

HALF_NAN = struct.pack("<H", 0x7E00)
HALF_INFINITY = struct.pack("<H", 0x7C00)


def entry_of(stored, name):
    """A tensor's full name and header entry, by the end of its name."""
    return next((key, value) for key, value in stored.header.items() if key.endswith(name))


def put_bytes(stored, name, value):
    begin = entry_of(stored, name)[1]["data_offsets"][0]
    stored.data[begin:begin + len(value)] = value


def overlap(stored):
    """One element of the tensor before it becomes this tensor's, too."""
    entry = entry_of(stored, "layers.2.fc1.bias")[1]
    entry["data_offsets"][0] -= 2
    entry["shape"][0] += 1


def shared_bytes(stored):
    entry_of(stored, "layers.2.fc1.bias")[1]["data_offsets"] = list(
        entry_of(stored, "layers.3.fc1.bias")[1]["data_offsets"])


def beyond(stored):
    entry = max((value for key, value in stored.header.items() if key != "__metadata__"),
                key=lambda each: each["data_offsets"][1])
    entry["data_offsets"][1] += 2
    entry["shape"] = [1, (entry["data_offsets"][1] - entry["data_offsets"][0]) // 2]


def wrong_dtype(stored):
    entry_of(stored, "layers.2.fc1.bias")[1]["dtype"] = "F32"


# What is done to the weights, and words that the message must have.
WEIGHTS = {
    "offsets beyond the file": (beyond, []),
    "offsets beyond any file": (
        lambda stored: entry_of(stored, "layers.2.fc1.bias")[1].update(
            data_offsets=[2**63, 2**63 + 1536]), []),
    "overlapping tensors": (overlap, ["layers.2.fc1.bias", "overlap"]),
    "two tensors of the same bytes": (shared_bytes, []),
    "dtype that does not match its bytes": (wrong_dtype, ["fc1.bias"]),
    "unknown dtype": (
        lambda stored: entry_of(stored, "layers.2.fc1.bias")[1].update(dtype="F17"), ["F17"]),
    "missing tensor": (
        lambda stored: stored.remove(entry_of(stored, "layers.2.self_attn.q_proj.weight")[0]),
        ["layers.2.self_attn.q_proj.weight"]),
    "NaN weight": (
        lambda stored: put_bytes(stored, "layers.2.fc1.weight", HALF_NAN),
        ["layers.2.fc1.weight"]),
    "infinite weight": (
        lambda stored: put_bytes(stored, "layers.5.fc2.weight", HALF_INFINITY),
        ["layers.5.fc2.weight"]),
    "NaN embedding": (
        lambda stored: put_bytes(stored, "embed_positions.weight", HALF_NAN * 400),
        ["embed_positions.weight"]),
}

# What is changed in config.json, and words that the message must have.
CONFIG = {
    "vocab_size too large": ({"vocab_size": 4097}, ["vocab_size"]),
    "vocab_size too small": ({"vocab_size": 100}, ["vocab_size"]),
    "vocab_size no number": ({"vocab_size": "many"}, ["vocab_size"]),
    "unknown model_type": ({"model_type": "perceptron"}, ["perceptron", "opt"]),
    "heads that do not divide": ({"num_attention_heads": 7}, ["config.json", "7 heads do not divide 192"]),
    "more blocks than there are": ({"num_hidden_layers": 7}, ["layers.6"]),
}


class BadInput(CommandTest):
    """A good run first; each fault then meets its outputs."""

    @classmethod
    def setUpClass(cls):
        place = scratch()
        cls.place = place.__enter__()
        cls.addClassCleanup(place.__exit__, None, None, None)
        first = calibrate("run", small_job(cls.place))
        assert first.returncode == DONE, first.stderr
        cls.outputs = digest(cls.place / "out")

    def assert_harmless(self, status, words, *settings, **changes):
        """A run that is refused, into the folder of the good run."""
        job = small_job(make_folder(self.place / "job"), output=str(self.place / "out"), **changes)
        result = calibrate("run", job, "--quiet", *settings)
        self.assert_refused(result, status, *words)
        self.assertEqual(digest(self.place / "out"), self.outputs)

    def assert_model_refused(self, model, *words):
        self.assert_harmless(WRONG_INPUT, words, model=str(model))
        self.assert_refused(
            calibrate("evaluate", model, "--text", EVALUATION_TEXT, "--windows", "1", "--quiet"),
            WRONG_INPUT, *words)

    def test_weights(self):
        for name, (spoil, words) in WEIGHTS.items():
            with self.subTest(name), scratch() as folder:
                model = copy_model(folder / "model")
                stored = Safetensors(model / "model.safetensors")
                spoil(stored)
                stored.write(model / "model.safetensors")
                self.assert_model_refused(model, "model", *words)

    def test_config(self):
        for name, (change, words) in CONFIG.items():
            with self.subTest(name), scratch() as folder:
                model = copy_model(folder / "model")
                config = json.loads((model / "config.json").read_text())
                (model / "config.json").write_text(json.dumps({**config, **change}))
                self.assert_model_refused(model, *words)

    def test_config_that_is_no_json(self):
        for content in [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000]:
            with self.subTest(content[:10]), scratch() as folder:
                model = copy_model(folder / "model")
                (model / "config.json").write_bytes(content)
                self.assert_model_refused(model, "config.json")

    def test_absent_parts_of_a_checkpoint(self):
        for part in ["config.json", "model.safetensors", "tokenizer.json"]:
            with self.subTest(part), scratch() as folder:
                model = copy_model(folder / "model")
                (model / part).unlink()
                self.assert_model_refused(model, part)
        self.assert_model_refused(self.place / "nowhere", "nowhere")

    def test_header_truncated_at_every_97th_byte(self):
        with scratch() as folder:
            model = copy_model(folder / "model")
            weights = model / "model.safetensors"
            whole = weights.read_bytes()
            for size in [*range(0, Safetensors(weights).header_end, 97), len(whole) - 1]:
                weights.write_bytes(whole[:size])
                with self.subTest(size):
                    self.assert_harmless(WRONG_INPUT, ["model.safetensors"], model=str(model))

    def test_header_length_that_lies(self):
        with scratch() as folder:
            model = copy_model(folder / "model")
            weights = model / "model.safetensors"
            whole = weights.read_bytes()
            for length in [0, 1, len(whole), 2**32, 2**63, 2**64 - 1, 2**64 - 8]:
                weights.write_bytes(struct.pack("<Q", length) + whole[8:])
                with self.subTest(length):
                    self.assert_harmless(WRONG_INPUT, ["model.safetensors"], model=str(model))

    def test_corpus(self):
        with scratch() as folder:
            cases = {
                "empty.txt": (b"", ["empty"]),
                "short.txt": (b"far too short", ["samples"]),
                "bytes.txt": (b"\xff\xfe" * 1000, ["bytes.txt", "UTF-8"]),
                "empty.jsonl": (b"", ["empty"]),
                "broken.jsonl": (b'{"text": "a"}\n{"text": \n', ["broken.jsonl", "2"]),
                "keyless.jsonl": (b'{"words": "a"}\n', ["text"]),
                "broken.h5": (b"not HDF5", ["broken.h5"]),
                "broken.safetensors": (b"not safetensors", ["broken.safetensors"]),
                "text.doc": (b"words", ["text.doc"]),
            }
            for name, (content, words) in cases.items():
                with self.subTest(name):
                    (folder / name).write_bytes(content)
                    calibration = {"corpus": str(folder / name), "samples": 2,
                                   "sequence_length": 32}
                    self.assert_harmless(WRONG_INPUT, words, calibration=calibration)
            with self.subTest("absent"):
                self.assert_harmless(WRONG_INPUT, ["absent.txt"], calibration={
                    "corpus": str(folder / "absent.txt")})

    def test_corpus_shorter_than_asked_says_what_there_is(self):
        calibration = {"corpus": str(CALIBRATION_TEXT), "samples": 50_000, "sequence_length": 32}
        self.assert_harmless(WRONG_INPUT, ["calibration.txt", "50000", "lower"],
                             calibration=calibration)

    def test_job(self):
        cases = {
            "unknown key": ({"calibratoin": {}}, ["job.yaml:", "calibratoin", "calibration"]),
            "unknown nested key": ({"transform": {"method": "os_plus", "serch": "exact"}},
                                   ["serch", "search"]),
            "unknown method": ({"transform": {"method": "os_minus"}}, ["os_minus", "os_plus"]),
            "output on the model": ({"model": str(self.place / "out" / "model")}, ["output"]),
            "memory limit": ({"memory_limit": "much"}, ["memory_limit", "2GiB"]),
        }
        for name, (changes, words) in cases.items():
            with self.subTest(name):
                self.assert_harmless(WRONG_USAGE, words, **changes)

    def test_job_that_is_no_yaml(self):
        for content in [b"", b"a: [", b"- 1\n", b"\x00", b"a: &a [*a]\n", b"[" * 100_000]:
            with self.subTest(content[:10]):
                job = self.place / "broken.yaml"
                job.write_bytes(content)
                self.assert_refused(calibrate("run", job), WRONG_USAGE, "broken.yaml")

    def test_settings(self):
        for setting in ["calibration.samples=-1", "calibration.samples", "=1", "no.such.key=1",
                        "transform=none", "calibration.samples=[", "scheme="]:
            with self.subTest(setting):
                self.assert_harmless(WRONG_USAGE, ["--set"], "--set", setting)


if __name__ == "__main__":
    run_tests()
