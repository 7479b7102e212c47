"""What the command makes of a classifier, which is too large to be embedded: beside the checkout."""

import json

from command import (MODEL, WRONG_INPUT, WRONG_USAGE, CommandTest, calibrate, run_tests,
                     scratch, shared)

MODEL_PATH = "models/bert-sst2"
DEV = "data/sst2/dev.tsv"
EXAMPLES = 40


def job_of(folder, **changes):
    job = {
        "model": str(shared(MODEL_PATH)),
        "calibration": {"corpus": str(shared(DEV)), "samples": 8, "sequence_length": 16},
        "transform": {"method": "none"},
        "scheme": "w8a8",
        "evaluate": {"accuracy": [str(shared(DEV))], "examples": EXAMPLES},
        "output": str(folder / "out"),
        **changes,
    }
    path = folder / "job.yaml"
    path.write_text(json.dumps(job, indent=1) + "\n")
    return path


class Classifier(CommandTest):
    def test_figures_of_a_run_are_those_of_evaluate(self):
        with scratch() as folder:
            text = self.assert_done(calibrate("run", job_of(folder), cwd=folder)).stdout
            summary = json.loads((folder / "out/summary.json").read_text())
            figures = summary["accuracy"]["dev.tsv"]
            self.assertEqual(figures["examples"], EXAMPLES)
            for word in ["accuracy", f"{100 * figures['full_precision']:.2f} %",
                         f"{100 * figures['quantized']:.2f} %", "change in points"]:
                self.assertIn(word, text)
            for checkpoint, which in [(shared(MODEL_PATH), "full_precision"),
                                      (folder / "out/quantized", "quantized")]:
                found = self.assert_document(calibrate(
                    "evaluate", checkpoint, "--text", shared(DEV), "--examples", EXAMPLES,
                    "--json"))["accuracy"]["dev.tsv"]
                self.assertEqual(found["accuracy"], figures[which])
                self.assertEqual(found["correct"], round(found["accuracy"] * EXAMPLES))
                self.assertAlmostEqual(
                    found["standard_error"] ** 2,
                    found["accuracy"] * (1 - found["accuracy"]) / (EXAMPLES - 1))

    def test_comparison_shows_accuracy(self):
        with scratch() as folder:
            path = job_of(folder, compare={"scheme": ["w8a8", "w4a4"]})
            text = self.assert_done(calibrate("compare", path, cwd=folder)).stdout
            rows = json.loads((folder / "out/compare.json").read_text())["rows"]
            self.assertEqual(len(rows), 2)
            for row in rows:
                self.assertIn(f"{100 * row['accuracy']['dev.tsv']:.2f} %", text)
            self.assertIn("change: to full precision, in points", text)

    def test_evaluate_as_text(self):
        text = self.assert_done(calibrate("evaluate", shared(MODEL_PATH), "--text", shared(DEV),
                                          "--examples", 10)).stdout
        for word in ["examples", "correct", "accuracy", "standard error", "dev.tsv", " %"]:
            self.assertIn(word, text)

    def test_faults(self):
        with scratch() as folder:
            bad = folder / "bad.tsv"
            bad.write_text("sentence\tlabel\nfine\tgreat\n")
            for arguments, status, words in [
                    (["evaluate", shared(MODEL_PATH), "--text", bad], WRONG_INPUT,
                     ["bad.tsv:2: label 'great' is unknown", "LABEL_0, LABEL_1"]),
                    (["evaluate", shared(MODEL_PATH), "--text", shared(DEV), "--windows", 3],
                     WRONG_USAGE, ["--windows", "--examples"]),
                    (["evaluate", MODEL, "--text", shared(DEV), "--examples", 3],
                     WRONG_USAGE, ["--examples", "--windows"]),
                    (["run", job_of(folder, evaluate={"perplexity": [str(shared(DEV))]})],
                     WRONG_USAGE, ["evaluate.perplexity", "classifier", "evaluate.accuracy"])]:
                self.assert_refused(calibrate(*arguments, "--quiet"), status, *words)


if __name__ == "__main__":
    run_tests()
