"""GPTQ W4A16 by llm-compressor, beside what calibrate compare printed (see llm_compressor.sh)."""
import json
import sys

import torch
from datasets import Dataset
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import GPTQModifier
from transformers import AutoModelForCausalLM, AutoTokenizer

LENGTH = 512
SAMPLES = 32
WINDOWS = 32


def windows(tokenizer, path, count):
    """The first windows of a .jsonl's texts, joined by a blank line, without special tokens."""
    with open(path, encoding="utf-8") as lines:
        text = "\n\n".join(json.loads(line)["text"] for line in lines)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return [ids[i * LENGTH:(i + 1) * LENGTH] for i in range(count)]


@torch.no_grad()
def perplexity(model, held_out):
    losses = []
    for window in held_out:
        ids = torch.tensor([window])
        logits = model(input_ids=ids).logits[0, :-1].float()
        losses.append(torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none"))
    return torch.cat(losses).double().mean().exp().item()


def main():
    folder, corpus, heldout, ours = sys.argv[1:]
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    held_out = windows(tokenizer, heldout, WINDOWS)
    samples = windows(tokenizer, corpus, SAMPLES)
    full_precision = perplexity(model, held_out)
    oneshot(
        model=model,
        dataset=Dataset.from_dict({"input_ids": samples,
                                   "attention_mask": [[1] * LENGTH] * SAMPLES}),
        recipe=GPTQModifier(targets="Linear", scheme="W4A16", ignore=["lm_head"]),
        max_seq_length=LENGTH, num_calibration_samples=SAMPLES)
    peer = perplexity(model, held_out)

    with open(ours, encoding="utf-8") as file:
        compared = json.load(file)
    rows = [("full precision", *compared["full_precision"]["perplexity"].values())]
    rows += [(row["settings"]["scheme"], *row["perplexity"].values()) for row in compared["rows"]]
    rows += [("llm-compressor: full precision", full_precision), ("llm-compressor: GPTQ", peer)]
    width = max(len(name) for name, _ in rows)
    print(f"{'':{width}}  perplexity  to llm-compressor's GPTQ")
    for name, value in rows:
        print(f"{name:{width}}  {value:10.4f}  {value / peer:.4f}")


if __name__ == "__main__":
    main()
