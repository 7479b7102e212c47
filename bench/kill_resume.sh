#!/usr/bin/env bash
# Kills a job (kill -9) at random instants of its run, continues it, and compares every output byte
# with those of an uninterrupted run; seconds and peak memory in summary.json and the report aside.
#   bench/kill_resume.sh [--kills N] [--seed S] [JOB.yaml] [calibrate options, such as --set ...]
# Prints a table; exit status 1 when anything differs. CALIBRATE names the command, if not that of
# the preset release; outputs go to build/bench/kill_resume.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
calibrate="${CALIBRATE:-$root/build/release/apps/calibrate}"
kills=20
seed=1
job="$root/configs/quickstart/calibrate.yaml"
while [[ $# -gt 0 ]]; do
  case "$1" in
    --kills) kills=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    *.yaml) job=$1; shift ;;
    *) break ;;
  esac
done

folder="$root/build/bench/kill_resume"
out="$folder/out"
rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT
run() { "$calibrate" run "$job" --set "output=$out" --quiet "$@" >"$folder/stdout" 2>"$folder/stderr"; }

# Every file with its hash, summary.json and the report without what no two runs share.
contents() {
  python3 - "$1" <<'PYTHON'
import hashlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
for path in sorted(root.rglob("*")):
    if path.name == "report.html" or path.parent.name == "charts" and path.stem == "seconds":
        continue
    data = path.read_bytes() if path.is_file() else b"folder"
    if path.relative_to(root).as_posix() == "summary.json":
        summary = json.loads(data)
        del summary["seconds"], summary["peak_memory_bytes"]
        data = json.dumps(summary).encode()
    print(path.relative_to(root), hashlib.sha256(data).hexdigest())
PYTHON
}

began=$(date +%s%N)
run "$@"
length=$(( ($(date +%s%N) - began) / 1000000 ))
contents "$out" >"$folder/whole"
echo "an uninterrupted run took ${length} ms; seed $seed"

RANDOM=$seed
different=0
printf '%6s  %10s  %15s  %s\n' kill "after ms" "finished blocks" "after continuing"
for ((i = 1; i <= kills; ++i)); do
  rm -rf "$out"
  # Somewhat beyond the end, so that the last steps are met too.
  after=$(( (RANDOM * 32768 + RANDOM) % (length * 102 / 100) ))
  "$calibrate" run "$job" --set "output=$out" --quiet "$@" >/dev/null 2>&1 &
  program=$!
  sleep "$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))"
  kill -9 "$program" 2>/dev/null || true
  wait "$program" 2>/dev/null || true
  blocks=$({ find "$out/.staging/blocks" -name '*.safetensors' 2>/dev/null || true; } | wc -l)
  [[ -d "$out/.staging" ]] || blocks="-"
  verdict="same bytes"
  if ! run "$@"; then
    verdict="failed: $(tail -1 "$folder/stderr")"
  elif ! contents "$out" | cmp -s - "$folder/whole"; then
    verdict="different: $(contents "$out" | diff - "$folder/whole" | head -1)"
  fi
  [[ $verdict == "same bytes" ]] || different=$((different + 1))
  printf '%6d  %10d  %15s  %s\n' "$i" "$after" "$blocks" "$verdict"
done
echo "$((kills - different)) of $kills continued to the same bytes"
[[ $different -eq 0 ]]
