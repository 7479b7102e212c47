"""A page as a headless browser shows it, for the tests of reports: standard library only.

Speaks the DevTools protocol with Debian's chromium-headless-shell (or chromium) over two pipes.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("chromium-headless-shell", "chromium")
LIMIT = 60  # seconds for any answer: a hang is a failure


def browser_program():
    """The browser's path, or None where it is not installed."""
    for name in PROGRAMS:
        path = shutil.which(name) or shutil.which(name, path="/usr/lib/chromium:/usr/bin")
        if path:
            return path
    return None


class Browser:
    """A browser with one page; a context manager."""

    def __init__(self):
        self.messages = []  # of the console, and script errors
        self.requests = []  # URLs that the page asked for
        self._events = []
        self._number = 0
        self._rest = b""

    def __enter__(self):
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        # The browser reads commands from its descriptor 3 and answers on 4.
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        options = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
            f"--user-data-dir={self._profile.name}", "--remote-debugging-pipe", "about:blank"]
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "sh", browser_program(),
             *options],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        target = self._call("Target.createTarget", {"url": "about:blank"}, session=None)
        self._session = self._call("Target.attachToTarget", {
            "targetId": target["targetId"], "flatten": True}, session=None)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)
        self._profile.cleanup()

    def call(self, method, **parameters):
        """A command of the protocol to the page; its result."""
        return self._call(method, parameters, self._session)

    def open(self, path, width=1280, height=900, dark=False):
        """Shows a file at that width, and forgets what earlier pages said and asked for."""
        self.messages.clear()
        self.requests.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self._events.clear()
        self.call("Page.navigate", url=Path(path).resolve().as_uri())
        self._wait_for("Page.loadEventFired")

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def press(self, key):
        """A key such as Tab or Enter, pressed and let go."""
        code = {"Tab": 9, "Enter": 13, " ": 32}[key]
        text = {"Enter": "\r", " ": " "}.get(key)
        down = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **down,
                  **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **down)

    def screenshot(self, path, longest=16000):
        """The whole page as a PNG; the file's path."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": size["width"],
                               "height": min(size["height"], longest), "scale": 1})["data"]
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))
        return path

    def _call(self, method, parameters, session):
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        data = json.dumps(command).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data):]
        number = self._number
        answer = self._until(lambda message: message.get("id") == number, method)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def _wait_for(self, event):
        if not any(message["method"] == event for message in self._events):
            self._until(lambda message: message.get("method") == event, event)

    def _until(self, wanted, what):
        end = time.monotonic() + LIMIT
        while True:
            message = self._next(end, what)
            self._note(message)
            if wanted(message):
                return message

    def _note(self, message):
        method = message.get("method")
        if method is None:
            return
        self._events.append(message)
        parameters = message["params"]
        if method == "Runtime.consoleAPICalled":
            self.messages.append(str(parameters["args"]))
        elif method == "Runtime.exceptionThrown":
            self.messages.append(str(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.messages.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])

    def _next(self, end, what):
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(0, end - time.monotonic()))
            got = os.read(self._answers, 1 << 20) if ready else b""
            if not got:
                raise AssertionError(f"the browser did not answer: {what}")
            self._rest += got
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)


# What of a chart is more than its axes: gnuplot puts the marks of each plot into a group of its own.
MARKS = """
Array.from(document.querySelectorAll("figure svg"), (svg) =>
  Array.from(svg.querySelectorAll('g[id*="_plot_"]'), (group) =>
    group.querySelectorAll("path, rect, image, use, polygon, circle").length)
  .reduce((sum, count) => sum + count, 0))
"""
# Whether the page, not only a table or figure in it, scrolls sideways.
SCROLLS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
