#!/usr/bin/env python3
"""GGUF files made with PyPI's `gguf`, read by the command.

Weights: what each type decodes to is what the package's `dequantize` gives, bit for bit: both round
each product and each sum to float32 once, in the same order. Forward: the tiny checkpoints of every
family, converted as the published converter does, give the logits that transformers gave for the
originals; a quantized llama gives those of a safetensors checkpoint that holds the decoded weights.
Tokenizers: ids of a byte-level BPE are those of `tokenizers` on the original tokenizer.json, those
of a SentencePiece model are those of `sentencepiece`.
Exit status 77: a package, a built program or the shared files are absent.
"""
import json
import pathlib
import sys
import tempfile
import unittest

from gguf_files import (ARCHITECTURES, COMMAND, DECODE, LLAMA, READ, SHARED, SKIPPED, WRITTEN, run,
                        why_not)

FLORES = SHARED / "data" / "flores200"
# Byte-level pre-tokenizers whose expressions a published tokenizer.json has.
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
          r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")


def flores_lines(count):
    """The first lines of every language."""
    return [line for file in sorted(FLORES.glob("*.dev.txt"))
            for line in file.read_text().splitlines()[:count]]


class GgufTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.file = self.folder / "model.gguf"

    def decoded(self):
        """config and tensors of the file as Evenkeel decodes them, in float32."""
        folder = self.folder / "decoded"
        run(DECODE, self.file, folder)
        return models.read_checkpoint(folder)

    def check_tensors(self, config, expected):
        """`expected`: what the file decodes to, by its names."""
        got = models.converted_tensors(config, self.decoded()[1])
        got.pop("rope_freqs.weight", None)
        self.assertEqual(set(got), set(expected) - {"rope_freqs.weight"})
        for name, values in got.items():
            self.assertEqual(values.shape, expected[name].shape, name)
            # Converting the decoded tensors again only reorders rows.
            self.assertEqual(values.tobytes(), np.float32(expected[name]).tobytes(), name)


class Weights(GgufTest):
    def test_types_that_the_package_writes(self):
        config, tensors = models.read_checkpoint(LLAMA)
        for name in WRITTEN:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.folder = pathlib.Path(folder)
                self.file = self.folder / "model.gguf"
                dtype = gguf.GGMLQuantizationType[name]
                self.check_tensors(config, models.write_gguf(self.file, config, tensors, dtype))

    def test_types_that_the_package_reads(self):
        # Any bytes are a block; only the scales must not be NaN or infinite.
        random = np.random.default_rng(1)
        config, tensors = models.read_checkpoint(ARCHITECTURES / "llama")
        del tensors["lm_head.weight"]
        for name in READ:
            dtype = gguf.GGMLQuantizationType[name]
            elements, size = gguf.GGML_QUANT_SIZES[dtype]
            blocks = random.integers(0, 256, (64, 3, size), dtype=np.uint8)
            for at in (0, 2) if name != "Q6_K" else (size - 2,):
                scales = random.normal(0, 1, (64, 3)).astype(np.float16)
                blocks[..., at:at + 2] = scales[..., None].view(np.uint8)
            stored = blocks.reshape(64, 3 * size)
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.folder = pathlib.Path(folder)
                self.file = self.folder / "model.gguf"
                models.write_gguf(self.file, config, tensors,
                                  more={"output.weight": (stored, dtype)})
                got = self.decoded()[1]["lm_head.weight"]
                expected = gguf.quants.dequantize(stored, dtype)
                self.assertEqual(got.shape, (64, 3 * elements))
                self.assertEqual(got.tobytes(), expected.tobytes())


