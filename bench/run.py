"""The benchmarks of whole programs; called by run.sh. Each part prints a Markdown table."""
import argparse
import json
import pathlib
import statistics
import tempfile

from programs import Job, peer, scored_candidates, shared_or_own, synthetic, tool

SEARCHES = ("exhaustive", "exact", "fast")
# Tokens that the search multiplies at a time: attention's by whole samples (the pieces of
# IntegerLinear), the others' by pieces (model/attention_kernels.h).
SAMPLE_ROWS, PIECE_ROWS = 128, 64
NEAR_TIE = 1.002  # losses of one function computed in two orders of sums differ by up to this


def table(title, columns, rows):
    print(f"\n### {title}\n\n| " + " | ".join(columns) + " |")
    print("|" + " --- |" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)


def mebibytes(result):
    return f"{result['peak_memory_bytes'] / 2**20:.0f}"


def agreement(ours, theirs):
    """How many sites have the peer's threshold, or one that the peer scores as well but for
    rounding; and the median and the largest difference of the losses."""
    same, differences = 0, []
    for site, other in zip(ours["sites"], theirs["sites"], strict=True):
        curve = zip(other["thresholds"], other["losses"], strict=True)
        nearest = min(curve, key=lambda point: abs(point[0] - site["threshold"]))
        same += nearest[1] <= NEAR_TIE * other["loss"]
        differences.append(abs(site["loss_after"] / other["loss"] - 1))
    return (f"{same} of {len(differences)}", f"{statistics.median(differences):.1e}",
            f"{max(differences):.1e}")


def agree(options, folder):
    """On the full-precision stream, where no code that flips in one block moves the next ones."""
    rows = []
    for model in options.models:
        ours = Job(model, options.text, samples=8, search="exhaustive", threads=options.threads,
                   propagate="full_precision").run(folder)
        theirs = peer("search", model, options.text, "--search-only", "--attention", "fused",
                      "--stream", "full_precision", "--threads", options.threads)
        rows.append((model.name, *agreement(ours, theirs)))
    table("Agreement with the PyTorch program, site by site (exhaustive search, full-precision "
          "stream)",
          ("model", "same threshold or a near tie", "losses differ by (median)", "at most"), rows)


def against_peer(options, folder):
    for model in options.models:
        theirs = {attention: peer("search", model, options.text, "--attention", attention,
                                  "--threads", options.threads)
                  for attention in options.attention}
        plain = theirs[options.attention[0]]
        rows = [(f"PyTorch {plain['torch']}, attention {name}",
                 *times(result["seconds"], plain["seconds"]), mebibytes(result), "", "")
                for name, result in theirs.items()]
        for search in options.search:
            result = Job(model, options.text, search=search, threads=options.threads).run(folder)
            rows.append((f"calibrate, search: {search}",
                         *times(result["seconds"], plain["seconds"]), mebibytes(result),
                         *agreement(result, plain)[:2]))
        table(f"{model.name}: w8a8, 32 samples of 512, 8 of them searched, {options.threads} "
              "threads",
              ("program", "search s", "times faster", "whole job s", "times faster", "peak MiB",
               "same thresholds", "losses differ by (median)"), rows)


def times(seconds, base):
    cells = []
    for part in ("search", "total"):
        cells += [f"{seconds[part]:.2f}", f"{base[part] / seconds[part]:.2f}"]
    return cells


def forward(options, _folder):
    rows = []
    for model in options.models:
        ours = tool("forward_speed", model, options.text, 16, 512, options.threads)
        theirs = peer("forward", model, options.text, "--threads", options.threads)
        best = max(theirs, key=lambda name: theirs[name]["tokens_per_second"])
        rate = theirs[best]["tokens_per_second"]
        rows.append((model.name, f"{ours['tokens_per_second']:.0f}", f"{rate:.0f}", best,
                     f"{ours['tokens_per_second'] / rate:.2f}", f"{ours['mean_loss']:.5f}",
                     f"{theirs[best]['mean_loss']:.5f}"))
    table("Full-precision forward, tokens a second",
          ("model", "calibrate", "transformers, the best", "which", "ratio", "mean loss",
           "transformers'"), rows)


def roofline(options, _folder):
    shapes = []
    for model in options.models:
        config = json.loads((model / "config.json").read_text())
        channels, ffn = config["hidden_size"], config["ffn_dim"]
        shapes += [f"{SAMPLE_ROWS}x{3 * channels}x{channels}", f"{PIECE_ROWS}x{ffn}x{channels}"]
    for threads in sorted({1, options.threads}):
        rates = tool("roofline", threads, *shapes)
        rows = []
        for each in [rates["large"], *rates["shapes"]]:
            rows.append((each["shape"],
                         *(cell for kind in ("float", "integer")
                           for cell in (f"{each[kind] / 1e9:.0f}",
                                        f"{100 * each[kind] / rates['large'][kind]:.0f} %"))))
        table(f"Products, {threads} thread{'s' if threads > 1 else ''}: the first is the peak, the "
              "others are the search's",
              ("rows x columns x depth", "float GFLOP/s", "of peak", "int8 GOP/s", "of peak"), rows)


