#!/usr/bin/env bash
# Times calibrate beside a plain PyTorch program, its products beside the machine's peak, and its
# growth with tokens, channels, blocks and threads. Prints Markdown tables; bench/README.md says how
# to read them.
#   bench/run.sh                      everything: about half an hour on two cores
#   bench/run.sh --peer --roofline    only these parts; see bench/run.sh --help
# Installs what is missing, builds build/release with its benchmarks, and installs PyTorch (some GB)
# into build/venv-bench, once; EVENKEEL_BENCH_VENV names another environment that has it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash apps/install_dependencies.sh --tests >&2
if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_SLOPPINESS=pch_defines,time_macros  # what ccache asks for with precompiled headers
fi
cmake --preset release -DEVENKEEL_BENCH=ON -Wno-dev >&2
cmake --build --preset release --target calibrate kernels_bench roofline forward_speed code_books >&2

venv=${EVENKEEL_BENCH_VENV:-build/venv-bench}
if [[ -z ${EVENKEEL_BENCH_VENV:-} ]] && ! cmp -s bench/requirements.txt "$venv/requirements.txt"; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r bench/requirements.txt >&2
  cp bench/requirements.txt "$venv/requirements.txt"
fi
exec "$venv/bin/python3" bench/run.py "$@"