class Forward(GgufTest):
    def test_every_family_gives_the_logits_of_transformers(self):
        for name in ("llama", "llama3-rope", "mistral", "mixtral", "qwen2", "qwen3", "gemma2",
                     "cohere", "cohere-qknorm", "phi", "gpt_neox", "gpt_neox-sequential", "bloom"):
            with self.subTest(name):
                models.write_gguf(self.file, *models.read_checkpoint(ARCHITECTURES / name))
                # float32 throughout, as in the test of the original checkpoints.
                run(COMMAND, "verify", self.file, "--against",
                    ARCHITECTURES / name / "golden.safetensors", "--tolerance", "2e-5")

    def test_quantized_is_the_checkpoint_of_its_decoded_weights(self):
        config, tensors = models.read_checkpoint(LLAMA)
        document = json.loads((LLAMA / "tokenizer.json").read_text())
        text = self.folder / "text.txt"
        text.write_text("\n".join((FLORES / "eng_Latn.dev.txt").read_text().splitlines()[:100]))
        for name in ("Q8_0", "Q4_0"):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.folder = pathlib.Path(folder)
                self.file = self.folder / "model.gguf"
                models.write_gguf(self.file, config, tensors, gguf.GGMLQuantizationType[name],
                                  lambda writer: models.add_byte_level_tokenizer(
                                      writer, document, "gpt-2"))
                run(DECODE, self.file, self.folder / "decoded")
                perplexities = [
                    json.loads(run(COMMAND, "evaluate", checkpoint, "--text", text, "--windows", 4,
                                   "--sequence-length", 128, "--json"))
                    for checkpoint in (self.file, self.folder / "decoded")]
                values = [list(found["perplexity"].values())[0] for found in perplexities]
                # The same floats in the same order: only what is written as text may round.
                self.assertAlmostEqual(values[0], values[1], delta=1e-5 * values[1])
                self.assertLess(values[0], 1e4)


    def test_a_job_leaves_checkpoint_folders(self):
        # What is in blocks is written in F16: embedding and head lose up to 2^-11 of each weight,
        # which flips codes of the activations; F16 itself is kept, and with it every figure.
        for name, delta in (("F16", 1e-9), ("Q8_0", 3e-2)):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.folder = pathlib.Path(folder)
                self.file = self.folder / "model.gguf"
                self.check_job(gguf.GGMLQuantizationType[name], delta)

    def check_job(self, dtype, quantized_delta):
        config, tensors = models.read_checkpoint(LLAMA)
        document = json.loads((LLAMA / "tokenizer.json").read_text())
        models.write_gguf(self.file, config, tensors, dtype,
                          lambda writer: models.add_byte_level_tokenizer(
                              writer, document, "gpt-2"))
        text = self.folder / "text.txt"
        text.write_text("\n".join((FLORES / "eng_Latn.dev.txt").read_text().splitlines()[:60]))
        job = {"model": str(self.file),
               "calibration": {"corpus": str(text), "samples": 2, "sequence_length": 32},
               "transform": {"method": "smoothquant"}, "scheme": "w8a8",
               "evaluate": {"perplexity": [str(text)], "sequence_length": 64, "windows": 2},
               "output": str(self.folder / "out")}
        (self.folder / "job.yaml").write_text(json.dumps(job, indent=1))
        run(COMMAND, "run", self.folder / "job.yaml", "--quiet")
        out = self.folder / "out"
        summary = json.loads((out / "summary.json").read_text())["perplexity"]["text.txt"]
        for folder, key in (("model", "full_precision"), ("quantized", "quantized")):
            found = json.loads(run(COMMAND, "evaluate", out / folder, "--text", text, "--windows",
                                   2, "--sequence-length", 64, "--json"))
            # The folded model is rounded to F16 once more: 2^-11 of each weight.
            delta = (1e-3 if folder == "model" else quantized_delta) * summary[key]
            self.assertAlmostEqual(list(found["perplexity"].values())[0], summary[key],
                                   delta=delta)
            names = {file.name for file in (out / folder).iterdir()}
            self.assertEqual(names, {"config.json", "tokenizer.json", "model.safetensors"})
        ids = [run(COMMAND, "tokenize", checkpoint, text) for checkpoint in (LLAMA, out / "model")]
        self.assertEqual(ids[0], ids[1])


