"""Reports as a browser shows them, and the command that writes them.

Screenshots go to EVENKEEL_BUILD_DIR/report_screenshots, for people to look at.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import browser
from command import (CALIBRATION_TEXT, LIMIT, SOURCE, WRONG_INPUT, WRONG_USAGE, CommandTest,
                     calibrate, digest, run_tests, scratch, small_job)
from scaling_test import scaling_job

sys.path.insert(0, str(SOURCE / "bench"))

SCREENSHOTS = (Path(os.environ.get("EVENKEEL_BUILD_DIR", tempfile.gettempdir())) /
               "report_screenshots")
WIDTHS = (1280, 390)  # a desk, a telephone
MOST_BYTES = 3_000_000  # of the report of a model of 48 blocks of 4096 channels
SORTED_COLUMN = """(column) => {
  const table = document.querySelector("table");
  table.tHead.rows[0].cells[column].querySelector("button").click();
  return [table.tHead.rows[0].cells[column].getAttribute("aria-sort"),
          ...Array.from(table.tBodies[0].rows, (row) => row.cells[column].textContent)];
}"""


def gallery(folder):
    """A report with a chart of every kind; its path."""
    subprocess.run([os.environ["EVENKEEL_REPORT_GALLERY"], str(folder)], check=True, timeout=LIMIT)
    return folder / "report.html"


class Written(CommandTest):
    def test_a_run_leaves_a_report_that_can_be_written_anew(self):
        with scratch() as folder:
            shown = self.assert_done(calibrate("run", small_job(folder))).stdout
            self.assertRegex(shown, r"wrote \S*out/report\.html")
            out = folder / "out"
            first = digest(out)
            (out / "report.html").unlink()
            again = self.assert_done(calibrate("report", out))
            self.assertRegex(again.stdout, r"^wrote \S*report\.html\nwrote \S*charts\n$")
            self.assertEqual(digest(out), first)
            for svg in (out / "charts").glob("*.svg"):
                ElementTree.parse(svg)  # well formed by itself
                self.assertTrue(svg.with_suffix(".csv").exists())

    def test_refuses_what_no_job_left(self):
        with scratch() as folder:
            self.assert_refused(calibrate("report", folder), WRONG_INPUT, "summary.json")
            self.assert_refused(calibrate("report", folder / "absent"), WRONG_INPUT, "absent")
            self.assertEqual(list(folder.iterdir()), [])
            self.assertEqual(calibrate("report").returncode, WRONG_USAGE)

    def test_without_gnuplot_there_are_tables_and_a_note(self):
        with scratch() as folder:
            result = calibrate("run", small_job(folder), env={**os.environ, "PATH": str(folder)})
            self.assertIn("gnuplot-nox", self.assert_done(result).stdout)
            report = (folder / "out/report.html").read_text()
            self.assertNotIn("<svg", report)
            self.assertIn("blocks.<wbr>0.<wbr>attention", report)

    def test_of_a_large_model_is_small(self):
        try:
            from synthetic_run import write_run
        except ImportError as missing:
            self.skipTest(f"needs a package of tests/requirements.txt: {missing}")
        with scratch() as folder:
            write_run(folder / "out")
            self.assert_done(calibrate("report", folder / "out"))
            size = (folder / "out/report.html").stat().st_size
            self.assertLess(size, MOST_BYTES)
            self.assertIn("<svg", (folder / "out/report.html").read_text())


@unittest.skipIf(browser.browser_program() is None,
                 "needs a browser: Debian's chromium-headless-shell is not installed")
class Shown(CommandTest):
    """Every report: no error, no request, marks in each chart, no sideways scrolling."""

    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(browser.Browser())

    def assert_shown(self, report, name):
        for width in WIDTHS:
            for dark in (False, True):
                with self.subTest(name, width=width, dark=dark):
                    self.browser.open(report, width, dark=dark)
                    self.assertEqual(self.browser.messages, [])
                    self.assertEqual([url for url in self.browser.requests
                                      if not url.startswith("data:image/png;")],
                                     [Path(report).resolve().as_uri()])
                    marks = self.browser.evaluate(browser.MARKS)
                    self.assertTrue(marks)
                    self.assertGreater(min(marks), 0)
                    self.assertFalse(self.browser.evaluate(browser.SCROLLS))
                    ground = self.browser.evaluate(
                        "getComputedStyle(document.body).backgroundColor")
                    light = sum(map(int, re.findall(r"\d+", ground)[:3])) > 384
                    self.assertEqual(light, not dark)
                    colours = "dark" if dark else "light"
                    self.browser.screenshot(SCREENSHOTS / f"{name}-{width}-{colours}.png")

    def test_of_a_run(self):
        with scratch() as folder:
            self.assert_done(calibrate("run", small_job(folder)))
            self.assert_shown(folder / "out/report.html", "run")
            self.assertEqual(len(self.browser.evaluate(browser.MARKS)),
                             len(list((folder / "out/charts").glob("*.svg"))))

    def test_of_a_run_without_transform(self):
        with scratch() as folder:
            self.assert_done(calibrate("run", small_job(folder, transform={"method": "none"})))
            self.assert_shown(folder / "out/report.html", "run-none")

    def test_of_a_scaling_job(self):
        with scratch() as folder:
            self.assert_done(calibrate("scaling", scaling_job(
                folder, {"scheme.weights.codes": ["linear", "float"],
                         "scheme.weights.bits": [3, 8]})))
            self.assert_shown(folder / "scaling/report.html", "scaling")

    def test_of_a_comparison(self):
        with scratch() as folder:
            self.assert_done(calibrate("compare", small_job(folder, compare={
                "transform.method": ["none", "os_plus"],
                "calibration": [{"label": "text", "corpus": str(CALIBRATION_TEXT)},
                                {"label": "<img src=x onerror=alert(1)>", "random": "ascii"}]})))
            self.assert_shown(folder / "out/report.html", "comparison")
            self.assertEqual(len(self.browser.evaluate(browser.MARKS)),
                             len(list((folder / "out/charts").glob("*.svg"))))
            self.assertEqual(self.browser.evaluate('document.querySelectorAll("img").length'), 0)

    def test_of_an_analysis(self):
        with scratch() as folder:
            labels = ["text", "<img src=x onerror=alert(1)>", "c"]
            self.assert_done(calibrate("analyze", small_job(folder, compare={"calibration": [
                {"label": labels[0], "corpus": str(CALIBRATION_TEXT)},
                {"label": labels[1], "random": "ascii"},
                {"label": labels[2], "random": "vocabulary"}]})))
            self.assert_shown(folder / "out/report.html", "analysis")
            self.assertEqual(len(self.browser.evaluate(browser.MARKS)),
                             len(list((folder / "out/charts").glob("*.svg"))))
            self.assertEqual(self.browser.evaluate('document.querySelectorAll("img").length'), 0)

    def test_every_kind_of_chart(self):
        with scratch() as folder:
            self.assert_shown(gallery(folder / "gallery"), "gallery")
            self.assertEqual(len(self.browser.evaluate(browser.MARKS)), 7)

    def test_headers_sort_and_sort_back(self):
        with scratch() as folder:
            self.browser.open(gallery(folder / "gallery"))
            def click(column):
                return self.browser.evaluate(f"({SORTED_COLUMN})({column})")
            self.assertEqual(click(0), ["ascending", "<b>", "blocks.1.attention", "blocks.2.mlp",
                                        "blocks.10.mlp", "-"])
            self.assertEqual(click(0), ["descending", "blocks.10.mlp", "blocks.2.mlp",
                                        "blocks.1.attention", "<b>", "-"])
            self.assertEqual(click(1)[:4], ["ascending", "19.76", "824.6289", "2.3e+05"])
            self.assertEqual(click(1)[:4], ["descending", "2.3e+05", "824.6289", "19.76"])
            self.assertEqual(click(2)[:4], ["ascending", "9.5 %", "92.8 %", "100.0 %"])
            self.assertEqual(click(3), ["ascending", "-0.5", "-1.2e-05", "0", "+0.5", "+1.2e+01"])
            self.assertEqual(self.browser.evaluate(
                'document.querySelectorAll("[aria-sort]").length'), 1)

    def test_headers_sort_by_keyboard(self):
        with scratch() as folder:
            self.browser.open(gallery(folder / "gallery"))
            self.browser.evaluate('document.querySelector("th button").focus()')
            self.browser.press("Tab")
            self.browser.press("Enter")
            self.assertEqual(self.browser.evaluate(
                'document.querySelectorAll("th")[1].getAttribute("aria-sort")'), "ascending")
            self.browser.press(" ")
            self.assertEqual(self.browser.evaluate(
                'document.querySelectorAll("th")[1].getAttribute("aria-sort")'), "descending")

    def test_nothing_can_be_fetched(self):
        with scratch() as folder:
            self.browser.open(gallery(folder / "gallery"))
            self.browser.evaluate(
                'fetch("http://127.0.0.1:9/").then(() => "fetched", () => "refused")')
            self.assertIn("Content Security Policy", str(self.browser.messages))

    def test_of_hostile_names(self):
        with scratch() as folder:
            text = folder / "<img src=x onerror=alert(1)>.txt"
            text.write_text("A quiet evening by the river, and nothing else to tell. " * 40)
            self.assert_done(calibrate("run", small_job(folder, evaluate={
                "perplexity": [str(text)], "sequence_length": 32, "windows": 2})))
            self.assert_shown(folder / "out/report.html", "run-hostile")
            self.assertEqual(self.browser.evaluate('document.querySelectorAll("img").length'), 0)


if __name__ == "__main__":
    run_tests()
