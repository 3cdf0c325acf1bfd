# SPDX-License-Identifier: MIT
"""Drives Chromium without a window by its own protocol, which is JSON texts with a NUL behind each,
on the browser's descriptors 3 and 4."""

import base64
import json
import os
import select
import shutil
import struct
import subprocess
import tempfile
import zlib

LIMIT = 300  # seconds, for what hangs
PROGRAMS = ("chromium-headless-shell", "chromium")


def program():
    """Returns the path of the browser, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """A browser with one tab, which ends with the block that it is used in."""

    def __init__(self, path):
        # Its last processes may still write there when it has ended.
        self.profile = tempfile.TemporaryDirectory(prefix="bufpool-browser-",
                                                   ignore_cleanup_errors=True)
        requests, self.to_browser = os.pipe()
        self.from_browser, answers = os.pipe()
        # What the browser needs as 3 and 4 may be in each other's place.
        command = ('exec 8<&"$1" 9>&"$2" && exec 3<&8 4>&9 8<&- 9>&- && shift 2 && exec "$@"')
        words = [path, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
                 "--hide-scrollbars", f"--user-data-dir={self.profile.name}", "about:blank"]
        environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        self.popen = subprocess.Popen(
            ["bash", "-c", command, "bash", str(requests), str(answers), *words],
            pass_fds=(requests, answers), env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(requests)
        os.close(answers)
        self.buffer, self.events, self.number, self.session = b"", [], 0, None
        tabs = self.ask("Target.getTargets")["targetInfos"]
        tab = next(one["targetId"] for one in tabs if one["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def receive(self):
        while b"\0" not in self.buffer:
            if not select.select([self.from_browser], [], [], LIMIT)[0]:
                raise TimeoutError("the browser does not answer")
            piece = os.read(self.from_browser, 1 << 20)
            if not piece:
                raise EOFError("the browser has ended")
            self.buffer += piece
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def ask(self, method, **parameters):
        """Returns the browser's answer. What it says before goes to `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def open(self, address, width, is_dark):
        """Shows a page, and returns once it is loaded. `events` are those since then."""
        scheme = "dark" if is_dark else "light"
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900,
                 deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events = []
        self.ask("Page.navigate", url=address)
        while not self.heard("Page.loadEventFired"):
            self.events.append(self.receive())

    def heard(self, method):
        return [event["params"] for event in self.events if event.get("method") == method]

    def value(self, expression):
        """Returns the value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"]["value"]

    def screenshot(self, scale=1):
        """Returns a picture of the whole page, as the bytes of a PNG."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                          clip=size | {"scale": scale})
        return base64.b64decode(answer["data"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.to_browser)  # it ends then
        try:
            self.popen.wait(timeout=LIMIT)
        finally:
            self.popen.kill()
        os.close(self.from_browser)
        self.profile.cleanup()


def chunks(png):
    at = 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        yield kind, png[at + 8:at + 8 + length]
        at += length + 12


def unfiltered(kind, line, before, size):
    """Undoes what PNG does to a line of pixels of so many bytes each."""
    out = bytearray(line)
    for i, byte in enumerate(line):
        left = out[i - size] if i >= size else 0
        above = before[i]
        corner = before[i - size] if i >= size else 0
        guess = left + above - corner
        nearest = min((left, above, corner), key=lambda one: abs(guess - one))
        out[i] = (byte + (0, left, above, (left + above) // 2, nearest)[kind]) & 255
    return out


def colours(png):
    """Returns how many pixels each colour has."""
    parts = list(chunks(png))
    width, height, depth, kind = struct.unpack(">IIBB", parts[0][1][:10])
    assert depth == 8 and kind in (2, 6), (depth, kind)
    size = 3 if kind == 2 else 4
    data = zlib.decompress(b"".join(data for name, data in parts if name == b"IDAT"))
    length, found = width * size, {}
    before = bytes(length)
    for at in range(0, height * (length + 1), length + 1):
        before = unfiltered(data[at], data[at + 1:at + 1 + length], before, size)
        for i in range(0, length, size):
            colour = bytes(before[i:i + 3])
            found[colour] = found.get(colour, 0) + 1
    return found
