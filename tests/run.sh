#!/usr/bin/env bash
# Everything that must hold: the format, the build without warnings, the unit tests under the
# address and undefined-behaviour sanitizers, and all tests of the release build.
#   tests/run.sh          all of it
#   tests/run.sh --quick  without the sanitizers
# Installs what is missing first: Debian packages, and into build/venv the PyPI packages of
# tests/requirements.txt; tests that need one that cannot be had are skipped and say so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=false
case "${1:-}" in
  "") ;;
  --quick) quick=true ;;
  *)
    echo "run.sh: unknown option '$1'; use --quick or none" >&2
    exit 2
    ;;
esac

step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

# Leaves in build/venv what tests/requirements.txt names; without PyPI, what is there already.
make_venv() {
  local venv=build/venv
  if cmp -s tests/requirements.txt "$venv/requirements.txt"; then
    echo "build/venv is there"
    return
  fi
  mkdir -p build
  python3 -m venv "$venv"
  if "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 15 \
    -r tests/requirements.txt; then
    cp tests/requirements.txt "$venv/requirements.txt"
  else
    echo "PyPI cannot be reached: the tests that compare with its packages will be skipped"
  fi
}

check_format() {
  find . -path ./build -prune -o \( -name '*.h' -o -name '*.cpp' \) -print0 |
    xargs -0 clang-format-14 --dry-run -Werror
}

run_sanitized() {
  local rooms=(io quantizers model transforms calib) targets=() room
  for room in "${rooms[@]}"; do targets+=("${room}_tests"); done
  cmake --preset asan -DEVENKEEL_PYTHON="$PWD/build/venv/bin/python3"
  cmake --build --preset asan --target "${targets[@]}"
  for room in "${rooms[@]}"; do
    echo "-- $room"
    "build/asan/tests/${room}_tests" --gtest_brief=1
  done
}

step "dependencies"
bash apps/install_dependencies.sh --tests
make_venv
if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_SLOPPINESS=pch_defines,time_macros  # what ccache asks for with precompiled headers
fi

step "format"
check_format

step "release build"
# With the benchmarks, which nothing else would notice to be stale.
cmake --preset release -DEVENKEEL_BENCH=ON -DEVENKEEL_PYTHON="$PWD/build/venv/bin/python3"
cmake --build --preset release

if ! $quick; then
  step "unit tests under the sanitizers"
  run_sanitized
fi

step "tests"
ctest --preset release --parallel "$(nproc)"
