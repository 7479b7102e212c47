"""Evaluation tasks from the command line and in jobs, on the embedded model."""

import json

from command import (EVALUATION_TEXT, FAILED, MODEL, WRONG_INPUT, WRONG_USAGE, CommandTest, calibrate,
                     run_tests, scratch, small_job)

QUESTIONS = [{"context": "The old man went to the", "choices": ["house", "of and"], "answer": 0},
             {"context": "It was a very", "choices": ["the", "good day", "x"], "answer": 1},
             {"context": "", "choices": ["And", "Qqq"], "answer": 1}]
WORDS = ["I do not know what you", "He said that it was a", "one of the"]


def write_tasks(folder):
    own = folder / "own.jsonl"
    own.write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS))
    words = folder / "words.txt"
    words.write_text("\n".join(WORDS) + "\n")
    return own, words


class EvaluateTasks(CommandTest):
    def test_figures_with_standard_errors(self):
        with scratch() as folder:
            own, words = write_tasks(folder)
            call = ["evaluate", MODEL, "--task", f"plain={own}", f"lambada={words}"]
            text = self.assert_done(calibrate(*call)).stdout
            for word in ["task", "examples", "accuracy", "normalized accuracy", "perplexity",
                         "standard error", "own.jsonl", "lambada", " %"]:
                self.assertIn(word, text)
            found = self.assert_document(calibrate(*call, "--json"))
            self.assertNotIn("perplexity", found)
            self.assertNotIn("sequence_length", found)  # questions are cut at the positions
            for figures, names in [(found["tasks"]["own.jsonl"],
                                    {"accuracy", "normalized_accuracy"}),
                                   (found["tasks"]["lambada"], {"accuracy", "perplexity"})]:
                self.assertEqual(set(figures), names | {"standard_error", "examples"})
                self.assertEqual(set(figures["standard_error"]), names)
                self.assertEqual(figures["examples"], 3)

    def test_beside_texts(self):
        with scratch() as folder:
            own, _ = write_tasks(folder)
            found = self.assert_document(calibrate(
                "evaluate", MODEL, "--text", EVALUATION_TEXT, "--windows", 2, "--sequence-length",
                32, "--task", f"plain={own}", "--examples", 2, "--json"))
            alone = self.assert_document(calibrate(
                "evaluate", MODEL, "--text", EVALUATION_TEXT, "--windows", 2, "--sequence-length",
                32, "--json"))
            self.assertEqual(found["perplexity"], alone["perplexity"])
            self.assertEqual(found["tasks"]["own.jsonl"]["examples"], 2)

    def test_one_kind_of_several_files(self):
        with scratch() as folder:
            own, words = write_tasks(folder)
            more, same = folder / "more.txt", folder / "deep" / "words.txt"
            same.parent.mkdir()
            for file in (more, same):
                file.write_text(words.read_text())
            call = ["evaluate", MODEL, "--json", "--task", f"plain={own}"]
            found = self.assert_document(calibrate(
                *call, f"lambada={words}", f"lambada={more}"))["tasks"]
            self.assertEqual(list(found),
                             ["own.jsonl", "lambada: words.txt", "lambada: more.txt"])
            found = self.assert_document(calibrate(
                *call, f"lambada={words}", f"lambada={more}", f"lambada={same}"))["tasks"]
            self.assertEqual(list(found), ["own.jsonl", f"lambada: {words}", "lambada: more.txt",
                                           f"lambada: {same}"])

    def test_log_of_examples(self):
        with scratch() as folder:
            own, words = write_tasks(folder)
            log = folder / "examples.jsonl"
            found = self.assert_document(calibrate(
                "evaluate", MODEL, "--task", f"plain={own}", f"lambada={words}", "--log-examples",
                log, "--json"))["tasks"]
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            self.assertEqual([line["line"] for line in lines], [1, 2, 3, 1, 2, 3])
            for line, question in zip(lines, QUESTIONS):
                self.assertEqual(line["task"], "own.jsonl")
                self.assertEqual(len(line["log_likelihoods"]), len(question["choices"]))
                self.assertEqual(line["answer"], question["answer"])
                logs = line["log_likelihoods"]
                self.assertEqual(line["prediction"], logs.index(max(logs)))
            right = [line["prediction"] == line["answer"] for line in lines[:3]]
            self.assertAlmostEqual(found["own.jsonl"]["accuracy"], sum(right) / 3)
            self.assertNotIn("normalized_prediction", lines[3])

    def test_threads_do_not_change_a_byte(self):
        with scratch() as folder:
            own, words = write_tasks(folder)
            own.write_text(own.read_text() * 40)  # more than one group of rows meets the head
            logs = []
            for threads in (1, 3):
                log = folder / f"{threads}.jsonl"
                self.assert_done(calibrate(
                    "evaluate", MODEL, "--task", f"plain={own}", f"lambada={words}",
                    "--log-examples", log, "--threads", threads, "--quiet"))
                logs.append(log.read_bytes())
            self.assertEqual(*logs)

    def test_a_job_has_them_beside_perplexity(self):
        with scratch() as folder:
            own, words = write_tasks(folder)
            tasks = [{"task": "plain", "file": str(own), "label": "mine"},
                     {"task": "lambada", "file": str(words)}]
            job = small_job(folder, evaluate={
                "perplexity": [str(EVALUATION_TEXT)], "sequence_length": 32, "windows": 3,
                "tasks": tasks})
            text = self.assert_done(calibrate("run", job)).stdout
            summary = json.loads((folder / "out/summary.json").read_text())
            self.assertEqual(set(summary["tasks"]), {"mine", "lambada"})
            for word in ["mine", "lambada", "normalized accuracy", "full precision", "change"]:
                self.assertIn(word, text)
            found = self.assert_document(calibrate(
                "evaluate", folder / "out/quantized", "--task", f"plain={own}",
                "--sequence-length", 32, "--json"))
            self.assertEqual(found["tasks"]["own.jsonl"], summary["tasks"]["mine"]["quantized"])

    def test_a_log_that_cannot_be_is_refused_before_the_work(self):
        with scratch() as folder:
            own, _ = write_tasks(folder)
            task = ["--task", f"plain={own}", "--log-examples"]
            text = ["--text", EVALUATION_TEXT, "--log-examples"]
            for arguments, status, words in [
                    ([*task, folder / "absent" / "l.jsonl"], FAILED, ["absent/l.jsonl"]),
                    ([*task, folder], WRONG_USAGE, ["--log-examples", "is a folder"]),
                    ([*text, folder / "l.jsonl"], WRONG_USAGE, ["--log-examples", "--task"])]:
                log = folder / "log"
                self.assert_refused(
                    calibrate("evaluate", MODEL, *arguments, "--quiet", "--log", log), status,
                    *words)
                self.assertEqual(log.read_text() if log.exists() else "", "")  # no step was made
            self.assertEqual(sorted(path.name for path in folder.iterdir()),
                             ["log", "own.jsonl", "words.txt"])

    def test_faults(self):
        with scratch() as folder:
            own, _ = write_tasks(folder)
            bad = folder / "bad.jsonl"
            bad.write_text(json.dumps(QUESTIONS[0]) + "\n{\"context\": \"a\"}\n")
            task = f"plain={own}"
            for arguments, status, words in [
                    ([], WRONG_USAGE, ["--text", "--task"]),
                    (["--task", "copy=x.jsonl"], WRONG_USAGE, ["--task", "NAME=FILE", "copa"]),
                    (["--task", "copa"], WRONG_USAGE, ["--task", "NAME=FILE"]),
                    (["--task", "copa="], WRONG_USAGE, ["--task", "NAME=FILE"]),
                    (["--task", task, task], WRONG_USAGE,
                     ["--task", "own.jsonl", "is given twice"]),
                    (["--task", task, "--windows", 3], WRONG_USAGE, ["--windows", "--examples"]),
                    (["--text", EVALUATION_TEXT, "--windows", 1, "--log-examples", folder / "l"],
                     WRONG_USAGE, ["--log-examples"]),
                    (["--task", f"plain={bad}"], WRONG_INPUT, ["bad.jsonl:2", "\"choices\""]),
                    (["--task", f"copa={own.with_suffix('.csv')}"], WRONG_INPUT, [".jsonl or .xml"]),
                    (["--task", f"piqa={own}"], WRONG_INPUT, ["own.jsonl:1", "is missing"])]:
                self.assert_refused(calibrate("evaluate", MODEL, *arguments, "--quiet"), status,
                                    *words)


if __name__ == "__main__":
    run_tests()
