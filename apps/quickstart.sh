#!/usr/bin/env bash
# From a fresh checkout to a table: installs what is missing, builds the command, and compares full
# precision, MinMax, SmoothQuant and OS+ on the embedded model. Needs no network when the packages
# are there. A second call builds nothing anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "== installing what is missing"
bash apps/install_dependencies.sh

echo "== building build/release/apps/calibrate"
if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_SLOPPINESS=pch_defines,time_macros  # what ccache asks for with precompiled headers
fi
cmake --preset release -Wno-dev >/dev/null
cmake --build --preset release --target calibrate

echo "== calibrate compare configs/quickstart/compare.yaml"
build/release/apps/calibrate compare configs/quickstart/compare.yaml

cat <<'END'

The figures are in configs/quickstart/out/compare/compare.json; what the model and the texts are,
configs/quickstart/README.md says.
Next, one whole job, which leaves the folded and the quantized checkpoint:
  build/release/apps/calibrate run configs/quickstart/calibrate.yaml
and then one of your own, from a job in which every key is explained:
  configs/opt.yaml
END
