"""The same bytes whatever the threads, and the same figures from every command."""

import json
import shutil

from command import (EVALUATION_TEXT, MODEL, CommandTest, calibrate, digest, forget_report,
                     run_tests, scratch, small_job)

METHODS = [["transform.method=os_plus", "scheme=w6a6"],
           ["transform.method=smoothquant", "transform.alpha=search", "scheme=w8a8"],
           ["transform.method=none", "scheme=w4a4"]]
# Nothing of the small job's hidden states, some, all.
MEMORY = ["1 B", "100 KiB", "1 GiB"]
LIMITS = ["--windows", "3", "--sequence-length", "32"]  # as the small job's


def without_measurements(output):
    """Takes summary.json out of an output folder, less what no two runs share, and the report."""
    forget_report(output)
    path = output / "summary.json"
    summary = json.loads(path.read_text())
    del summary["seconds"], summary["peak_memory_bytes"]
    path.unlink()
    return summary


def settings_of(method):
    return [word for setting in method for word in ("--set", setting)]


class Determinism(CommandTest):
    def outputs(self, folder, method, threads):
        shutil.rmtree(folder / "out", ignore_errors=True)
        self.assert_done(calibrate("run", small_job(folder), "--threads", threads,
                                   *settings_of(method)))
        return without_measurements(folder / "out"), digest(folder / "out")

    def test_threads_do_not_change_a_byte(self):
        for method in METHODS:
            with self.subTest(method), scratch() as folder:
                one = self.outputs(folder, method, 1)
                two = self.outputs(folder, method, 2)
                self.assertEqual(one, two)
                self.assertIn("calibration.h5", one[1])

    def test_memory_does_not_change_a_byte(self):
        with scratch() as folder:
            # The record and the run's id hold the job as it was written, with the limit.
            for method in [METHODS[0], [*METHODS[2], "scheme.weights.rounding=gptq"]]:
                found = []
                for limit, threads in [(limit, threads) for limit in MEMORY for threads in (1, 2)]:
                    summary, files = self.outputs(
                        folder, [*method, f"memory_limit={limit}"], threads)
                    del summary["job"]["memory_limit"], files["calibration.h5"]
                    del files["quantized/config.json"]
                    found.append((summary, files))
                for other in found[1:]:
                    self.assertEqual(found[0], other)

    def test_a_second_run_replaces_the_first_whole(self):
        with scratch() as folder:
            first = self.outputs(folder, METHODS[0], 2)
            self.assert_done(calibrate("run", small_job(folder), *settings_of(METHODS[2])))
            self.assert_done(calibrate("run", small_job(folder), *settings_of(METHODS[0])))
            again = without_measurements(folder / "out"), digest(folder / "out")
            self.assertEqual(first, again)


class SameFigures(CommandTest):
    def perplexity(self, checkpoint):
        document = self.assert_document(calibrate(
            "evaluate", checkpoint, "--text", EVALUATION_TEXT, *LIMITS, "--json"))
        return document["perplexity"][EVALUATION_TEXT.name]

    def test_evaluate_repeats_every_digit_of_the_summary(self):
        full_precision = self.perplexity(MODEL)
        for method in METHODS:
            with self.subTest(method), scratch() as folder:
                summary = self.assert_document(calibrate(
                    "run", small_job(folder), "--json", *settings_of(method)))
                found = summary["perplexity"][EVALUATION_TEXT.name]
                self.assertEqual(found["full_precision"], full_precision)
                self.assertEqual(self.perplexity(folder / "out/quantized"), found["quantized"])
                self.assertNotEqual(found["quantized"], full_precision)


if __name__ == "__main__":
    run_tests()
