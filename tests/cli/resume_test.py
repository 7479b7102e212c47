"""A run that is killed and given again leaves the bytes of one that was not."""

import json
import os
import random
import signal
import subprocess
import time

from command import (FAILED, WRONG_INPUT, WRONG_USAGE, CommandTest, calibrate, copy_model, digest,
                     forget_report, run_tests, scratch, small_job)

KILLS = 6
LAST_CALLS = 30


def contents(output):
    """The hashes of what a job left, and its summary less what no two runs share."""
    forget_report(output)
    hashes = digest(output)
    del hashes["summary.json"]
    summary = json.loads((output / "summary.json").read_text())
    del summary["seconds"], summary["peak_memory_bytes"]
    return hashes, summary


def start(job, *arguments):
    return subprocess.Popen([os.environ["EVENKEEL_CALIBRATE"], "run", str(job), *arguments],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill(program, how=signal.SIGKILL):
    program.send_signal(how)
    program.wait()


def kill_after_block(job, output, block, how=signal.SIGKILL):
    """Kills a run when a block is finished, and before the last one is."""
    program = start(job)
    part = output / ".staging" / "blocks" / f"{block}.safetensors"
    while not part.exists():
        assert program.poll() is None, "ended before it was killed"
        time.sleep(0.001)
    kill(program, how)


class Resume(CommandTest):
    def test_killed_at_any_instant(self):
        source = random.Random(5)
        with scratch() as folder:
            job = small_job(folder)
            began = time.monotonic()
            whole = self.assert_done(calibrate("run", job))
            length = time.monotonic() - began
            expected = contents(folder / "out")
            for _ in range(KILLS):
                program = start(job)
                time.sleep(source.uniform(0, length))
                kill(program)
                again = self.assert_done(calibrate("run", job))
                self.assertEqual(contents(folder / "out"), expected)
                notes = [line for line in whole.stdout.splitlines() if line.startswith("note:")]
                for note in notes:
                    self.assertIn(note, again.stdout)

    def test_killed_at_its_calls_that_change_files(self):
        library = os.environ.get("EVENKEEL_KILL_AT_CALL")
        if library is None:
            self.skipTest("needs the library kill_at_call, which builds with sanitizers lack")
        with scratch() as folder:
            job = small_job(folder)
            counter = folder / "count"
            environment = {**os.environ, "LD_PRELOAD": library, "KILL_COUNT_FILE": str(counter)}
            self.assert_done(calibrate("run", job, env=environment))
            expected = contents(folder / "out")
            calls = int(counter.read_text())
            # All of the last ones, in which everything is put into place, and some of the others.
            for call in [*range(1, calls - LAST_CALLS, (calls - LAST_CALLS) // 8),
                         *range(calls - LAST_CALLS, calls + 1)]:
                with self.subTest(call=call, of=calls):
                    result = calibrate("run", job, env={**environment, "KILL_AT_CALL": str(call)})
                    self.assertEqual(result.returncode, -signal.SIGKILL)
                    self.assert_done(calibrate("run", job))
                    self.assertEqual(contents(folder / "out"), expected)

    def test_says_after_which_block_it_continues(self):
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            with self.subTest(how), scratch() as folder:
                job = small_job(folder)
                kill_after_block(job, folder / "out", 1, how)
                result = self.assert_done(calibrate("run", job, "--quiet"))
                self.assertRegex(result.stderr, r"^note: continues after block [1-5], ")
                self.assertEqual(len(result.stderr.splitlines()), 1)
                self.assertFalse((folder / "out" / ".staging").exists())

    def test_another_job_model_or_text_is_refused(self):
        with scratch() as folder:
            model = copy_model(folder / "model")
            text = folder / "calibration.txt"
            text.write_text("one two three four five six seven eight nine ten " * 40)
            calibration = {"corpus": str(text), "samples": 3, "sequence_length": 32, "batch": 2}
            job = small_job(folder, model=str(model), calibration=calibration)
            kill_after_block(job, folder / "out", 0)
            staging = str(folder / "out" / ".staging")
            self.assert_refused(calibrate("run", job, "--set", "scheme=w6a6"), WRONG_USAGE,
                                staging, "scheme.activations.bits was 8 and is 6", "--restart")
            text.write_text(text.read_text() + "eleven")
            self.assert_refused(calibrate("run", job), WRONG_INPUT, staging,
                                "calibration.corpus: calibration.txt has changed", "--restart")
            config = model / "generation_config.json"
            text.write_text(text.read_text()[:-len("eleven")])
            config.write_text(config.read_text() + "\n")
            self.assert_refused(calibrate("run", job), WRONG_INPUT, staging,
                                "model: generation_config.json has changed", "--restart")
            result = self.assert_done(calibrate("run", job, "--restart", "--quiet"))
            self.assertEqual(result.stderr, "")

    def test_compare_leaves_the_blocks_of_a_killed_run(self):
        with scratch() as folder:
            job = small_job(folder, compare={"transform.method": ["none"]})
            kill_after_block(job, folder / "out", 0)
            self.assert_done(calibrate("compare", job, "--quiet"))
            result = self.assert_done(calibrate("run", job, "--quiet"))
            self.assertIn("continues after block", result.stderr)

    def test_disk_that_fills_up_keeps_what_is_finished(self):
        with scratch() as folder:
            job = small_job(folder)
            self.assert_done(calibrate("run", job, "--quiet"))
            expected = contents(folder / "out")
            kill_after_block(job, folder / "out", 2)
            # Stands for a full disk: the record cannot be put in its place.
            obstacle = folder / "out" / ".staging" / "calibration.h5.partial"
            obstacle.mkdir()
            result = calibrate("run", job, "--quiet")
            self.assertEqual(result.returncode, FAILED)
            self.assertIn("6 of 6 blocks are finished, and kept", result.stderr)
            self.assertEqual(contents_of_outputs(folder / "out"), expected)
            obstacle.rmdir()
            self.assertIn("continues after block 5",
                          self.assert_done(calibrate("run", job, "--quiet")).stderr)
            self.assertEqual(contents(folder / "out"), expected)


def contents_of_outputs(output):
    """As contents, of the outputs alone."""
    hashes, summary = contents(output)
    return {path: each for path, each in hashes.items()
            if not path.startswith(".staging")}, summary


if __name__ == "__main__":
    run_tests()
