"""The rooms are one chain, apps > calib > transforms > model > quantizers > io: a room includes
those below it, never those above; each third-party library stays in the room that wraps it; each
test mirrors a source; no file grows without end. Reads the files of a checkout, needs no build.

Exit status 0 when all holds, 1 with a line for each violation.
"""

import re
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path

CHAIN = ["io", "quantizers", "model", "transforms", "calib", "apps"]  # lowest first
ANYTHING = ["tests", "bench"]  # may include every room
LONGEST = 400  # lines

# Headers (by regular expression) and the only files (by glob) that may include them.
KEPT = [
    (r"hdf5\.h|H5\w*\.h", ["io/*", "tests/io/*"]),  # its tests make bad files
    (r"pcre2\.h", ["io/*"]),
    (r"cblas\.h|openblas.*|lapacke?\.h", ["quantizers/gemm.cpp"]),
    (r"dnnl.*|oneapi/dnnl/.*", ["quantizers/gemm.cpp", "quantizers/integer_product.cpp"]),
    (r"omp\.h", ["quantizers/one_openmp_thread.h"]),
    (r"yaml-cpp/.*", ["calib/*"]),
    (r"spdlog/.*", ["calib/*"]),
    (r"CLI/.*", ["apps/*"]),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def sources(root, rooms):
    for room in rooms:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in (".h", ".cpp", ".hpp", ".cc"):
                yield path.relative_to(root)


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1), found.group(2)


def include_faults(root, path):
    room = path.parts[0]
    for number, bracket, header in includes(root / path):
        where = f"{path}:{number}: includes {header}"
        target = header.split("/")[0]
        if target in CHAIN + ANYTHING and room in CHAIN:
            if target not in CHAIN:
                yield f"{where}: a room knows nothing of {target}"
            elif CHAIN.index(target) > CHAIN.index(room):
                yield f"{where}: {target} is above {room} (the chain: {' < '.join(CHAIN)})"
        if target in CHAIN and not (root / header).is_file():
            yield f"{where}: no such header"
        if bracket == '"' and target not in CHAIN and room in CHAIN:
            yield f"{where}: write the path from the root (room/name.h), a system header in <>"
        for pattern, keepers in KEPT:
            kept = any(fnmatch(str(path), keeper) for keeper in keepers)
            if re.fullmatch(pattern, header) and not kept:
                yield f"{where}: only {', '.join(keepers)} may"


def length_faults(root, path):
    lines = len((root / path).read_text(encoding="utf-8").splitlines())
    if lines > LONGEST:
        yield f"{path}: {lines} lines, more than {LONGEST}; it holds more than one concept"


def mirror_faults(root):
    for path in sorted((root / "tests").rglob("*_test.cpp")):
        test = path.relative_to(root / "tests")
        if test.parts[0] == "golden":
            continue  # whole paths through several sources
        source = test.with_name(test.name.removesuffix("_test.cpp"))
        if not any((root / source).with_suffix(end).is_file() for end in (".cpp", ".h")):
            yield f"tests/{test}: mirrors neither {source}.cpp nor {source}.h"


def faults(root):
    found = []
    for path in sources(root, CHAIN):
        found += include_faults(root, path)
        found += length_faults(root, path)
    for path in sources(root, ANYTHING):
        found += include_faults(root, path)
    return found + list(mirror_faults(root))


# What must be found: a file that breaks one rule, and a part of the line that must say so.
PLANTED = [
    ("io/a.cpp", '#include "quantizers/affine.h"', "quantizers is above io"),
    ("quantizers/a.h", '  #  include "model/b.h"', "model is above quantizers"),
    ("model/families/a.cpp", '#include "transforms/b.h"', "transforms is above model"),
    ("transforms/a.cpp", '#include "apps/b.h"', "apps is above transforms"),
    ("calib/a.cpp", '#include "tests/support/b.h"', "knows nothing of tests"),
    ("calib/a.cpp", '#include "io/absent.h"', "no such header"),
    ("calib/a.cpp", '#include "b.h"', "write the path from the root"),
    ("model/a.cpp", "#include <hdf5.h>", "only io/*, tests/io/* may"),
    ("tests/model/x_test.cpp", "#include <H5Fpublic.h>", "only io/*, tests/io/* may"),
    ("model/a.cpp", "#include <pcre2.h>", "only io/* may"),
    ("model/a.cpp", "#include <cblas.h>", "only quantizers/gemm.cpp may"),
    ("quantizers/affine.cpp", "#include <cblas.h>", "only quantizers/gemm.cpp may"),
    ("transforms/a.cpp", "#include <oneapi/dnnl/dnnl.h>", "only quantizers/gemm.cpp, quantizers/"),
    ("apps/a.cpp", "#include <yaml-cpp/yaml.h>", "only calib/* may"),
    ("io/a.cpp", "#include <spdlog/spdlog.h>", "only calib/* may"),
    ("io/a.cpp", "\n" * (LONGEST + 1), "more than 400"),
    ("tests/io/absent_test.cpp", "", "mirrors neither io/absent.cpp nor io/absent.h"),
]

# What must not be found.
ALLOWED = [
    ("io/b.h", ""),
    ("io/b.cpp", '#include "io/b.h"\n#include <hdf5.h>\n#include <vector>\n'),
    ("io/deep/b.cpp", '#include "io/b.h"\n#include <pcre2.h>\n'),
    ("quantizers/gemm.cpp", '#include "io/b.h"\n#include <cblas.h>\n#include <dnnl.h>\n'),
    ("calib/b.cpp", '#include "io/b.h"\n#include <yaml-cpp/yaml.h>\n// #include "apps/x.h"\n'),
    ("tests/io/b_test.cpp", '#include "io/b.h"\n#include "support/x.h"\n'),
    ("tests/golden/whole_run_test.cpp", '#include "io/b.h"\n'),
    ("apps/b.cpp", "\n" * LONGEST),
]


def plant(root, files):
    for name, text in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def self_check():
    """A test that cannot fail holds nothing: every rule is broken once, and must be found."""
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder), ALLOWED)
        for fault in faults(Path(folder)):
            yield f"self-check: allowed, but reported: {fault}"
    for name, text, expected in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            plant(Path(folder), ALLOWED)
            plant(Path(folder), [(name, text)])
            found = faults(Path(folder))
            if not any(name in fault and expected in fault for fault in found):
                yield f"self-check: {name} breaks a rule ('{expected}') and is not reported"


def main():
    root = Path(__file__).resolve().parent.parent
    found = list(self_check()) + faults(root)
    if not list(sources(root, CHAIN)):
        found.append(f"no source under {root}; where are the rooms?")
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
