"""calibrate scaling: bits are those of the files, figures those of the other commands, and a killed
job goes on."""

import json
import os
import signal
import struct
import subprocess
import time

from command import (CALIBRATION_TEXT, EVALUATION_TEXT, MODEL, WRONG_INPUT, WRONG_USAGE, CommandTest,
                     calibrate, copy_model, digest, run_tests, scratch, small_job)

EVALUATE = {"perplexity": [str(EVALUATION_TEXT)], "sequence_length": 32, "windows": 3}
BLOCKS = {"granularity": "per_block", "block_size": 64}
WEIGHTS = [
    {"bits": 4, "codes": "nf4", **BLOCKS},
    {"bits": 3, "codes": "quantile", "granularity": "per_channel", "centered": True},
    {"bits": 5, "codes": "linear", **BLOCKS, "proxy_percent": 2},
    {"bits": 6, "codes": "float", "granularity": "per_group", "group_size": 100},
    {"bits": 8, "codes": "dynamic", "granularity": "per_tensor"},
    {"bits": 4, "granularity": "per_group", "group_size": 64, "symmetric": True},
]


def scaling_job(folder, compare, **changes):
    """Without a calibration section unless `changes` give one."""
    job = {"model": str(MODEL), "transform": {"method": "none"},
           "scheme": {"weights": BLOCKS, "activations": {"bits": 16}}, "evaluate": EVALUATE,
           "compare": compare, "output": str(folder / "scaling"), **changes}
    path = folder / "scaling.yaml"
    path.write_text(json.dumps(job, indent=1) + "\n")
    return path


def tensor_bytes(folder):
    """Of all tensors of a checkpoint: the files less their headers."""
    total = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            header, = struct.unpack("<Q", file.read(8))
        total += path.stat().st_size - 8 - header
    return total


def figures(document):
    """What no run leaves otherwise than another: all but the seconds."""
    for row in document["rows"]:
        del row["seconds"]
    return document


