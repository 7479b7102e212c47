"""The command line itself: help, versions, wrong usage, where output goes and when it cannot."""

import os
import subprocess

from command import (CALIBRATION_TEXT, DONE, FAILED, MODEL, WRONG_USAGE, CommandTest, calibrate,
                     run_tests, scratch, small_job)

COMMANDS = ["run", "compare", "analyze", "evaluate", "inspect", "verify", "tokenize"]


class Help(CommandTest):
    def test_program_names_every_command_and_exit_status(self):
        text = self.assert_done(calibrate("--help")).stdout
        for word in [*COMMANDS, "Examples:", "--json", "--threads", "--quiet", "Exit status: 0"]:
            self.assertIn(word, text)

    def test_every_command_has_examples(self):
        for command in COMMANDS:
            with self.subTest(command):
                text = self.assert_done(calibrate(command, "--help")).stdout
                self.assertIn("Examples:", text)
                self.assertIn(f"calibrate {command} ", text)

    def test_version(self):
        self.assertRegex(calibrate("--version").stdout, r"^calibrate \d+\.\d+\.\d+\n$")


class WrongUsage(CommandTest):
    def test_each_is_one_line_that_points_to_help(self):
        cases = [
            ([], "no command is given", "'calibrate --help'"),
            (["frobnicate"], "frobnicate", "'calibrate --help'"),
            (["--frobnicate"], "--frobnicate", "'calibrate --help'"),
            (["run"], "JOB", "'calibrate run --help'"),
            (["run", "a.yaml", "b.yaml"], "b.yaml", "'calibrate run --help'"),
            (["run", "a.yaml", "--set"], "--set", "'calibrate run --help'"),
            (["evaluate", "model"], "--text", "'calibrate evaluate --help'"),
            (["evaluate", "model", "--text", "a", "--windows", "0"], "--windows", "--help'"),
            (["evaluate", "model", "--text", "a", "--windows", "x"], "--windows", "--help'"),
            (["evaluate", "model", "--text", "a", "--sequence-length", "1"], "length", "--help'"),
            (["evaluate", "model", "--text", "a", "--activations", "per_token"], "--scheme", ""),
            (["verify", "model"], "--against", "'calibrate verify --help'"),
            (["tokenize", "model"], "FILE", "'calibrate tokenize --help'"),
            (["inspect", "model", "--threads", "0"], "--threads", "--help'"),
            (["inspect", "model", "--threads", "many"], "--threads", "--help'"),
            (["inspect", "two\nlines", "more"], "more", "--help'"),
        ]
        for arguments, *words in cases:
            with self.subTest(arguments):
                self.assert_refused(calibrate(*arguments), WRONG_USAGE, *words)

    def test_values_that_only_the_command_can_judge(self):
        text = ["--text", CALIBRATION_TEXT]
        cases = [
            (["evaluate", MODEL, *text, "--scheme", "w9a9"], "w9a9", "w8a8"),
            (["evaluate", MODEL, *text, "--scheme", "w8a8"], "calibration"),
            (["evaluate", MODEL, *text, "--sequence-length", "100000"], "100000"),
            (["verify", MODEL, "--against", "x", "--tolerance", "nan"], "--tolerance"),
            (["verify", MODEL, "--against", "x", "--tolerance", "-1"], "--tolerance"),
            (["run", "absent.yaml"], "absent.yaml"),
            (["run", MODEL], "job file"),
        ]
        for arguments, *words in cases:
            with self.subTest(arguments):
                self.assert_refused(calibrate(*arguments), WRONG_USAGE, *words)

    def test_every_fault_of_a_job_has_a_line(self):
        with scratch() as folder:
            job = small_job(folder, scheme="w9a9", tranform={})
            result = calibrate("run", job, "--set", "calibration.samples=0")
            self.assertEqual(result.returncode, WRONG_USAGE)
            lines = result.stderr.splitlines()
            self.assertEqual(len(lines), 3, result.stderr)
            for line in lines:
                self.assertTrue(line.startswith("calibrate: "), line)
            self.assertIn("w9a9", result.stderr)
            self.assertIn("did you mean 'transform'", result.stderr)
            self.assertIn("--set calibration.samples", result.stderr)
            self.assertEqual(result.stdout, "")

    def test_options_may_stand_anywhere(self):
        before = calibrate("--json", "--threads", "1", "inspect", MODEL)
        after = calibrate("inspect", MODEL, "--json", "--threads", "1")
        self.assertEqual(self.assert_document(before), self.assert_document(after))

    def test_an_argument_may_be_named_as_a_command(self):
        with scratch() as folder:
            (folder / "run").write_text("some text\n")
            result = calibrate("tokenize", MODEL, "run", cwd=folder)
            self.assertRegex(self.assert_done(result).stdout, r"^\d+( \d+)*\n$")

    def test_set_takes_one_value(self):
        with scratch() as folder:
            job = small_job(folder)
            # What follows the value is the job again, not a second value.
            result = calibrate("run", "--set", "scheme=w9a9", job)
            self.assert_refused(result, WRONG_USAGE, "--set scheme", "w9a9")


class Streams(CommandTest):
    def test_full_stdout_is_an_error(self):
        for arguments in [["inspect", MODEL], ["inspect", MODEL, "--json"], ["--help"]]:
            with self.subTest(arguments), open("/dev/full", "w", encoding="utf-8") as full:
                self.assert_refused(calibrate(*arguments, stdout=full), FAILED, "stdout")

    def test_closed_pipe_is_quiet(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            result = calibrate("tokenize", MODEL, CALIBRATION_TEXT, stdout=writer)
        finally:
            os.close(writer)
        self.assertNotEqual(result.returncode, DONE)
        self.assertEqual(result.stderr, "")

    def test_work_goes_on_without_a_reader_of_progress(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            with scratch() as folder:
                result = calibrate("run", small_job(folder), stderr=writer)
                self.assertEqual(result.returncode, DONE)
                self.assertTrue((folder / "out" / "summary.json").exists())
        finally:
            os.close(writer)

    def test_quiet_says_nothing(self):
        result = calibrate("evaluate", MODEL, "--text", CALIBRATION_TEXT, "--windows", "1",
                           "--sequence-length", "16", "--quiet")
        self.assertEqual(self.assert_done(result).stderr, "")

    def test_stdin_is_a_text(self):
        from_file = calibrate("tokenize", MODEL, CALIBRATION_TEXT)
        with open(CALIBRATION_TEXT, "rb") as text:
            from_stdin = calibrate("tokenize", MODEL, "-", stdin=text)
        self.assertEqual(self.assert_done(from_stdin).stdout, from_file.stdout)
        closed = calibrate("tokenize", MODEL, "-", stdin=subprocess.DEVNULL)
        self.assertEqual(self.assert_done(closed).stdout, "\n")


if __name__ == "__main__":
    run_tests()
