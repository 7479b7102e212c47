"""How fast bitsandbytes quantizes weights and back on one core, in GB/s of float32, as JSON.

    peer_code_books.py MEBIBYTES BLOCK

4 bits by quantize_4bit (nf4), 8 bits by quantize_blockwise (its dynamic map), the best of several
rounds; both ways are what its own layers call.
"""
import json
import sys
import time

import bitsandbytes.functional as bnb
import torch

ROUNDS = 5


def best_rate(size, work):
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        best = max(best, 4 * size / (time.perf_counter() - start) / 1e9)
    return best


def rates(weights, quantize, dequantize):
    coded = quantize(weights)
    return {"encode": best_rate(weights.numel(), lambda: quantize(weights)),
            "decode": best_rate(weights.numel(), lambda: dequantize(*coded))}


def main():
    mebibytes, block = map(int, sys.argv[1:])
    torch.set_num_threads(1)
    torch.manual_seed(7)
    weights = 0.02 * torch.randn(mebibytes * 2**20 // 4 // 4096, 4096)
    print(json.dumps({
        "nf4 4": rates(weights, lambda w: bnb.quantize_4bit(w, blocksize=block, quant_type="nf4"),
                       lambda codes, state: bnb.dequantize_4bit(codes, state)),
        "dynamic 8": rates(weights, lambda w: bnb.quantize_blockwise(w, blocksize=block),
                           lambda codes, state: bnb.dequantize_blockwise(codes, state))}))


main()
