"""Progress, emphasis and the log: a bar on a terminal, plain lines anywhere else."""

import os
import pty
import re
import subprocess

from command import (EVALUATION_TEXT, FAILED, LIMIT, MODEL, WRONG_USAGE, CommandTest, calibrate,
                     run_tests, scratch, small_job)

EVALUATE = ["evaluate", str(MODEL), "--text", str(EVALUATION_TEXT), "--windows", "2",
            "--sequence-length", "32"]


def on_terminal(*arguments, **environment):
    """What the command writes to a terminal, stdout and stderr together."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [os.environ["EVENKEEL_CALIBRATE"], *arguments], stdin=slave, stdout=slave, stderr=slave,
        env={**{key: value for key, value in os.environ.items() if key != "NO_COLOR"},
             "TERM": "xterm", **environment})
    os.close(slave)
    written = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # how Linux says that the other end has gone
            break
        if not piece:
            break
        written += piece
    os.close(master)
    assert process.wait(LIMIT) == 0, written
    return written.decode()


class Progress(CommandTest):
    def test_plain_lines_start_and_end_each_task(self):
        result = self.assert_done(calibrate(*EVALUATE))
        lines = result.stderr.splitlines()
        self.assertRegex(lines[0], r"^evaluate 0/6: \S")
        self.assertRegex(lines[-1], r"^evaluate 6/6: \d")
        for line in lines:
            self.assertRegex(line, r"^evaluate \d/6: ")
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        self.assertNotIn("\r", result.stdout + result.stderr)

    def test_terminal_gets_a_bar_and_a_bold_header(self):
        written = on_terminal(*EVALUATE)
        self.assertIn("\r\x1b[K", written)
        self.assertIn("evaluate [" + "." * 24 + "] 0/6", written)
        self.assertIn("evaluate [" + "#" * 24 + "] 6/6", written)
        self.assertIn("\x1b[1m", written)
        # The bar ends its line before results begin.
        self.assertRegex(written, r"6/6: \d[^\r\n]*\r\n")

    def test_no_color_keeps_the_bar(self):
        written = on_terminal(*EVALUATE, NO_COLOR="1")
        self.assertIn("\r\x1b[K", written)
        self.assertIsNone(re.search(r"\x1b\[[0-9;]*m", written))

    def test_dumb_terminal_gets_plain_lines(self):
        written = on_terminal(*EVALUATE, TERM="dumb")
        self.assertNotIn("\x1b", written)
        self.assertIn("evaluate 0/6: ", written)

    def test_quiet_terminal_gets_results_alone(self):
        self.assertNotIn("evaluate ", on_terminal(*EVALUATE, "--quiet"))


class Log(CommandTest):
    LINE = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} "

    def test_holds_every_step_and_note(self):
        with scratch() as folder:
            log = folder / "a log.txt"
            self.assert_done(calibrate("run", small_job(folder), "--quiet", "--log", log))
            lines = log.read_text().splitlines()
            for line in lines:
                self.assertRegex(line, self.LINE)
            for step in range(7):
                self.assertTrue(any(f" calibrate {step}/6: " in line for line in lines), step)
            self.assertTrue(any(" note: " in line for line in lines), lines)
            self.assert_done(calibrate(*EVALUATE, "--quiet", "--log", log))
            self.assertEqual(log.read_text().splitlines()[:len(lines)], lines)

    def test_place_that_cannot_be_written(self):
        self.assert_refused(calibrate(*EVALUATE, "--log", "/dev/full/log"), FAILED, "/dev/full/log")

    def test_commands_without_steps_do_not_take_it(self):
        self.assert_refused(calibrate("inspect", MODEL, "--log", "log"), WRONG_USAGE, "--log")


if __name__ == "__main__":
    run_tests()
