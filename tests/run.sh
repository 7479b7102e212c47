#!/usr/bin/env bash
# Everything that must hold: the format, the build without warnings, the unit tests under the
# address and undefined-behaviour sanitizers, and all tests of the release build.
#   tests/run.sh          all of it
#   tests/run.sh --quick  without the sanitizers
# Installs what is missing first: Debian packages, and into build/venv the PyPI packages of
# tests/requirements.txt, and into build/torch-venv those that one test wants beside Debian's PyTorch;
# tests that need one that cannot be had are skipped and say so.
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

# Leaves in a virtual environment what a file names; without PyPI, what is there already.
#   fill_venv VENV REQUIREMENTS PYTHON [OPTION OF venv]...
fill_venv() {
  local venv=$1 requirements=$2
  if cmp -s "$requirements" "$venv/requirements.txt"; then
    echo "$venv is there"
    return
  fi
  mkdir -p build
  "$3" -m venv "${@:4}" "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 15 \
      -r "$requirements" &&
    cp "$requirements" "$venv/requirements.txt"
}

make_venvs() {
  fill_venv build/venv tests/requirements.txt python3 ||
    echo "PyPI cannot be reached: the tests that compare with its packages will be skipped"
  # Of Debian's own Python, since it has Debian's PyTorch.
  { bash apps/install_dependencies.sh --torch &&
    fill_venv build/torch-venv tests/torch-requirements.txt /usr/bin/python3 \
      --system-site-packages; } ||
    echo "PyTorch cannot be had: the test that compares evaluation tasks will be skipped"
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
make_venvs
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
