"""Runs the command and makes what it reads, for the tests beside this file: standard library only.

EVENKEEL_CALIBRATE is the command, EVENKEEL_BUILD_DIR a folder that may be written to.
"""

import contextlib
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
SHARED = SOURCE.parent / "shared"
QUICKSTART = SOURCE / "configs" / "quickstart"
MODEL = QUICKSTART / "opt-3m-outlier"
CALIBRATION_TEXT = QUICKSTART / "calibration.txt"
EVALUATION_TEXT = QUICKSTART / "evaluation.txt"
LIMIT = 300  # seconds: a hang is a failure, also under sanitizers

DONE, FAILED, WRONG_USAGE, WRONG_INPUT = 0, 1, 2, 3


def calibrate(*arguments, **options):
    """Runs the command to its end; stdout and stderr are texts unless given elsewhere."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(
        [os.environ["EVENKEEL_CALIBRATE"], *map(str, arguments)],
        encoding="utf-8", errors="replace", timeout=LIMIT, check=False, **streams)


@contextlib.contextmanager
def scratch():
    """A folder of its own for one test, removed afterwards."""
    parent = Path(os.environ.get("EVENKEEL_BUILD_DIR", tempfile.gettempdir())) / "cli_tests"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder).resolve()


def small_job(folder, **changes):
    """Writes a job that takes about a second; `changes` replace its sections. Its path."""
    job = {
        "model": str(MODEL),
        "calibration": {"corpus": str(CALIBRATION_TEXT), "samples": 3, "sequence_length": 32,
                        "batch": 2},
        "transform": {"method": "os_plus", "search_samples": 2},
        "scheme": "w8a8",
        "evaluate": {"perplexity": [str(EVALUATION_TEXT)], "sequence_length": 32, "windows": 3},
        "output": str(folder / "out"),
        **changes,
    }
    path = folder / "job.yaml"
    # JSON is YAML; one key a line, so that messages have lines to name.
    path.write_text(json.dumps(job, indent=1) + "\n")
    return path


def digest(folder):
    """Every path below a folder with the hash of its bytes."""
    return {
        str(path.relative_to(folder)):
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(Path(folder).rglob("*"))
    }


def forget_report(output):
    """Removes what holds the seconds and memory of a run, which no two share, beside its summary."""
    for name in ("report.html", "charts/seconds.svg", "charts/seconds.csv"):
        (output / name).unlink(missing_ok=True)


def copy_model(folder):
    """A copy of the model that may be spoilt."""
    for source in MODEL.iterdir():
        shutil.copyfile(source, make_folder(folder) / source.name)
    return folder


def make_folder(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Safetensors:
    """A .safetensors file taken apart, to be put together again with a fault in it."""

    def __init__(self, path):
        stored = Path(path).read_bytes()
        (length,) = struct.unpack_from("<Q", stored)
        self.header_end = 8 + length
        self.header = json.loads(stored[8:self.header_end])
        self.data = bytearray(stored[self.header_end:])

    def write(self, path):
        text = json.dumps(self.header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        Path(path).write_bytes(struct.pack("<Q", len(text)) + text + bytes(self.data))

    def remove(self, name):
        """Takes a tensor out, leaving no hole."""
        begin, end = self.header.pop(name)["data_offsets"]
        del self.data[begin:end]
        for tensor, entry in self.header.items():
            if tensor != "__metadata__" and entry["data_offsets"][0] >= end:
                entry["data_offsets"] = [each - (end - begin) for each in entry["data_offsets"]]


class CommandTest(unittest.TestCase):
    """What every call must hold."""

    def assert_done(self, result):
        self.assertEqual(result.returncode, DONE, result.stderr)
        return result

    def assert_document(self, result):
        """The one JSON document of stdout."""
        self.assert_done(result)
        return json.loads(result.stdout)

    def assert_refused(self, result, status, *words):
        """One clear line on stderr, nothing on stdout, the documented status."""
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout or "", "")
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("calibrate: "), lines[0])
        self.assertTrue(lines[0].isprintable(), lines[0])
        for word in words:
            self.assertIn(word, lines[0])


def shared(relative):
    """A file of the shared material; skips the test when it is not there."""
    path = SHARED / relative
    if not path.exists():
        raise unittest.SkipTest(f"needs ../shared/{relative} beside the checkout, which is absent")
    return path


def run_tests():
    """Runs the tests of the calling script; exit status 77 when all of them were skipped."""
    if "EVENKEEL_CALIBRATE" not in os.environ:
        print("skipped: EVENKEEL_CALIBRATE does not name the command; run this test by ctest")
        sys.exit(77)
    program = unittest.main(module="__main__", verbosity=2, exit=False)
    if not program.result.wasSuccessful():
        sys.exit(1)
    if program.result.testsRun == len(program.result.skipped):
        sys.exit(77)
