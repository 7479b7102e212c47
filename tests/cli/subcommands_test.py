"""What each subcommand gives, as a document and as text."""

import json
import math
import os
import struct

from command import (CALIBRATION_TEXT, DONE, EVALUATION_TEXT, FAILED, MODEL, WRONG_INPUT,
                     WRONG_USAGE, CommandTest, Safetensors, calibrate, run_tests, scratch, shared,
                     small_job)

OPT = "golden/architectures/opt"
BLOCKS = 6
CHANNELS = 192


class Run(CommandTest):
    def test_document_is_the_summary(self):
        with scratch() as folder:
            summary = self.assert_document(calibrate("run", small_job(folder), "--json"))
            self.assertEqual(summary, json.loads((folder / "out/summary.json").read_text()))
            self.assertEqual(summary["architecture"], "opt")
            self.assertEqual(len(summary["sites"]), 2 * BLOCKS)
            for name in ["model", "quantized", "calibration.h5"]:
                self.assertTrue((folder / "out" / name).exists(), name)

    def test_text_has_the_figures_the_places_and_the_notes(self):
        with scratch() as folder:
            text = self.assert_done(calibrate("run", small_job(folder), cwd=folder)).stdout
            summary = json.loads((folder / "out/summary.json").read_text())
            perplexity = summary["perplexity"][EVALUATION_TEXT.name]
            for word in ["os_plus", "w8a8", f"{perplexity['full_precision']:.4f}",
                         f"{perplexity['quantized']:.4f}", "blocks.5.mlp", "peak memory",
                         "wrote out/model\n", "wrote out/quantized\n", "note: "]:
                self.assertIn(word, text)

    def test_peak_memory_is_not_that_of_the_program_that_started_it(self):
        large = bytearray(1 << 30)
        with scratch() as folder:
            summary = self.assert_document(calibrate("run", small_job(folder), "--json"))
            self.assertGreater(summary["peak_memory_bytes"], 1 << 20)
            self.assertLess(summary["peak_memory_bytes"], len(large))

    def test_settings_reach_the_job(self):
        with scratch() as folder:
            summary = self.assert_document(calibrate(
                "run", small_job(folder), "--json", "--set", "transform.method=none",
                "--set", "scheme=w4a4", "--set", f"output={folder / 'other'}"))
            self.assertEqual(summary["job"]["transform"]["method"], "none")
            self.assertEqual(summary["job"]["scheme"]["weights"]["bits"], 4)
            self.assertEqual(summary["sites"], [])
            self.assertTrue((folder / "other" / "summary.json").exists())
            self.assertFalse((folder / "out").exists())


