#!/usr/bin/env bash
# Peak resident memory of `calibrate run` on synthetic OPT models that differ in blocks alone:
# 2048 channels, vocabulary 50272, fp16 on disk, 16 samples of 512 tokens, w8a8, OS+ with the fast
# search over 8 of them, memory_limit 256 MiB.
#   bench/memory.sh [--channels N] [BLOCKS...]     6 and 24 by default; 24 are 1.3 billion parameters
# Prints the peaks, what one block and the hidden states take, and the ratio of the largest peak to
# the smallest. Takes a quarter of an hour on two cores and 6 GB under build/bench, removed afterwards.
# Exit status 1 when a peak of the default channels is above 1.2 GiB or the ratio above 1.05.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
channels=2048
if [[ ${1:-} == --channels ]]; then
  channels=$2
  shift 2
fi
blocks=("$@")
[[ ${#blocks[@]} -gt 0 ]] || blocks=(6 24)
calibrate=${CALIBRATE:-$root/build/release/apps/calibrate}
if [[ ! -x $calibrate ]]; then
  echo "memory.sh: $calibrate is not built; run apps/quickstart.sh" >&2
  exit 1
fi
venv=${EVENKEEL_BENCH_VENV:-$root/build/venv-bench}
[[ -x $venv/bin/python3 ]] || python3 -m venv "$venv"
"$venv/bin/python3" -c 'import numpy' 2>/dev/null ||
  "$venv/bin/pip" install --quiet --disable-pip-version-check numpy
mkdir -p "$root/build/bench"
work=$(mktemp -d "$root/build/bench/memory-XXXXXX")
trap 'rm -rf "$work"' EXIT
cat >"$work/job.yaml" <<'JOB'
model: model
calibration: {corpus: ids.safetensors, samples: 16, sequence_length: 512}
transform: {method: os_plus, search: fast}
scheme: w8a8
memory_limit: 256MiB
output: out
JOB
for count in "${blocks[@]}"; do
  "$venv/bin/python3" "$root/bench/synthetic_checkpoint.py" "$work/model" --blocks "$count" \
    --channels "$channels" --vocabulary 50272 --ids "$work/ids.safetensors" --windows 16 --length 512
  "$calibrate" run "$work/job.yaml" --json --quiet >"$work/summary-$count.json"
  rm -rf "$work/model" "$work/out"
done
"$venv/bin/python3" - "$channels" "$work" "${blocks[@]}" <<'PYTHON'
import json
import pathlib
import sys

channels, work, blocks = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
MIB = 2**20
parameters = 12 * channels**2  # of a block, nearly
print(f"one block in float {4 * parameters / MIB:.0f} MiB (kept folded and quantized), its codes "
      f"{2 * parameters / MIB:.0f} MiB, hidden states {16 * 512 * channels * 4 / MIB:.0f} MiB")
print("blocks  parameters     on disk  peak memory   seconds")
peaks = []
for count in blocks:
    summary = json.loads((work / f"summary-{count}.json").read_text())
    peaks.append(summary["peak_memory_bytes"] / MIB)
    millions = summary["parameters"] / 1e6
    print(f"{count:>6}  {millions:8.0f} M  {2 * millions / 1000:6.2f} GB  {peaks[-1]:7.0f} MiB"
          f"  {summary['seconds']['total']:8.0f}")
ratio = max(peaks) / min(peaks)
print(f"ratio of the largest peak to the smallest {ratio:.3f}")
sys.exit(ratio > 1.05 or (channels == 2048 and max(peaks) > 1.2 * 1024))
PYTHON
