"""calibrate compare: sets of a folder, seeds, baselines, records for programs, and rows that survive
a kill."""

import csv
import io
import json
import math
import os
import signal
import statistics
import subprocess
import time

from command import (MODEL, WRONG_INPUT, WRONG_USAGE, CommandTest, calibrate, copy_model, run_tests,
                     scratch, small_job)


def result_of(output):
    """compare.json less the seconds."""
    result = json.loads((output / "compare.json").read_text())
    for row in result["rows"]:
        del row["seconds"]
    return result


def write_texts(folder, *names):
    folder.mkdir()
    for i, name in enumerate(names):
        (folder / name).write_text(f"{name} has a text of its own, number {i}. " * 40)
    return folder


class Compare(CommandTest):
    def test_a_folder_is_a_set_for_each_file(self):
        with scratch() as folder:
            write_texts(folder / "texts", "deu.dev.txt", "eng.dev.txt", "eng.test.txt")
            sets = [{"corpus": {"folder": "texts", "pattern": "*.dev.txt"}}]
            job = small_job(folder, calibration={"samples": 3, "sequence_length": 32, "batch": 2},
                            compare={"calibration": sets, "baseline": {"calibration": "eng"}})
            rows = self.assert_document(calibrate("compare", job, "--json"))["rows"]
            self.assertEqual([row["settings"]["calibration"] for row in rows], ["deu", "eng"])
            self.assertEqual(rows[0]["baseline"], {"calibration": "eng"})
            self.assertNotIn("baseline", rows[1])
            alone = self.assert_document(calibrate(
                "run", job, "--json", "--set", "calibration.corpus=texts/deu.dev.txt"))
            for text, value in rows[0]["perplexity"].items():
                self.assertEqual(value, alone["perplexity"][text]["quantized"])

    def test_seeds_have_an_error_of_their_own(self):
        with scratch() as folder:
            job = small_job(folder, calibration={"random": "ascii", "samples": 3, "batch": 2,
                                                 "sequence_length": 32, "seeds": [1, 2, 3]},
                            compare={"transform.method": ["none", "os_plus"]})
            rows = self.assert_document(calibrate("compare", job, "--json"))["rows"]
            for row in rows:
                self.assertEqual(row["seeds"], [1, 2, 3])
                for text, value in row["perplexity"].items():
                    runs = row["runs"][text]["perplexity"]
                    self.assertAlmostEqual(value, statistics.geometric_mean(runs))
                    self.assertAlmostEqual(row["seed_error"][text]["perplexity"],
                                           statistics.stdev(runs) / math.sqrt(3))

    def test_records_are_those_of_the_file(self):
        with scratch() as folder:
            job = small_job(folder, compare={"scheme": ["w8a8", "w4a4"]})
            text = self.assert_done(calibrate("compare", job, "--csv")).stdout
            records = list(csv.DictReader(io.StringIO(text)))
            result = result_of(folder / "out")
            self.assertEqual([record["scheme"] for record in records],
                             ["full precision", "w8a8", "w4a4"])
            for record, row in zip(records, [result["full_precision"], *result["rows"]]):
                name = record["text"]
                self.assertEqual(float(record["value"]), row[record["metric"]][name])
                self.assertEqual(float(record["standard_error"]),
                                 row["standard_error"][name][record["metric"]])
            ratio = result["rows"][1]["to_full_precision"][name]["perplexity"]
            self.assertAlmostEqual(float(records[2]["to_full_precision"]), ratio["ratio"])
            self.assertAlmostEqual(ratio["ratio"],
                                   float(records[2]["value"]) / float(records[0]["value"]))
            self.assert_refused(calibrate("compare", job, "--csv", "--json"), WRONG_USAGE, "--csv")

    def test_killed_and_continued(self):
        with scratch() as folder:
            # One at a time, so that there is something to finish first.
            job = small_job(folder, memory_limit="1 B",
                            compare={"transform.method": ["none", "smoothquant", "os_plus"],
                                     "scheme": ["w8a8", "w4a4"]})
            self.assert_done(calibrate("compare", job, "--quiet"))
            expected = result_of(folder / "out")
            program = subprocess.Popen([os.environ["EVENKEEL_CALIBRATE"], "compare", str(job)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            kept = folder / "out" / ".comparing" / "rows" / "1.json"
            while not kept.exists():
                self.assertIsNone(program.poll(), "ended before it was killed")
                time.sleep(0.001)
            program.send_signal(signal.SIGKILL)
            program.wait()
            refused = calibrate("compare", job, "--set", "calibration.samples=2")
            self.assert_refused(refused, WRONG_USAGE, "--restart")
            again = self.assert_done(calibrate("compare", job))
            self.assertRegex(again.stderr, r"continues with \d of 6 calibrations finished")
            self.assertEqual(result_of(folder / "out"), expected)
            self.assertFalse((folder / "out" / ".comparing").exists())

    def test_threads_change_nothing(self):
        with scratch() as folder:
            job = small_job(folder, compare={
                "transform.method": ["none", "smoothquant", "os_plus"],
                "scheme": ["w4a4", {"name": "w8a8", "propagate": "full_precision"}]})
            found = []
            for threads in ["1", "2", "3"]:
                self.assert_done(calibrate("compare", job, "--quiet", "--threads", threads))
                found.append(result_of(folder / "out"))
            self.assertEqual(found[0], found[1])
            self.assertEqual(found[0], found[2])

    def test_faults_say_what(self):
        with scratch() as folder:
            axes = {"transform.method": ["none", "os_plus"]}
            faults = {
                "has no entry 'awq'; its entries are none | os_plus":
                    {"baseline": {"transform.method": "awq"}},
                "'scheme' is no axis": {"baseline": {"scheme": "w8a8"}},
                "expected 'full precision', or labels by axis": {"baseline": "none"},
                "folder 'absent' cannot be read":
                    {"calibration": [{"corpus": {"folder": "absent"}}]},
            }
            for message, compare in faults.items():
                with self.subTest(message):
                    job = small_job(folder, compare={**axes, **compare})
                    self.assert_refused(calibrate("compare", job), WRONG_USAGE, message)
            seeded = small_job(folder, calibration={"random": "ascii", "samples": 3, "batch": 2,
                                                    "sequence_length": 32, "seeds": [1, 2]})
            self.assert_refused(calibrate("run", seeded), WRONG_USAGE, "calibration.seeds",
                                "only calibrate compare")

    def test_fault_of_one_row_names_its_model(self):
        with scratch() as folder:
            broken = copy_model(folder / "broken")
            weights = broken / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:100_000])
            job = small_job(folder, compare={"model": [str(MODEL), str(broken)]})
            self.assert_refused(calibrate("compare", job, "--quiet"), WRONG_INPUT, str(weights))
            self.assertFalse((folder / "out").exists())


if __name__ == "__main__":
    run_tests()
