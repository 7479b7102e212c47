#!/usr/bin/env python3
"""Evaluation tasks against their published formulas, example by example: small files of every kind
(task_files.py), `calibrate evaluate --task ... --log-examples`, and an OPT of transformers in
float32 (task_reference.py), which in CI is that of Debian's python3-torch (tests/run.sh). Where
lm-evaluation-harness is importable there, the harness itself scores the same files, too.
Exit status 77: a package, the model or the command is absent.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import task_files  # noqa: E402

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
MODEL = SHARED / "models" / "opt-17m-old"
COMMAND = os.environ.get("EVENKEEL_CALIBRATE", "")
TORCH_PYTHON = os.environ.get("EVENKEEL_TORCH_PYTHON", sys.executable)
REFERENCE = pathlib.Path(__file__).resolve().parent / "task_reference.py"
SKIPPED = 77
EXAMPLES = 24  # of each file
# A token's log-likelihood is off by what float32 leaves of eight blocks and a product of 384
# channels in another order. golden/architectures_test allows 1e-4 of the largest logit (here below
# 20) for a whole forward pass; the worst seen is a twentieth of that.
TOKEN_BOUND = 2e-3


def why_not():
    """What is missing for this test, or nothing."""
    try:
        import tokenizers  # noqa: F401
    except ImportError:
        return "needs the PyPI package 'tokenizers'"
    if not os.access(COMMAND, os.X_OK):
        return "needs EVENKEEL_CALIBRATE to name the built command"
    if not MODEL.exists():
        return f"needs {MODEL}"
    probe = subprocess.run([TORCH_PYTHON, "-c", "import torch, transformers"],
                           capture_output=True, check=False) if os.access(TORCH_PYTHON, os.X_OK) \
        else None
    if probe is None or probe.returncode != 0:
        return f"needs torch and transformers in {TORCH_PYTHON} (tests/run.sh makes it)"
    return None


def encode_pair(tokenizer, context, continuation, prefix):
    """TemplateLM._encode_pair and loglikelihood: all ids, and how many are the continuation's."""
    def encode(text):
        return tokenizer.encode(text, add_special_tokens=False).ids

    if context == "":
        return [prefix, *encode(continuation)], len(encode(continuation))
    blanks = len(context) - len(context.rstrip())
    if blanks:
        context, continuation = context[:-blanks], context[-blanks:] + continuation
    whole = encode(context + continuation)
    return whole, len(whole) - len(encode(context))