class Compare(CommandTest):
    AXES = {"transform.method": ["none", "os_plus"],
            "calibration": [{"corpus": str(CALIBRATION_TEXT)}, {"random": "ascii"}]}

    def test_document_is_compare_json(self):
        with scratch() as folder:
            job = small_job(folder, compare=self.AXES)
            result = self.assert_document(calibrate("compare", job, "--json"))
            self.assertEqual(result, json.loads((folder / "out/compare.json").read_text()))
            self.assertEqual([row["settings"]["transform.method"] for row in result["rows"]],
                             ["none", "none", "os_plus", "os_plus"])
            self.assertIn(EVALUATION_TEXT.name, result["full_precision"]["perplexity"])

    def test_rows_are_runs(self):
        with scratch() as folder:
            job = small_job(folder, compare={"transform.method": ["none", "os_plus"]})
            rows = self.assert_document(calibrate("compare", job, "--json"))["rows"]
            for row in rows:
                method = row["settings"]["transform.method"]
                with self.subTest(method):
                    run = self.assert_document(calibrate(
                        "run", job, "--json", "--set", f"transform.method={method}"))
                    for text, value in row["perplexity"].items():
                        self.assertEqual(value, run["perplexity"][text]["quantized"])

    def test_table(self):
        with scratch() as folder:
            result = calibrate("compare", small_job(folder, compare=self.AXES), cwd=folder)
            lines = self.assert_done(result).stdout.splitlines()
            for column in ["transform.method", "calibration", EVALUATION_TEXT.name, "error",
                           "ratio", "difference", "p", "seconds"]:
                self.assertIn(column, lines[0])
            self.assertTrue(lines[2].startswith("full precision"))
            self.assertIn("random: ascii", lines[4])
            self.assertRegex(lines[4], r"[+-]\d+\.\d{4}")
            self.assertEqual(lines[-2:], ["wrote out/compare.json", "wrote out/report.html"])

    def test_errors_of_sites(self):
        with scratch() as folder:
            job = small_job(folder, compare={"transform.method": ["none", "os_plus"]})
            text = self.assert_done(calibrate("compare", job, "--errors", cwd=folder)).stdout
            none, os_plus = json.loads((folder / "out/compare.json").read_text())["rows"]
            self.assertNotIn("sites", none)
            self.assertEqual(set(os_plus["sites"]), {"attention", "mlp"})
            for site in os_plus["sites"].values():
                self.assertLess(site["after"]["high"], site["before"]["high"])
                self.assertIn(f"{site['before']['high']:.2f}", text)

    def test_grid(self):
        with scratch() as folder:
            job = small_job(folder, compare={
                "job": [{"label": "MinMax", "transform": {"method": "none"}},
                        {"label": "OS+", "transform": {"method": "os_plus"}}],
                "scheme": ["w8a8", "w4a4"]})
            lines = self.assert_done(calibrate("compare", job, "--grid", cwd=folder))
            lines = lines.stdout.splitlines()
            self.assertEqual(lines[0], f"perplexity on {EVALUATION_TEXT.name}")
            self.assertEqual(lines[2].split(), ["job", "w8a8", "w4a4"])
            rows = json.loads((folder / "out/compare.json").read_text())["rows"]
            cells = [line.split() for line in lines[5:7]]
            self.assertEqual([cell[0] for cell in cells], ["MinMax", "OS+"])
            shown = [float(figure) for cell in cells for figure in cell[1:]]
            for figure, row in zip(shown, rows, strict=True):
                value, = row["perplexity"].values()
                self.assertAlmostEqual(figure / value, 1, delta=5e-3)  # two digits of large ones
            one = small_job(folder, compare={"scheme": ["w8a8", "w4a4"]})
            refused = calibrate("compare", one, "--grid", cwd=folder)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("--grid sets one axis", refused.stderr)


class Evaluate(CommandTest):
    LIMITS = ["--windows", "2", "--sequence-length", "32"]

    def test_document_and_text_agree(self):
        call = ["evaluate", MODEL, "--text", CALIBRATION_TEXT, EVALUATION_TEXT, *self.LIMITS]
        document = self.assert_document(calibrate(*call, "--json"))
        self.assertEqual(list(document["perplexity"]), [CALIBRATION_TEXT.name, EVALUATION_TEXT.name])
        text = self.assert_done(calibrate(*call)).stdout
        for value in document["perplexity"].values():
            self.assertIn(f"{value:.4f}", text)

    def test_names_from_outside(self):
        text = EVALUATION_TEXT.read_bytes()
        with scratch() as folder:
            for name in ["gr\u00fc\u00dfe.txt".encode(), b"not\xffutf8.txt", b"two\nlines\x1b[1m.txt"]:
                with self.subTest(name):
                    path = os.fsencode(folder) + b"/" + name
                    with open(path, "wb") as file:
                        file.write(text)
                    call = ["evaluate", MODEL, "--text", os.fsdecode(path), *self.LIMITS]
                    document = self.assert_document(calibrate(*call, "--json"))
                    self.assertEqual(len(document["perplexity"]), 1)
                    table = self.assert_done(calibrate(*call)).stdout
                    self.assertEqual(len(table.splitlines()), 6)
                    self.assertNotIn("\x1b", table)

    def test_dynamic_scheme_needs_no_calibration(self):
        call = ["evaluate", MODEL, "--text", EVALUATION_TEXT, *self.LIMITS, "--json"]
        plain = self.assert_document(calibrate(*call))
        dynamic = self.assert_document(
            calibrate(*call, "--scheme", "w4a4", "--activations", "per_token"))
        self.assertTrue(dynamic["kind"].startswith("quantized"), dynamic["kind"])
        name = EVALUATION_TEXT.name
        self.assertGreater(dynamic["perplexity"][name], plain["perplexity"][name])
        refused = calibrate(*call, "--scheme", "w4a16", "--activations", "per_token")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("leaves activations as they are", refused.stderr)

    def test_quantized_checkpoint_without_its_record_is_refused(self):
        with scratch() as folder:
            self.assert_done(calibrate("run", small_job(folder)))
            (folder / "out/calibration.h5").unlink()
            result = calibrate("evaluate", folder / "out/quantized", "--text", EVALUATION_TEXT,
                               *self.LIMITS, "--quiet")
            self.assert_refused(result, WRONG_INPUT, "calibration.h5")


