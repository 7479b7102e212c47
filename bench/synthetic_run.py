#!/usr/bin/env python3
"""Writes what a run of a large model would leave of itself for its report.

  synthetic_run.py FOLDER [BLOCKS] [CHANNELS]

FOLDER/summary.json and FOLDER/calibration.h5 (laid out as calib/record.h says) of a model of so many
blocks and channels (48, 4096), with outlier channels. Needs h5py and numpy.
"""

import json
import pathlib
import sys

import h5py
import numpy

INPUTS = {"attention": "attention.input", "mlp": "mlp.input"}
THRESHOLDS = 150


def channels_of(channels):
    """Channels of each node, in the order of a block."""
    return {"attention.input": channels, "attention.query": channels, "attention.key": channels,
            "attention.value": channels, "attention.probabilities": max(channels // 128, 1),
            "attention.output": channels, "mlp.input": channels, "mlp.hidden": 4 * channels}


def write_node(group, random, channels, outliers):
    width = random.gamma(4.0, 0.5, channels)
    middle = random.normal(0.0, 0.2, channels)
    if outliers is not None:
        width[outliers] *= 12
        middle[outliers] += random.choice([-40.0, 40.0], len(outliers))
    low, high = middle - width, middle + width
    for name, values in {"min": low, "max": high, "absmax": numpy.maximum(abs(low), abs(high)),
                         "mean": middle, "variance": width}.items():
        group[name] = values.astype(numpy.float32)
    group.attrs["range_low"], group.attrs["range_high"] = float(low.min()), float(high.max())
    group.attrs["step"] = float(high.max() - low.min()) / 255
    group.attrs["zero_point"] = 128
    return low, high


def write_site(group, random, low, high):
    shift = (low + high) / 2
    thresholds = numpy.linspace(80.0, 1.0, THRESHOLDS)
    chosen = 2.0 + random.random()
    losses = 1.0 + (thresholds - chosen) ** 2 + 0.1 * random.random(THRESHOLDS)
    group["shift"] = shift.astype(numpy.float32)
    group["scale"] = numpy.maximum(1.0, (high - shift) / chosen).astype(numpy.float32)
    group["thresholds"], group["losses"] = thresholds, losses
    best = int(losses.argmin())
    before = float(losses.max() * 2)
    group.attrs.update(method="os_plus", threshold=thresholds[best], loss=losses[best],
                       loss_before=before)
    return {"method": "os_plus", "threshold": thresholds[best], "loss_before": before,
            "loss_after": losses[best]}


def write_record(path, blocks, channels):
    """The record; the sites as the summary has them."""
    random = numpy.random.default_rng(0)
    outliers = random.choice(channels, 6, replace=False)
    sites = []
    with h5py.File(path, "w") as file:
        file.attrs["id"] = "synthetic"
        file["job"] = "model: synthetic\n"
        for block in range(blocks):
            ends = {}
            for node, count in channels_of(channels).items():
                group = file.create_group(f"blocks/{block}/nodes/{node}")
                reach = outliers if node in INPUTS.values() else None
                ends[node] = write_node(group, random, count, reach)
            for site, node in INPUTS.items():
                group = file.create_group(f"blocks/{block}/sites/{site}")
                sites.append({"name": f"blocks.{block}.{site}",
                              **write_site(group, random, *ends[node])})
    return sites


def write_run(folder, blocks=48, channels=4096):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sites = write_record(folder / "calibration.h5", blocks, channels)
    part = {"bits": 8, "granularity": "per_tensor", "symmetric": False, "range": "minmax",
            "rounding": "nearest"}
    (folder / "summary.json").write_text(json.dumps({
        "model": "synthetic", "architecture": "opt", "parameters": 12 * blocks * channels ** 2,
        "job": {"file": "job.yaml", "transform": {"method": "os_plus"},
                "scheme": {"weights": part, "activations": part, "propagate": "quantized"}},
        "perplexity": {f"text {i}.txt": {"full_precision": 10.0 + i, "quantized": 11.0 + i}
                       for i in range(4)},
        "sites": sites,
        "seconds": {"total": 100.0, "observe": 20.0, "search": 60.0, "quantize": 10.0,
                    "evaluate": 5.0},
        "peak_memory_bytes": 1 << 30}))


if __name__ == "__main__":
    write_run(sys.argv[1], *map(int, sys.argv[2:]))