def code_books(_options, _folder):
    """Blocks of 64 of 64 MiB of weights, beyond the caches."""
    ours = tool("code_books", 64, 64)
    theirs = peer("code_books", 64, 64)
    rows = []
    for name, rate in ours.items():
        cells = [name + " bits"]
        for way in ("encode", "decode"):
            other = theirs.get(name, {}).get(way)
            cells += [f"{rate[way]:.2f}", f"{other:.2f}" if other else "",
                      f"{rate[way] / other:.1f}" if other else ""]
        rows.append(cells)
    table("Code books, GB/s of float32 on one core, blocks of 64",
          ("data type", "encode", "bitsandbytes", "ratio", "decode", "bitsandbytes", "ratio"), rows)


def threads(options, folder):
    rows = []
    for model in options.models:
        seconds = {}
        for count in sorted({1, options.threads}):
            result = Job(model, options.text, search="exhaustive", threads=count).run(folder)
            seconds[count] = result["seconds"]
            rows.append((model.name, count, *(f"{seconds[count][part]:.2f}"
                                              for part in ("search", "total")),
                         f"{seconds[1]['search'] / seconds[count]['search']:.2f}",
                         f"{seconds[1]['total'] / seconds[count]['total']:.2f}"))
    table("Threads (exhaustive search)",
          ("model", "threads", "search s", "whole job s", "speed-up of the search", "of the job"),
          rows)


def operations(channels, length=512):
    """Of a token, in the products of one candidate of each site of a block."""
    return 2 * channels * (3 * channels + 4 * channels + length)


def scale(options, folder, title, sizes, checkpoint, samples, expected):
    """One axis: `expected(size)` is what a candidate and the rest of the job should cost."""
    rows, before = [], None
    for size in sizes:
        model, ids = synthetic(folder, *checkpoint(size), samples(size))
        job = Job(model, ids, samples=samples(size), search_samples=samples(size),
                  search=options.scaling_search, threads=options.threads)
        result = job.run(folder)
        candidates = scored_candidates(folder)
        search = result["seconds"]["search"]
        rest = result["seconds"]["total"] - search
        cost = (search / candidates / expected(size)[0], rest / expected(size)[1])
        growth = [f"{now / then:.2f}" for now, then in zip(cost, before)] if before else ["", ""]
        before = cost
        rows.append((size, f"{search:.2f}", candidates, f"{1000 * search / candidates:.2f}",
                     growth[0], f"{rest:.2f}", growth[1], mebibytes(result)))
    table(title, ("size", "search s", "candidates", "ms each", "growth to linear", "the rest s",
                  "growth to linear", "peak MiB"), rows)


def scaling(options, folder):
    most = options.scaling_steps
    scale(options, folder, "Tokens (256 channels, 2 blocks, all of them searched)",
          [1024, 4096, 16384, 65536][:most], lambda _: (2, 256), lambda tokens: tokens // 512,
          lambda tokens: (tokens, tokens))
    scale(options, folder, "Channels (2 blocks, 1024 tokens); linear in the multiply-adds",
          [192, 512, 1024, 2048, 4096][:most], lambda channels: (2, channels), lambda _: 2,
          lambda channels: (operations(channels), operations(channels)))
    scale(options, folder, "Blocks (512 channels, 1024 tokens)",
          [2, 6, 12, 24, 48][:most], lambda blocks: (blocks, 512), lambda _: 2,
          lambda blocks: (1, blocks))


PARTS = {"agreement": agree, "peer": against_peer, "forward": forward, "roofline": roofline,
         "code-books": code_books, "threads": threads, "scaling": scaling}


def main():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__)
    for name, part in PARTS.items():
        parser.add_argument(f"--{name}", action="append_const", dest="parts", const=part,
                            help="this part; all when none is named")
    parser.add_argument("--model", type=pathlib.Path, action="append",
                        help="an OPT checkpoint; opt-3m-outlier and opt-17m-old of ../shared, or "
                             "the embedded model")
    parser.add_argument("--text", type=pathlib.Path, help="calibration text (.jsonl, .txt)")
    parser.add_argument("--search", nargs="+", choices=SEARCHES, default=SEARCHES)
    parser.add_argument("--attention", nargs="+", choices=("plain", "fused"),
                        default=("plain", "fused"),
                        help="of the PyTorch program; ratios are to the first")
    parser.add_argument("--scaling-search", choices=SEARCHES, default="fast")
    parser.add_argument("--scaling-steps", type=int, default=5, help="sizes of each axis")
    parser.add_argument("--thread-count", dest="threads", type=int, default=2)
    options = parser.parse_args()
    options.models, options.text = shared_or_own(parser, options)
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts or PARTS.values():
            part(options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
