"""Tokens a second of transformers' OPT in float32, the better of its eager and SDPA attention.

    peer_forward.py CHECKPOINT TEXT.jsonl [--windows 16] [--length 512] [--threads 2]

Prints JSON for each attention and batch size tried: the best of several rounds, embedding to
logits, and the mean loss of the next token.
"""
import argparse
import json
import pathlib
import time

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

from peer_search import windows

ROUNDS = 4
BATCHES = [1, 4]


def measure(model, ids, batch):
    losses, best = [], 0.0
    for number in range(ROUNDS):
        start = time.perf_counter()
        for part in ids.split(batch):
            logits = model(input_ids=part, use_cache=False).logits
            if number == 0:
                losses.append(F.cross_entropy(logits[:, :-1].flatten(0, 1).float(),
                                              part[:, 1:].flatten()))
        if number > 0:
            best = max(best, ids.numel() / (time.perf_counter() - start))
    return {"tokens_per_second": best, "mean_loss": torch.stack(losses).mean().item()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    ids = windows(arguments.checkpoint, arguments.text, arguments.windows, arguments.length)
    results = {}
    with torch.inference_mode():
        for attention in ("eager", "sdpa"):
            model = AutoModelForCausalLM.from_pretrained(
                arguments.checkpoint, dtype=torch.float32, attn_implementation=attention).eval()
            for batch in BATCHES:
                results[f"{attention}, batch {batch}"] = measure(model, ids, batch)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
