#!/usr/bin/env bash
# GPTQ of 4-bit weights in groups of 128 beside PyPI's llm-compressor: perplexity of both on the
# same windows, from the same calibration samples.
#   bench/llm_compressor.sh MODEL CORPUS.jsonl HELDOUT.jsonl
# Needs build/release/apps/calibrate. Installs llm-compressor, with PyTorch (some GB), into
# build/venv-llm-compressor, once.
set -euo pipefail
if [[ $# -ne 3 ]]; then
  echo "llm_compressor.sh: give MODEL CORPUS.jsonl HELDOUT.jsonl" >&2
  exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
model=$(realpath "$1") corpus=$(realpath "$2") heldout=$(realpath "$3")
calibrate=$root/build/release/apps/calibrate
if [[ ! -x $calibrate ]]; then
  echo "llm_compressor.sh: $calibrate is not built; run apps/quickstart.sh" >&2
  exit 1
fi
venv=${EVENKEEL_BENCH_VENV:-$root/build/venv-llm-compressor}
if [[ ! -x $venv/bin/python3 ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'llmcompressor>=0.14,<0.15'
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$calibrate" compare "$root/configs/gptq-compare.yaml" --quiet --json --set model="$model" \
  --set calibration.corpus="$corpus" --set "evaluate.perplexity=[$heldout]" \
  --set output="$out/compare" >"$out/ours.json"
"$venv/bin/python3" "$root/bench/llm_compressor.py" "$model" "$corpus" "$heldout" "$out/ours.json"
