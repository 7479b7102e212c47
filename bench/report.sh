#!/usr/bin/env bash
# The size of the report of a large synthetic model, and the seconds that writing it takes.
#   bench/report.sh [BLOCKS] [CHANNELS]      48 4096
# CALIBRATE names the command, if not that of the preset release; PYTHON one with h5py (build/venv).
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
calibrate="${CALIBRATE:-$root/build/release/apps/calibrate}"
python="${PYTHON:-$root/build/venv/bin/python3}"
blocks="${1:-48}" channels="${2:-4096}"
folder="$root/build/bench/report"
rm -rf "$folder"
trap 'rm -rf "$folder"' EXIT
"$python" "$root/bench/synthetic_run.py" "$folder" "$blocks" "$channels"
began=$(date +%s%N)
"$calibrate" report "$folder" --quiet >/dev/null
printf '%d blocks x %d channels: report.html %d kB, charts/ %d kB, %d ms\n' "$blocks" "$channels" \
  $(($(stat -c %s "$folder/report.html") / 1000)) \
  $(($(du -sb "$folder/charts" | cut -f1) / 1000)) $((($(date +%s%N) - began) / 1000000))
