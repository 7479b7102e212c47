#!/usr/bin/env bash
# clang-tidy over the sources, warnings as errors; slow, so not part of run.sh.
#   tests/tidy.sh            every source
#   tests/tidy.sh --changed  those that differ from the last commit
#   tests/tidy.sh FILE...    these
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Compile commands of its own: clang cannot read the headers that GCC precompiles.
cmake -G Ninja -S . -B build/tidy -DCMAKE_BUILD_TYPE=Release -DEVENKEEL_QUICK_BUILD=OFF \
  -DEVENKEEL_BENCH=ON >/dev/null

case "${1:-}" in
  "") mapfile -t files < <(find apps bench calib io model quantizers tests transforms -name '*.cpp') ;;
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
    clang-tidy-14 -p build/tidy --quiet --extra-arg=-Wno-unknown-warning-option
echo "${#files[@]} sources are clean"