class Tokenizers(GgufTest):
    def ids(self, lines, special=False):
        text = self.folder / "text.txt"
        text.write_bytes("".join(line + "\n" for line in lines).encode())
        out = run(COMMAND, "tokenize", self.file, text, "--lines",
                  *(["--special"] if special else []))
        return [[int(word) for word in line.split()] for line in out.split("\n")[:-1]]

    def write_tokenizer(self, add):
        writer = gguf.GGUFWriter(self.file, "llama")
        add(writer)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    def test_byte_level(self):
        document = json.loads((LLAMA / "tokenizer.json").read_text())
        lines = flores_lines(40) + hard_lines()
        for pre, expressions, normalizer in (
                ("gpt-2", [GPT2], None), ("llama-bpe", [LLAMA3], None),
                ("qwen2", [QWEN2], {"type": "NFC"}), ("smollm", [r"\p{N}", GPT2], None)):
            with self.subTest(pre):
                changed = json.loads(json.dumps(document))
                steps = [{"type": "Split", "pattern": {"Regex": expression},
                          "behavior": "Isolated", "invert": False} for expression in expressions]
                steps.append({"type": "ByteLevel", "add_prefix_space": False,
                              "trim_offsets": True, "use_regex": False})
                changed["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": steps}
                changed["normalizer"] = normalizer
                changed["model"]["ignore_merges"] = pre == "llama-bpe"
                published = tokenizers.Tokenizer.from_str(
                    json.dumps(document if pre == "gpt-2" else changed))
                self.write_tokenizer(lambda writer, pre=pre: (
                    models.add_byte_level_tokenizer(writer, document, pre),
                    writer.add_bos_token_id(0)))
                expected = [e.ids for e in published.encode_batch(lines, add_special_tokens=False)]
                self.assertEqual(self.ids(lines), expected)
                if pre == "llama-bpe":
                    self.assertEqual(self.ids(lines[:3], True), [[0] + e for e in expected[:3]])

    def test_sentencepiece(self):
        # Digits and punctuation that SentencePiece would normalize are left to it: identity.
        lines = [line for line in flores_lines(150) if "  " not in line]
        corpus = self.folder / "corpus.txt"
        corpus.write_text("\n".join(lines))
        prefix = self.folder / "spm"
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=str(prefix), model_type="bpe", vocab_size=4000,
            character_coverage=0.99, byte_fallback=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, minloglevel=2)
        model = sentencepiece.SentencePieceProcessor(model_file=f"{prefix}.model")
        types = gguf.TokenType

        def type_of(piece):
            return (types.UNKNOWN if model.is_unknown(piece) else
                    types.CONTROL if model.is_control(piece) else
                    types.BYTE if model.is_byte(piece) else types.NORMAL)

        def add(writer):
            pieces = range(model.get_piece_size())
            writer.add_tokenizer_model("llama")
            writer.add_token_list([model.id_to_piece(piece) for piece in pieces])
            writer.add_token_scores([model.get_score(piece) for piece in pieces])
            writer.add_token_types([type_of(piece) for piece in pieces])
            writer.add_bos_token_id(model.bos_id())
            writer.add_unk_token_id(model.unk_id())

        self.write_tokenizer(add)
        expected = model.encode(lines)
        self.assertEqual(self.ids(lines), expected)
        self.assertEqual(self.ids(lines[:3], True), [[model.bos_id()] + e for e in expected[:3]])


if __name__ == "__main__":
    reason = why_not(("gguf", "numpy", "safetensors", "sentencepiece", "tokenizers"),
                     ("EVENKEEL_CALIBRATE", "EVENKEEL_DECODE"), (LLAMA, ARCHITECTURES, FLORES))
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    import gguf
    import numpy as np
    import sentencepiece
    import tokenizers

    import gguf_models as models
    from tokenizing import hard_lines

    unittest.main()