def reference(questions, documents, folder):
    """[[(log-likelihood, greedy, tokens), ...], ...] of the questions, and the harness's samples."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    prefix = json.loads((MODEL / "config.json").read_text())["bos_token_id"]
    requests = [encode_pair(tokenizer, *request, prefix)
                for question in questions for request in question["requests"]]
    # The harness's Python may have a `tokenizers` that reads merges as strings alone.
    document = json.loads((MODEL / "tokenizer.json").read_text())
    document["model"]["merges"] = [merge if isinstance(merge, str) else " ".join(merge)
                                   for merge in document["model"]["merges"]]
    merged = folder / "tokenizer.json"
    merged.write_text(json.dumps(document))
    asked = {"model": str(MODEL), "requests": requests, "harness": documents,
             "tokenizer": str(merged)}
    done = subprocess.run([TORCH_PYTHON, str(REFERENCE)], input=json.dumps(asked),
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    found = json.loads(done.stdout)
    scores = iter((*score, request[1]) for score, request in zip(found["scores"], requests))
    return [[next(scores) for _ in question["requests"]] for question in questions], \
        found.get("harness")


def evaluate(folder, tasks):
    """The command's figures, and its examples by task."""
    log = folder / "examples.jsonl"
    done = subprocess.run(
        [COMMAND, "evaluate", str(MODEL), "--json", "--quiet", "--log-examples", str(log),
         "--task", *[f"{kind}={path}" for kind, path in tasks]],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    examples = {}
    for line in log.read_text().splitlines():
        example = json.loads(line)
        examples.setdefault(example["task"], []).append(example)
    return json.loads(done.stdout)["tasks"], examples


def first_largest(values):
    return max(range(len(values)), key=lambda i: (values[i], -i))


class Tasks(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)

    def check_prediction(self, ours, values, margin, theirs, said):
        """Equal, but where the two best answers are nearer than the log-likelihoods are exact."""
        if ours == theirs:
            return
        self.assertLess(abs(values[ours] - values[theirs]), margin, said)

    def check_example(self, ours, question, scores):
        logs = [score[0] for score in scores]
        bounds = [TOKEN_BOUND * score[2] for score in scores]
        self.assertEqual(len(ours["log_likelihoods"]), len(logs))
        for mine, log, bound in zip(ours["log_likelihoods"], logs, bounds):
            self.assertLess(abs(mine - log), bound)
        self.assertEqual(ours["answer"], question["answer"])
        if len(scores) == 1:  # a last word
            return
        said = f"{ours} {logs}"
        self.check_prediction(ours["prediction"], logs, 2 * max(bounds), first_largest(logs), said)
        if "lengths" not in question:
            self.assertNotIn("normalized_prediction", ours)
            return
        normal = [log / length for log, length in zip(logs, question["lengths"])]
        margin = 2 * max(b / length for b, length in zip(bounds, question["lengths"]))
        self.check_prediction(ours["normalized_prediction"], normal, margin, first_largest(normal),
                              said)

    def check_figures(self, found, examples, questions):
        """The figures are those of the examples."""
        import math

        count = len(examples)
        self.assertEqual(found["examples"], count)
        right = sum(e["prediction"] == e["answer"] for e in examples)
        self.assertAlmostEqual(found["accuracy"], right / count, places=12)
        share = right / count
        self.assertAlmostEqual(found["standard_error"]["accuracy"],
                               math.sqrt(share * (1 - share) / (count - 1)), places=12)
        self.assertEqual("normalized_accuracy" in found, "lengths" in questions[0])
        if "lengths" in questions[0]:
            normal = sum(e["normalized_prediction"] == e["answer"] for e in examples)
            self.assertAlmostEqual(found["normalized_accuracy"], normal / count, places=12)
        if len(questions[0]["requests"]) == 1:
            mean = sum(e["log_likelihoods"][0] for e in examples) / count
            self.assertAlmostEqual(found["perplexity"] / math.exp(-mean), 1, places=9)

    def check_harness(self, name, harness, found, examples, questions):
        for ours, theirs, question in zip(examples, harness["samples"], questions):
            # With no more known than characters: a token has at least one.
            bound = TOKEN_BOUND * max(len(request[1]) for request in question["requests"])
            self.assertEqual(len(ours["log_likelihoods"]), len(theirs))
            for mine, other in zip(ours["log_likelihoods"], theirs):
                self.assertLess(abs(mine - other), bound, f"{name}: {ours} {theirs}")
        self.assertEqual(len(harness["samples"]), len(examples))
        self.assertIn("acc", harness["figures"])
        names = {"acc": "accuracy", "acc_norm": "normalized_accuracy", "perplexity": "perplexity"}
        for theirs, value in harness["figures"].items():
            self.assertAlmostEqual(found[names[theirs]] / (value or 1), 1 if value else 0, places=3,
                                   msg=f"{name} {theirs}")

    def check_tasks(self, tasks):
        made = [(name, kind, *make(self.folder, EXAMPLES)) for name, kind, make in tasks]
        found, examples = evaluate(self.folder, [(kind, path) for _, kind, path, *_ in made])
        documents = {name: str(task_files.write_lines(self.folder / f"{name}.documents.json", rows))
                     for name, kind, _, rows, _ in made
                     if rows is not None and name != "lambada_openai"}
        every = [question for *_, questions in made for question in questions]
        scores, harness = reference(every, documents, self.folder)
        if documents:
            print("compared with the published formulas" +
                  (" alone; lm_eval is not importable" if harness is None
                   else " and with lm_eval: " + ", ".join(harness)), file=sys.stderr)
        greedy = 0
        for name, _, _, _, questions in made:
            with self.subTest(name):
                self.assertEqual(len(examples[name]), len(questions))
                for example, question in zip(examples[name], questions):
                    own = scores.pop(0)
                    self.check_example(example, question, own)
                    if len(own) == 1:
                        self.assertEqual(example["prediction"], int(own[0][1]))
                        greedy += int(own[0][1])
                self.check_figures(found[name], examples[name], questions)
                if harness and name in harness:
                    self.check_harness(name, harness[name], found[name], examples[name], questions)
        return greedy

    def test_every_kind(self):
        taken = [task for task in task_files.TASKS if task[0] != "own.jsonl"]
        self.assertGreater(self.check_tasks(taken), 0, "no last word is the greedy one")

    def test_other_files_of_the_same(self):
        self.check_tasks(task_files.MORE_TASKS)

    def test_plain_questions_with_hard_contexts(self):
        self.check_tasks([task for task in task_files.TASKS if task[0] == "own.jsonl"])


if __name__ == "__main__":
    if reason := why_not():
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