class Scaling(CommandTest):
    def scaled(self, job, *arguments):
        done = self.assert_done(calibrate("scaling", job, "--json", *arguments))
        return json.loads(done.stdout)

    def kill_after_rows(self, job, folder, wanted):
        program = subprocess.Popen([os.environ["EVENKEEL_CALIBRATE"], "scaling", str(job)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        rows = folder / "scaling" / ".staging" / "rows"
        while not rows.exists() or len(list(rows.glob("*.json"))) < wanted:
            self.assertIsNone(program.poll(), "ended before it was killed")
            time.sleep(0.001)
        program.send_signal(signal.SIGKILL)
        program.wait()

    def test_bits_and_figures_of_the_written_checkpoint(self):
        with scratch() as folder:
            scaled = self.scaled(scaling_job(
                folder, {"job": [{"label": str(i), "scheme": {"weights": weights}}
                                 for i, weights in enumerate(WEIGHTS)]},
                scheme={"activations": {"bits": 16}}))
            for weights, row in zip(WEIGHTS, scaled["rows"], strict=True):
                job = small_job(folder, transform={"method": "none"}, calibration={
                    "corpus": str(CALIBRATION_TEXT), "samples": 2, "sequence_length": 32},
                    scheme={"weights": weights, "activations": {"bits": 16}}, evaluate=EVALUATE)
                run = json.loads(self.assert_done(calibrate("run", job, "--json")).stdout)
                checkpoint = folder / "out" / "quantized"
                bits = row["bits"]
                self.assertEqual(bits["total"], 8 * tensor_bytes(checkpoint), weights)
                self.assertEqual(bits["total"], sum(bits[part] for part in (
                    "codes", "constants", "means", "kept", "code_books", "unquantized")))
                read = json.loads(self.assert_done(calibrate(
                    "evaluate", checkpoint, "--text", EVALUATION_TEXT, "--windows", 3,
                    "--sequence-length", 32, "--json")).stdout)
                name = EVALUATION_TEXT.name
                self.assertEqual(read["perplexity"][name], run["perplexity"][name]["quantized"])
                self.assertEqual(row["perplexity"][name], run["perplexity"][name]["quantized"])

    def test_counts_and_budgets(self):
        with scratch() as folder:
            job = scaling_job(folder, {"scheme.weights.codes": ["linear", "quantile"],
                                       "scheme.weights.bits": [3, 8]})
            scaled = self.scaled(job, "--budget", "3MB", "--budget", "1KiB")
            self.assertEqual(len(scaled["rows"]), 4)
            for row in scaled["rows"]:
                codes = 2 ** int(row["settings"]["scheme.weights.bits"])
                linear = row["settings"]["scheme.weights.codes"] == "linear"
                self.assertEqual(len(row["code_uses"]), codes - linear)
                self.assertEqual(sum(row["code_uses"]), row["bits"]["weights"])
                self.assertLess(row["code_entropy"], row["bits"]["codes"] / row["bits"]["weights"])
            self.assertRegex(scaled["budgets"]["3000000"], "3 bits")
            self.assertIsNone(scaled["budgets"]["1024"])
            shown = self.assert_done(calibrate("scaling", job, "--all")).stdout
            self.assertIn("opt-3m-outlier: 8 bits, quantile, blocks of 64", shown)
            report = (folder / "scaling" / "report.html").read_text()
            self.assertIn("<svg", report)
            self.assertNotIn("http://", report.replace("http://www.w3.org/", ""))
            charts = folder / "scaling" / "charts"
            self.assertIn("<svg", (charts / "opt-front.svg").read_text())
            curves = (charts / "opt-front.csv").read_text().splitlines()
            first = digest(folder / "scaling")
            (folder / "scaling" / "report.html").unlink()
            self.assert_done(calibrate("report", folder / "scaling"))
            self.assertEqual(digest(folder / "scaling"), first)
            # Two precisions, each the best of two types, and the front.
            self.assertEqual(sum(line.startswith(("3 bits,", "8 bits,")) for line in curves), 2)

    def test_beside_gptq(self):
        with scratch() as folder:
            rows = [{"label": "zero-shot", "scheme": {"weights": WEIGHTS[0]}},
                    {"label": "GPTQ", "scheme": {"weights": {**WEIGHTS[5], "rounding": "gptq"}}}]
            without = scaling_job(folder, {"job": rows}, scheme={"activations": {"bits": 16}})
            self.assert_refused(calibrate("scaling", without), WRONG_USAGE, "calibration")
            scaled = self.scaled(scaling_job(
                folder, {"job": rows}, scheme={"activations": {"bits": 16}},
                calibration={"corpus": str(CALIBRATION_TEXT), "samples": 2, "sequence_length": 32}))
            self.assertNotIn("code_uses", scaled["rows"][1])

    def test_killed_and_continued(self):
        with scratch() as folder:
            job = scaling_job(folder, {"scheme.weights.bits": [2, 3, 4, 5, 6, 7, 8],
                                       "scheme.weights.block_size": [16, 64, 256, 4096]})
            expected = figures(self.scaled(job))
            for wanted in (1, 9):
                self.kill_after_rows(job, folder, wanted)
                again = self.assert_done(calibrate("scaling", job, "--json"))
                self.assertIn("continues with", again.stderr)
                self.assertEqual(figures(json.loads(again.stdout)), expected)
            self.assertFalse((folder / "scaling" / ".staging").exists())

    def test_of_another_job_is_refused(self):
        with scratch() as folder:
            job = scaling_job(folder, {"scheme.weights.bits": [2, 3, 4, 5, 6, 7, 8],
                                       "scheme.weights.block_size": [16, 64, 256, 4096]})
            self.kill_after_rows(job, folder, 1)
            self.assert_refused(calibrate("scaling", job, "--set", "evaluate.windows=2"),
                                WRONG_USAGE, "evaluate.windows")
            self.assert_done(calibrate("scaling", job, "--set", "evaluate.windows=2", "--restart"))

    def test_rows_of_other_models_are_not_taken_over(self):
        with scratch() as folder:
            other = copy_model(folder / "other")
            axes = {"scheme.weights.bits": [2, 3, 4, 5, 6, 7, 8],
                    "scheme.weights.block_size": [16, 64, 256, 4096]}
            self.kill_after_rows(scaling_job(folder, {"model": [str(MODEL), str(other)], **axes}),
                                 folder, 1)
            with (other / "model.safetensors").open("r+b") as file:
                file.seek(-2, 2)
                file.write(b"\0\0")
            job = scaling_job(folder, {"model": [str(other), str(MODEL)], **axes})
            self.assert_refused(calibrate("scaling", job), WRONG_INPUT, "model of row 0")

    def test_rows_that_differ_elsewhere_are_told_apart(self):
        with scratch() as folder:
            job = scaling_job(folder, {"job": [
                {"label": name, "scheme": {"weights": WEIGHTS[0], "keep": [block]}}
                for name, block in (("first", "blocks.0"), ("second", "blocks.1"))]})
            shown = self.assert_done(calibrate("scaling", job, "--all")).stdout
            self.assertIn("blocks of 64 (first)", shown)
            self.assertIn("blocks of 64 (second)", shown)

    def test_refuses(self):
        with scratch() as folder:
            bad = {"nf4 codes have 4 bits": {"scheme.weights.codes": ["nf4"],
                                             "scheme.weights.bits": [3]},
                   "block_size": {"scheme.weights.block_size": [8]}}
            for message, compare in bad.items():
                self.assert_refused(calibrate("scaling", scaling_job(folder, compare)), WRONG_USAGE,
                                    message)
            idle = scaling_job(folder, {"scheme.weights.bits": [4]}, calibration={
                "corpus": str(CALIBRATION_TEXT), "samples": 2, "sequence_length": 32})
            refused = calibrate("scaling", idle)
            self.assertEqual(refused.returncode, WRONG_USAGE)
            self.assertIn("calibration.corpus: cannot take effect: weights are", refused.stderr)
            model = copy_model(folder / "model")
            (model / "model.safetensors").write_bytes(b"\0" * 100)
            job = scaling_job(folder, {"scheme.weights.bits": [4]}, model=str(model))
            self.assert_refused(calibrate("scaling", job), WRONG_INPUT, "model.safetensors")
            job = scaling_job(folder, {"scheme.weights.bits": [4]})
            self.assert_refused(calibrate("scaling", job, "--budget", "much"), WRONG_USAGE,
                                "--budget")


if __name__ == "__main__":
    run_tests()
