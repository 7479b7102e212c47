"""calibrate analyze: its tables, its files, the same bytes whatever the threads, what it refuses.
Figures are held to NumPy by tests/golden/analysis_test.py."""

import csv
import json
import shutil

from command import (CALIBRATION_TEXT, SHARED, WRONG_INPUT, WRONG_USAGE, CommandTest, Safetensors,
                     calibrate, copy_model, digest, run_tests, scratch, small_job)
from families_test import ARCHITECTURES, LENGTH, write_ids

SETS = {"calibration": [{"corpus": str(CALIBRATION_TEXT)},
                        {"label": 'a "quoted", one', "random": "ascii"}],
        "transform.method": ["none", "os_plus"]}
OUTLIERS = {17, 53, 101, 160}  # put into the quickstart's model


def csv_tables(text):
    """Each as a list of rows by column."""
    tables = []
    for part in text.split("\n\n"):
        head, *rows = csv.reader(part.splitlines())
        tables.append([dict(zip(head, row, strict=True)) for row in rows])
    return tables


class Analyze(CommandTest):
    def test_document_is_analysis_json(self):
        with scratch() as folder:
            job = small_job(folder, compare=SETS)
            document = self.assert_document(calibrate("analyze", job, "--json"))
            self.assertEqual(document, json.loads((folder / "out/analysis.json").read_text()))
            self.assertEqual(sorted(path.name for path in (folder / "out").iterdir()),
                             ["analysis.h5", "analysis.json", "charts", "report.html"])
            model, = document["models"]
            self.assertEqual([each["label"] for each in model["sets"]],
                             [f"corpus: {CALIBRATION_TEXT}", 'a "quoted", one'])
            for each in model["sets"]:
                found = {outlier["channel"] for outlier in each["outliers"]["attention.input"]}
                self.assertLessEqual(OUTLIERS, found)
            self.assertEqual(len(model["similarity"]), 1)

    def test_tables(self):
        with scratch() as folder:
            job = small_job(folder, compare=SETS)
            result = self.assert_done(calibrate("analyze", job, cwd=folder))
            for word in ["outlier dimensions", "attention.output", "RMSE per token",
                         "gain std: mlp.input", "largest spectral norm", "top 1 %", "% |x| > 6",
                         "wrote out/analysis.json\n", "wrote out/analysis.h5\n",
                         "wrote out/report.html\n"]:
                self.assertIn(word, result.stdout)
            self.assertNotIn("attention.probabilities", result.stdout)
            self.assertRegex(result.stderr.splitlines()[0], r"^analyze 0/6: .*block 0")
            self.assertRegex(result.stderr.splitlines()[-1], r"^analyze 6/6: ")

    def test_matrix_of_many_sets(self):
        with scratch() as folder:
            sets = [{"label": name, "random": name} for name in ("ascii", "vocabulary")]
            job = small_job(folder, compare={
                "calibration": [{"label": "text", "corpus": str(CALIBRATION_TEXT)}, *sets]})
            text = self.assert_done(calibrate("analyze", job)).stdout
            pairs = json.loads((folder / "out/analysis.json").read_text())["models"][0]["similarity"]
            top, distance = text.split("Jaccard index of the top 1 %")[1].split("distance of ranges")
            for part, figure, itself in ((top, "top", 1), (distance, "distance", 0)):
                head, _, *rows = part.strip().splitlines()[:5]
                self.assertEqual(head.split(), ["set", "text", "ascii", "vocabulary"])
                shown = [[float(cell) for cell in row.split()[1:]] for row in rows]
                for (a, b), pair in zip(((0, 1), (0, 2), (1, 2)), pairs, strict=True):
                    self.assertAlmostEqual(shown[a][b], pair["overall"][figure], delta=5.1e-4)
                    self.assertEqual(shown[a][b], shown[b][a])
                self.assertEqual([shown[i][i] for i in range(3)], [itself] * 3)

    def test_csv(self):
        with scratch() as folder:
            job = small_job(folder, compare=SETS)
            text = self.assert_done(calibrate("analyze", job, "--csv")).stdout
            document = json.loads((folder / "out/analysis.json").read_text())
            nodes, blocks, weights, similarity = csv_tables(text)
            self.assertEqual([len(nodes), len(blocks), len(weights), len(similarity)],
                             [2 * 7, 2 * 6, 6, 1])
            self.assertEqual(nodes[-1]["set"], 'a "quoted", one')
            self.assertEqual(nodes[-1]["model"], "opt-3m-outlier")
            for row in nodes:
                each, = [each for each in document["models"][0]["sets"]
                         if each["label"] == row["set"]]
                outliers = each["outliers"][row["node"]]
                self.assertEqual(int(row["outlier dimensions"]), len(outliers))
                shown = [int(cell.split()[0]) for cell in row["channels"].split(", ") if cell]
                self.assertEqual(sorted(shown), [outlier["channel"] for outlier in outliers])
            for row in blocks:
                self.assertGreater(float(row["RMSE per tensor"]), float(row["RMSE per token"]))

    def test_threads_and_memory_do_not_change_a_byte(self):
        with scratch() as folder:
            digests = []
            for threads, limit in ((1, "1GiB"), (2, "1GiB"), (2, "1 B")):
                shutil.rmtree(folder / "out", ignore_errors=True)
                job = small_job(folder, compare=SETS, memory_limit=limit)
                self.assert_done(calibrate("analyze", job, "--threads", threads))
                digests.append(digest(folder / "out"))
            self.assertEqual(digests[0], digests[1])
            self.assertEqual(digests[0]["analysis.json"], digests[2]["analysis.json"])

    def test_report_can_be_written_anew(self):
        with scratch() as folder:
            self.assert_done(calibrate("analyze", small_job(folder, compare=SETS)))
            out = folder / "out"
            first = digest(out)
            (out / "report.html").unlink()
            self.assert_done(calibrate("report", out))
            self.assertEqual(digest(out), first)
            self.assertIn("a &quot;quoted&quot;, one", (out / "report.html").read_text())
            (out / "analysis.h5").write_bytes((out / "analysis.h5").read_bytes()[:5000])
            self.assert_refused(calibrate("report", out), WRONG_INPUT, "analysis.h5")
            (out / "analysis.json").write_text("{}")
            self.assert_refused(calibrate("report", out), WRONG_INPUT, "analysis.json",
                                "analyze again")

    def test_what_is_there_stays_when_it_fails(self):
        with scratch() as folder:
            self.assert_done(calibrate("analyze", small_job(folder)))
            before = digest(folder / "out")
            model = copy_model(folder / "model")
            stored = Safetensors(model / "model.safetensors")
            stored.remove("model.decoder.layers.3.fc1.bias")
            stored.write(model / "model.safetensors")
            self.assert_refused(calibrate("analyze", small_job(folder, model=str(model))),
                                WRONG_INPUT, "fc1.bias")
            self.assertEqual(digest(folder / "out"), before)

    def test_refuses(self):
        with scratch() as folder:
            job = small_job(folder)
            cases = [(["--json", "--csv"], "--csv"),
                     (["--set", "scheme=w4a4"], "cannot take effect"),
                     (["--set", "analyze.bits=1"], "from 2 to 8"),
                     (["--set", "analyze.poling=4"], "did you mean 'pooling'?")]
            for arguments, word in cases:
                with self.subTest(arguments):
                    self.assert_refused(calibrate("analyze", job, *arguments), WRONG_USAGE, word)
            self.assert_refused(calibrate("analyze", job, "--set", "calibration.samples=99999"),
                                WRONG_INPUT, CALIBRATION_TEXT.name)
            self.assertFalse((folder / "out").exists())

    def test_every_family(self):
        if not ARCHITECTURES.exists():
            self.skipTest(f"needs {ARCHITECTURES.relative_to(SHARED.parent)}, which is absent")
        with scratch() as folder:
            ids = folder / "ids.safetensors"
            write_ids(ids, 60)
            folders = sorted(ARCHITECTURES.iterdir())
            job = small_job(folder, calibration={"corpus": str(ids), "samples": 3,
                                                 "sequence_length": LENGTH},
                            compare={"model": [str(path) for path in folders]})
            models = self.assert_document(calibrate("analyze", job, "--json"))["models"]
            self.assertEqual([model["label"] for model in models],
                             [path.name for path in folders])
            for model in models:
                with self.subTest(model["label"]):
                    for block in model["blocks"]:
                        for linear in block["linears"].values():
                            self.assertGreater(linear["spectral_norm"], linear["absmax"])
                        for name in block["linears"]:
                            self.assertNotRegex(name, r"gate$|router")
                    last = model["sets"][0]["blocks"][-1]["nodes"]
                    for node in ("attention.output", "mlp.hidden"):
                        self.assertIsNotNone(last[node]["producers"])


if __name__ == "__main__":
    run_tests()