class Inspect(CommandTest):
    def test_checkpoint(self):
        document = self.assert_document(calibrate("inspect", MODEL, "--json"))
        self.assertEqual(document["kind"], "checkpoint")
        self.assertEqual(document["blocks"], BLOCKS)
        self.assertEqual([site["name"] for site in document["sites"]], ["attention", "output", "mlp", "down"])
        text = self.assert_done(calibrate("inspect", MODEL)).stdout
        for word in ["self_attn.q_proj", "attention.probabilities", "opt", "F16"]:
            self.assertIn(word, text)

    def test_record_and_quantized(self):
        with scratch() as folder:
            self.assert_done(calibrate("run", small_job(folder)))
            record = self.assert_document(
                calibrate("inspect", folder / "out/calibration.h5", "--json"))
            self.assertEqual(record["kind"], "record")
            self.assertEqual(len(record["nodes"]), 8 * BLOCKS)
            first = next(node for node in record["nodes"]
                         if node["name"] == "blocks.0.attention.input")
            # The channels that the model's outliers.json says were amplified.
            planted = json.loads((MODEL / "outliers.json").read_text())
            found = {outlier["channel"] for outlier in first["outlier_channels"]}
            self.assertEqual(found, set(planted["channels"]))
            text = self.assert_done(calibrate("inspect", folder / "out/calibration.h5")).stdout
            self.assertIn("blocks.5.mlp.hidden", text)
            quantized = self.assert_document(
                calibrate("inspect", folder / "out/quantized", "--json"))
            self.assertEqual(quantized["quantized"]["weights"]["bits"], 8)

    def test_neither(self):
        self.assert_refused(calibrate("inspect", "absent"), WRONG_INPUT, "absent")
        self.assert_refused(calibrate("inspect", EVALUATION_TEXT), WRONG_INPUT, "evaluation.txt")


class Verify(CommandTest):
    def setUp(self):
        self.model = shared(OPT)
        self.golden = shared(OPT + "/golden.safetensors")

    def test_within_tolerance(self):
        document = self.assert_document(calibrate(
            "verify", self.model, "--against", self.golden, "--tolerance", "2e-5", "--json"))
        self.assertTrue(document["within_tolerance"])
        self.assertEqual(document["tensors"][0]["name"], "logits")
        self.assertLessEqual(document["worst"], 2e-5)

    def test_beyond_tolerance_is_a_failure_with_its_table(self):
        result = calibrate("verify", self.model, "--against", self.golden, "--tolerance", "1e-12")
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("beyond tolerance", result.stdout)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        result = calibrate("verify", self.model, "--against", self.golden, "--tolerance", "1e-12",
                           "--json")
        self.assertEqual(result.returncode, FAILED)
        self.assertFalse(json.loads(result.stdout)["within_tolerance"])

    def test_what_is_not_a_number_is_never_within(self):
        with scratch() as folder:
            expected = Safetensors(self.golden)
            begin = expected.header["logits"]["data_offsets"][0]
            expected.data[begin:begin + 4] = struct.pack("<f", math.nan)
            expected.write(folder / "expected.safetensors")
            result = calibrate("verify", self.model, "--against", folder / "expected.safetensors",
                               "--tolerance", "1e30")
            self.assertEqual(result.returncode, FAILED, result.stdout)
            self.assertIn("logits", result.stderr)

    def test_file_without_logits(self):
        with scratch() as folder:
            expected = Safetensors(self.golden)
            expected.remove("logits")
            expected.write(folder / "expected.safetensors")
            result = calibrate("verify", self.model, "--against", folder / "expected.safetensors")
            self.assert_refused(result, WRONG_INPUT, "logits")


