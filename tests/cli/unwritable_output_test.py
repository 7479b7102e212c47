"""An output that cannot be written: one line, status 1, and what stood there before untouched."""

import os
import resource

from command import (EVALUATION_TEXT, FAILED, MODEL, WRONG_USAGE, CommandTest, calibrate, digest,
                     run_tests, scratch, small_job)

COMPARISON = {"transform.method": ["none"]}


def file_size_limit(size):
    """Stands for a full disk: permission bits do not bind root, who may run this test."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class UnwritableOutput(CommandTest):
    def test_places_where_no_folder_can_be(self):
        with scratch() as folder:
            (folder / "file").write_text("kept")
            places = [folder / "file", folder / "file" / "out", "/dev/full/out", "/proc/evenkeel"]
            for place in places:
                for command in ["run", "compare"]:
                    with self.subTest(place=place, command=command):
                        job = small_job(folder, output=str(place), compare=COMPARISON)
                        self.assert_refused(calibrate(command, job, "--quiet"), FAILED, str(place))
            self.assertEqual((folder / "file").read_text(), "kept")

    def test_folder_without_permission(self):
        if os.geteuid() == 0:
            self.skipTest("permission bits do not bind root")
        with scratch() as folder:
            (folder / "closed").mkdir(mode=0o500)
            job = small_job(folder, output=str(folder / "closed" / "out"))
            self.assert_refused(calibrate("run", job, "--quiet"), FAILED, "closed")

    def test_full_disk_leaves_no_trace(self):
        # Below the record, below the weights of quantized/, below those of model/.
        for size in [0, 4096, 200_000, 2_000_000, 5_000_000]:
            with self.subTest(size), scratch() as folder:
                job = small_job(folder)
                result = calibrate("run", job, "--quiet", preexec_fn=file_size_limit(size))
                self.assert_refused(result, FAILED, str(folder / "out"))
                self.assertFalse((folder / "out").exists())

    def test_full_disk_leaves_earlier_outputs(self):
        with scratch() as folder:
            job = small_job(folder)
            self.assert_done(calibrate("run", job, "--quiet"))
            before = digest(folder / "out")
            for size in [4096, 2_000_000]:
                with self.subTest(size):
                    result = calibrate("run", job, "--quiet", "--set", "scheme=w4a4",
                                       preexec_fn=file_size_limit(size))
                    self.assert_refused(result, FAILED, str(folder / "out"))
                    self.assertEqual(digest(folder / "out"), before)

    def test_full_disk_for_hidden_states_leaves_earlier_outputs(self):
        calibration = {"random": "ascii", "samples": 30, "sequence_length": 512, "batch": 2}
        refused = ["memory limit", "free some space"]
        with scratch() as folder:
            self.assert_done(calibrate("run", small_job(folder), "--quiet"))
            before = digest(folder / "out")
            # Above the weights, below 30 x 512 x 192 floats.
            job = small_job(folder, calibration=calibration, memory_limit="1 B")
            result = calibrate("run", job, "--quiet", preexec_fn=file_size_limit(9_000_000))
            self.assert_refused(result, FAILED, str(folder / "out"), *refused)
            self.assertEqual(digest(folder / "out"), before)
            job = small_job(folder, memory_limit="1 B", compare=COMPARISON)
            result = calibrate("compare", job, "--quiet", preexec_fn=file_size_limit(4096))
            self.assert_refused(result, FAILED, str(folder / "out"), *refused)
            self.assertEqual(digest(folder / "out"), before)

    def test_evaluate_spills_where_the_environment_says(self):
        with scratch() as folder:
            def evaluate(*options, **changes):
                return calibrate("evaluate", MODEL, "--text", EVALUATION_TEXT, "--windows", "3",
                                 "--sequence-length", "32", *options, **changes)
            expected = self.assert_done(evaluate()).stdout
            there = {**os.environ, "TMPDIR": str(folder)}
            spilled = evaluate("--memory-limit", "1 B", env=there)
            self.assertEqual(self.assert_done(spilled).stdout, expected)
            self.assertEqual(list(folder.iterdir()), [])
            self.assert_refused(evaluate("--memory-limit", "1 B", "--quiet", env=there,
                                         preexec_fn=file_size_limit(4096)), FAILED, str(folder))
            there["TMPDIR"] = str(folder / "none")
            self.assert_refused(evaluate("--memory-limit", "1 B", "--quiet", env=there), FAILED,
                                str(folder / "none"), "cannot be made")
            self.assert_refused(evaluate("--memory-limit", "much"), WRONG_USAGE,
                                "--memory-limit", "2GiB")


if __name__ == "__main__":
    run_tests()
