"""What the tests of GGUF files share. Needs no package, so that a test can say what is missing."""
import os
import pathlib
import subprocess

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
LLAMA = SHARED / "models" / "llama-17m"
ARCHITECTURES = SHARED / "golden" / "architectures"
COMMAND = os.environ.get("EVENKEEL_CALIBRATE", "")
DECODE = os.environ.get("EVENKEEL_DECODE", "")
SKIPPED = 77
# Types that PyPI's `gguf` can write; the others it only reads.
WRITTEN = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"]
READ = ["Q4_K", "Q5_K", "Q6_K"]


def why_not(packages, variables, paths):
    """What of these is missing, or nothing; `variables` name built programs."""
    for package in packages:
        try:
            __import__(package)
        except ImportError:
            return f"needs the PyPI package '{package}'"
    for variable in variables:
        if not os.access(os.environ.get(variable, ""), os.X_OK):
            return f"needs {variable} to name the built program"
    for path in paths:
        if not path.exists():
            return f"needs {path}"
    return None


def run(*call):
    """What the program prints. Throws: AssertionError when it fails."""
    done = subprocess.run([*map(str, call)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, call))} exits with {done.returncode}: "
                             f"{done.stderr}{done.stdout}")
    return done.stdout
