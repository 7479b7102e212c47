#!/usr/bin/env bash
# clang-tidy over the sources, warnings as errors; slow, so not part of run.sh.
#   tests/tidy.sh            every source
#   tests/tidy.sh --changed  those that differ from the last commit
#   tests/tidy.sh FILE...    these
# Needs the compile commands of build/release (cmake --preset release).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ! -f build/release/compile_commands.json ]]; then
  echo "tidy.sh: build/release is not configured; run: cmake --preset release" >&2
  exit 1
fi

case "${1:-}" in
  "") mapfile -t files < <(find apps calib io model quantizers tests transforms -name '*.cpp') ;;
  --changed)
    mapfile -t files < <(
      { git diff --name-only --diff-filter=d HEAD && git ls-files --others --exclude-standard; } |
        grep '\.cpp$' || true
    )
    ;;
  *) files=("$@") ;;
esac
if [[ ${#files[@]} -eq 0 ]]; then
  echo "no source to look at"
  exit 0
fi

# GCC's warning switches are in the compile commands; clang does not know them all.
printf '%s\n' "${files[@]}" | sort |
  xargs --max-procs="$(nproc)" --max-args=1 \
    clang-tidy-14 -p build/release --quiet --extra-arg=-Wno-unknown-warning-option
echo "${#files[@]} sources are clean"
