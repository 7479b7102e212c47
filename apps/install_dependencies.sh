#!/usr/bin/env bash
# Installs the Debian packages that Evenkeel needs and that are missing; nothing when none is.
# With --tests, also what only the tests need; with --torch, PyTorch alone, which one test compares
# with and which is large. Works without a network once all are there.
set -euo pipefail

# package: what it is for
build_packages=(
  "build-essential: the C++20 compiler and its libraries"
  "cmake: the build"
  "ninja-build: the build"
  "pkg-config: finds OpenBLAS, PCRE2, ICU, Highway and xxHash"
  "libeigen3-dev: matrices"
  "libopenblas-pthread-dev: float matrix products (the build that is safe in threads)"
  "libdnnl-dev: integer matrix products"
  "libhwy-dev: vector kernels, chosen at run time"
  "libtbb-dev: threads"
  "libhdf5-dev: calibration.h5"
  "libpcre2-dev: the tokenizer's regular expressions"
  "libicu-dev: the tokenizer's Unicode normalization and categories"
  "libspectra-dev: spectral norms of weights"
  "libxxhash-dev: hashes by which a killed job knows its files again"
  "libboost-math-dev: the distributions of paired tests"
  "libpugixml-dev: COPA's questions, which are XML"
  "nlohmann-json3-dev: config.json, tokenizer.json, summary.json"
  "libyaml-cpp-dev: job files"
  "libcli11-dev: the command line"
  "libfmt-dev: messages"
  "libspdlog-dev: the log"
  "gnuplot-nox: the charts of reports"
  "libgtest-dev: the unit tests, which the presets build too"
)
test_packages=(
  "ccache: rebuilds only what changed, over build folders"
  "clang-format-14: the format check"
  "clang-tidy-14: tests/tidy.sh"
  "libbenchmark-dev: the kernel benchmarks, which the tests build so that they stay buildable"
  "chromium-headless-shell: the tests that look at reports, which are skipped without it"
  "python3-venv: a virtual environment for the tests that compare with PyPI packages"
)

torch_packages=(
  "python3-torch: PyTorch, with which tests/golden/tasks_test.py compares (590 MB unpacked)"
)

packages=("${build_packages[@]}")
case "${1:-}" in
  "") ;;
  --tests) packages+=("${test_packages[@]}") ;;
  --torch) packages=("${torch_packages[@]}") ;;
  *)
    echo "install_dependencies.sh: unknown option '$1'; use --tests, --torch or none" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query apt-get >/dev/null; then
  echo "install_dependencies.sh: not Debian or Ubuntu; install the equivalents of:" >&2
  printf '  %s\n' "${packages[@]}" >&2
  exit 1
fi

missing=()
for entry in "${packages[@]}"; do
  package=${entry%%:*}
  state=$(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null || true)
  if [[ $state != *"installed "* || $state == *"not-installed"* ]]; then
    missing+=("$package")
    echo "missing: $entry"
  fi
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "all ${#packages[@]} Debian packages are installed"
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "install_dependencies.sh: neither root nor sudo; run as root:" \
      "apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "installing ${#missing[@]} Debian packages with apt-get"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "installed ${missing[*]}"
