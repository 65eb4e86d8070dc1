"""A headless Chromium, driven over a pipe with the DevTools protocol (chromedevtools.github.io/devtools-protocol).

A pipe needs no port and no library for WebSockets: JSON, each message ended by a zero byte, on descriptors 3 and 4.
"""

import base64
import fcntl
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.debian import Installed, installed

DEADLINE_S = 15.0
OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # which needs rights that a container may not have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


class BrowserFailed(AssertionError):
    """Chromium ended, did not answer, or refused; or a script in the page threw."""


class Tab:
    """One page.

    Attributes:
        complaints: of the page: exceptions, errors on the console, breaches of its content security policy.
        requested: URLs that it asked for.
    """

    def __init__(self, browser: "Chromium", target: str, session: str) -> None:
        self._browser, self._target, self._session = browser, target, session
        self.complaints: list[str] = []
        self.requested: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of one DevTools command."""
        return self._browser.call(method, parameters, self._session)

    def close(self) -> None:
        """Close it."""
        self._browser.call("Target.closeTarget", {"targetId": self._target})

    def open(self, url: str) -> None:
        """Go to an address, and wait until its document is there."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && !!document.body")

    def run(self, script: str) -> Any:
        """Value of a JavaScript expression; a promise is awaited."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise BrowserFailed(f"{script}: {done['exceptionDetails'].get('exception', {}).get('description')}")
        return done["result"].get("value")

    def until(self, script: str, deadline_s: float = DEADLINE_S) -> Any:
        """Value of an expression as soon as it is true."""
        deadline = time.monotonic() + deadline_s
        while not (value := self.run(script)):
            if time.monotonic() > deadline:
                text = self.run("document.body?.innerText ?? ''")
                raise BrowserFailed(f"never held: {script}\ncomplaints: {self.complaints}\n{text[:3000]}")
            time.sleep(0.03)
        return value

    def press(self, key: str) -> None:
        """Press and release a key: `Tab`, `Enter`."""
        codes = {"Tab": 9, "Enter": 13}
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            more = text if kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **more)

    def look(self, width: int, dark: bool, height: int = 900) -> None:
        """Make the window so wide, in CSS pixels, and of a colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, file: Path) -> None:
        """A PNG of the whole page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def heard(self, method: str, parameters: Mapping[str, Any]) -> None:
        """Take an event of the page."""
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(parameters["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] == "error":
            self.complaints.append(str(parameters["args"]))
        elif method == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])


class Chromium:
    """A running browser."""

    def __init__(self, process: "subprocess.Popen[bytes]", to_it: int, from_it: int) -> None:
        self._process, self._to_it, self._from_it = process, to_it, from_it
        self._next = 0
        self._buffer = b""
        self._tabs: dict[str, Tab] = {}

    def tab(self) -> Tab:
        """A new page."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self._tabs[session] = tab = Tab(self, target, session)
        return tab

    def call(self, method: str, parameters: Mapping[str, Any], session: str | None = None) -> Any:
        """The result of one DevTools command."""
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to_it, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + DEADLINE_S
        while True:
            found = self._read(deadline)
            if found.get("id") == self._next:
                if "error" in found:
                    raise BrowserFailed(f"{method}: {found['error']}")
                return found["result"]
            tab = self._tabs.get(found.get("sessionId", ""))
            if tab is not None and "method" in found:
                tab.heard(found["method"], found["params"])

    def _read(self, deadline: float) -> Any:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from_it], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._from_it, 1 << 16) if ready else b""
            if not piece:
                raise BrowserFailed("Chromium has ended" if ready else "Chromium does not answer")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


def _pipe() -> tuple[int, int]:
    """A pipe with descriptors above those that a shell's redirections name."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]


@contextmanager
def chromium(found: Installed | None = None) -> Iterator[Chromium]:
    """A Chromium with a profile of its own; ended, with all its processes, at the end.

    Raises:
        NoBrowser: there is none to be had.
    """
    found = found or installed()
    with tempfile.TemporaryDirectory(prefix="alertdrill-chromium-", ignore_cleanup_errors=True) as folder:
        its_input, to_it = _pipe()
        from_it, its_output = _pipe()
        script = f'exec "$0" "$@" 3<&{its_input} 4>&{its_output} {its_input}<&- {its_output}>&-'
        process = subprocess.Popen(
            ["bash", "-c", script, str(found.program), *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
            env={**found.environment, "HOME": folder},
            pass_fds=(its_input, its_output),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_input)
        os.close(its_output)
        try:
            yield Chromium(process, to_it, from_it)
        finally:
            os.close(to_it)  # the browser ends when its pipe does
            os.close(from_it)
            try:
                process.wait(5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
