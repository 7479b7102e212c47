"""Calls the programs that run.py times, and reads what they leave."""
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
BUILD = ROOT / "build" / "release"


def call(*command):
    """What a program prints as JSON; its errors end this one."""
    print("+", *command, file=sys.stderr, flush=True)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SystemExit(f"run.py: {command[0]} failed with status {done.returncode}")
    return json.loads(done.stdout) if done.stdout else None


def peer(program, *arguments):
    return call(sys.executable, BENCH / f"peer_{program}.py", *arguments)


def tool(name, *arguments):
    return call(BUILD / "bench" / name, *arguments)


@dataclasses.dataclass
class Job:
    """One `calibrate run` of w8a8 OS+ without evaluation."""
    model: pathlib.Path
    text: pathlib.Path
    samples: int = 32
    search_samples: int = 8
    search: str = "exact"
    propagate: str = "quantized"
    threads: int = 2

    def run(self, folder):
        """Its summary; what the job before left in the folder goes."""
        shutil.rmtree(folder / "out", ignore_errors=True)
        file = folder / "job.yaml"
        settings = {
            "model": str(self.model), "output": str(folder / "out"),
            "calibration": {"corpus": str(self.text), "samples": self.samples,
                            "sequence_length": 512, "batch": 8},
            "transform": {"method": "os_plus", "search": self.search,
                          "search_samples": self.search_samples},
            "scheme": {"name": "w8a8", "propagate": self.propagate}}
        file.write_text(json.dumps(settings))
        return call(BUILD / "apps" / "calibrate", "run", file, "--json", "--quiet",
                    "--threads", self.threads)


def scored_candidates(folder):
    """Thresholds that the last job's search scored to the end, over all sites."""
    import h5py
    import numpy as np
    with h5py.File(folder / "out" / "calibration.h5") as record:
        return sum(int(np.isfinite(site["losses"][:]).sum())
                   for block in record["blocks"].values() for site in block["sites"].values())


def synthetic(folder, blocks, channels, windows):
    """A checkpoint of random weights and its token ids."""
    model, ids = folder / "synthetic", folder / "ids.safetensors"
    call(sys.executable, BENCH / "synthetic_checkpoint.py", model, "--blocks", blocks,
         "--channels", channels, "--ids", ids, "--windows", windows, "--length", 512)
    return model, ids


def shared_or_own(parser, options):
    """Models and text: those given, of ../shared, or the embedded ones."""
    shared = ROOT.parent / "shared"
    if options.model:
        if not options.text:
            parser.error("--model needs --text")
        return options.model, options.text
    if shared.exists():
        return ([shared / "models" / name for name in ("opt-3m-outlier", "opt-17m-old")],
                options.text or shared / "data" / "corpus" / "calibration.jsonl")
    own = ROOT / "configs" / "quickstart"
    return [own / "opt-3m-outlier"], options.text or own / "calibration.txt"