class Tokenize(CommandTest):
    def test_lines_equal_the_golden_ids(self):
        golden = [json.loads(line) for line in
                  shared("golden/tokenizers/opt-3m.jsonl").read_text("utf-8").splitlines()]
        golden = [each for each in golden if "\n" not in each["text"]]
        self.assertGreater(len(golden), 10)
        with scratch() as folder:
            text = folder / "lines.txt"
            text.write_bytes("".join(each["text"] + "\n" for each in golden).encode())
            for key, options in [("ids", []), ("ids_with_special_tokens", ["--special"])]:
                expected = [" ".join(map(str, each[key])) for each in golden]
                result = self.assert_done(calibrate("tokenize", MODEL, text, "--lines", *options))
                self.assertEqual(result.stdout.split("\n"), [*expected, ""])
            document = self.assert_document(
                calibrate("tokenize", MODEL, text, "--lines", "--json"))
            self.assertEqual(document["ids"], [each["ids"] for each in golden])

    def test_whole_text(self):
        ids = self.assert_document(calibrate("tokenize", MODEL, CALIBRATION_TEXT, "--json"))["ids"]
        text = self.assert_done(calibrate("tokenize", MODEL, CALIBRATION_TEXT)).stdout
        self.assertEqual(text, " ".join(map(str, ids)) + "\n")

    def test_empty_lines_and_no_last_newline(self):
        with scratch() as folder:
            text = folder / "lines.txt"
            for content, lines in [(b"", 0), (b"\n", 1), (b"a\n\nb", 3), (b"a\n\nb\n", 3)]:
                text.write_bytes(content)
                result = calibrate("tokenize", MODEL, text, "--lines")
                self.assertEqual(self.assert_done(result).stdout.count("\n"), lines, content)

    def test_what_is_not_utf8_is_named_with_its_line(self):
        with scratch() as folder:
            text = folder / "lines.txt"
            text.write_bytes(b"good\nb\xffad\n")
            result = calibrate("tokenize", MODEL, text, "--lines")
            self.assert_refused(result, WRONG_INPUT, "lines.txt:2")
            self.assertEqual(result.stdout, "")

    def test_pairs_are_encoded_together(self):
        with scratch() as folder:
            text = folder / "pairs.txt"
            text.write_text("a cat\tthe dog\n\t\n")
            result = calibrate("tokenize", MODEL, text, "--pairs", "--json")
            document = self.assert_document(result)
            parts = []
            for part in ("a cat", "the dog"):
                text.write_text(part)
                parts.append(self.assert_done(calibrate("tokenize", MODEL, text)).stdout)
            parts = [[int(each) for each in part.split()] for part in parts]
            template = document["ids"][1]  # the special tokens alone
            self.assertEqual([each for each in document["ids"][0] if each not in template],
                             parts[0] + parts[1])
            self.assertEqual([len(each) for each in document["token_types"]],
                             [len(each) for each in document["ids"]])
            text.write_text("a\tb\nno tab\n")
            self.assert_refused(calibrate("tokenize", MODEL, text, "--pairs"), WRONG_INPUT,
                                "pairs.txt:2")

    def test_max_length(self):
        whole = self.assert_done(calibrate("tokenize", MODEL, CALIBRATION_TEXT)).stdout.split()
        few = calibrate("tokenize", MODEL, CALIBRATION_TEXT, "--max-length", "5")
        self.assertEqual(self.assert_done(few).stdout.split(), whole[:5])
        none = calibrate("tokenize", MODEL, CALIBRATION_TEXT, "--max-length", "0")
        self.assert_refused(none, WRONG_USAGE, "--max-length")

    def test_absent_files(self):
        self.assert_refused(calibrate("tokenize", MODEL, "absent.txt"), WRONG_INPUT, "absent.txt")
        self.assert_refused(calibrate("tokenize", "absent", EVALUATION_TEXT), WRONG_INPUT, "absent")


if __name__ == "__main__":
    run_tests()
