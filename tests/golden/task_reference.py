#!/usr/bin/env python3
"""What PyTorch makes of the requests of evaluation tasks; run by tasks_test.py with a Python that
has torch and transformers (build/torch-venv). Reads JSON from stdin, writes JSON to stdout:
{"model", "requests": [[ids, continuation's number], ...]} gives {"scores": [[sum, greedy], ...]};
with "harness": {task: file of its documents} and "tokenizer" also {"harness": {task: {"samples":
[[log-likelihood, ...], ...], "figures": {name: value}}}}, by lm-evaluation-harness if it is
importable, else null.
"""
import json
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

DELIMITED = {"arc_easy": "arc/arc_easy", "arc_challenge": "arc/arc_challenge", "piqa": "piqa/piqa",
             "hellaswag": "hellaswag/hellaswag", "winogrande": "winogrande/default",
             "lambada": "lambada/lambada_openai", "copa": "super_glue/copa/default",
             "storycloze": "storycloze/storycloze_2016"}


class Model:
    """The likelihoods of an OPT in float32, one sequence at a time."""

    def __init__(self, folder):
        import torch
        import transformers

        transformers.logging.set_verbosity_error()
        self.torch = torch
        self.model = transformers.OPTForCausalLM.from_pretrained(
            folder, torch_dtype=torch.float32, attn_implementation="eager").eval()
        self.positions = self.model.config.max_position_embeddings

    def score(self, ids, count):
        """Log-likelihood of the last `count` ids, and whether each is the greedy one."""
        torch = self.torch
        ids = ids[-(self.positions + 1):]
        with torch.no_grad():
            logits = self.model(torch.tensor([ids[:-1]])).logits[0, -count:]
        targets = torch.tensor(ids[-count:])
        log = torch.log_softmax(logits.double(), dim=-1)
        return (log[torch.arange(count), targets].sum().item(),
                bool((logits.argmax(dim=-1) == targets).all()))


def run_harness(model, tokenizer_file, tasks):
    """Samples and figures of each task by lm-evaluation-harness itself; None without it."""
    try:
        import lm_eval
        from lm_eval.api.model import TemplateLM
        from lm_eval.api.task import ConfigurableTask
        from lm_eval.evaluator import evaluate
        from lm_eval.tasks._yaml_loader import load_yaml
        from tokenizers import Tokenizer
    except ImportError:
        return None
    tokenizer = Tokenizer.from_file(tokenizer_file)

    class Reference(TemplateLM):
        backend = "causal"

        @property
        def eot_token_id(self):
            return model.model.config.bos_token_id

        def tok_encode(self, string, add_special_tokens=None, **_):
            return tokenizer.encode(string, add_special_tokens=False).ids

        def _loglikelihood_tokens(self, requests, **_):
            return [model.score(context + continuation, len(continuation))
                    for _, context, continuation in requests]

        def loglikelihood_rolling(self, requests, **_):
            raise NotImplementedError

        def generate_until(self, requests, **_):
            raise NotImplementedError

    root = os.path.join(os.path.dirname(lm_eval.__file__), "tasks")
    loaded = {}
    for name, documents in tasks.items():
        config = load_yaml(os.path.join(root, DELIMITED[name] + ".yaml"), resolve_func=True)
        config.update(dataset_path="json", dataset_name=None, task=name,
                      dataset_kwargs={"data_files": {"test": documents}}, test_split="test",
                      training_split=None, validation_split=None)
        loaded[name] = ConfigurableTask(config=config)
    found = evaluate(Reference(), loaded, log_samples=True, bootstrap_iters=0)
    return {name: {"samples": [[float(answer[0]) for answer in sample["filtered_resps"]]
                               if isinstance(sample["filtered_resps"][0], (list, tuple))
                               else [float(sample["filtered_resps"][0])]
                               for sample in sorted(found["samples"][name],
                                                    key=lambda sample: sample["doc_id"])],
                   "figures": {key.split(",")[0]: value
                               for key, value in found["results"][name].items()
                               if isinstance(value, float) and "stderr" not in key}}
            for name in tasks}


def main():
    asked = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no JSON
    model = Model(asked["model"])
    result = {"scores": [model.score(ids, count) for ids, count in asked["requests"]]}
    if asked.get("harness"):
        result["harness"] = run_harness(model, asked["tokenizer"], asked["harness"])
    json.dump(result, answers)


if __name__ == "__main__":
    main()
