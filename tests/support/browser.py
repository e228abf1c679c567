"""A real headless Chromium for a test, through ChromeDriver: what it shows, logs and asks for.

    with Browser() as browser:
        browser.open(f"http://127.0.0.1:{port}/docs")
        browser.wait("document.querySelector('h2')", "the title")
        browser.complaints()      # of the console
        browser.hosts()           # that anything was asked of

Each has a profile and processes of its own, which end with it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
from typing import Any

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--disable-extensions", "--disable-default-apps"]
START_S = 60.0
WAIT_S = 60.0


class BrowserError(Exception):
    """What ChromeDriver says."""


class Browser:
    def __init__(self, *arguments: str, size: tuple[int, int] = (1280, 900)) -> None:
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-browser-"))
        self.log: list[dict[str, Any]] = []  # of DevTools, as far as it was taken
        self.session = ""
        with open(self.directory / "log", "wb") as output:
            self.driver = subprocess.Popen(
                [DRIVER, "--port=0"], stdout=output, stderr=output, start_new_session=True,
                env={**os.environ, "HOME": str(self.directory), "TMPDIR": str(self.directory)})
        try:
            self.port = self._port()
            self.session = self._start([*ARGUMENTS, *arguments, f"--window-size={size[0]},{size[1]}"])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _port(self) -> int:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.driver.poll() is None:
            text = (self.directory / "log").read_text(errors="replace")
            if "started successfully on port " in text:
                return int(text.split("started successfully on port ")[1].split(".")[0])
            time.sleep(0.02)
        raise BrowserError("ChromeDriver did not start: "
                           + (self.directory / "log").read_text(errors="replace")[-500:])

    def _start(self, arguments: list[str]) -> str:
        capabilities = {"browserName": "chrome",
                        "goog:chromeOptions": {
                            "binary": CHROMIUM,
                            "args": [*arguments, f"--user-data-dir={self.directory}/profile"]},
                        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        value = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        return f"/session/{value['sessionId']}"

    def call(self, method: str, path: str, payload: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S + WAIT_S)
        try:
            connection.request(method, path, None if payload is None else json.dumps(payload),
                               {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise BrowserError(f"{value['error']}: {value['message'][:500]}")
        return value

    def do(self, method: str, path: str, payload: dict[str, Any] | None = None) -> Any:
        """A command of the WebDriver protocol, below the session's path."""
        return self.call(method, self.session + path, payload)

    def open(self, address: str) -> None:
        self.do("POST", "/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """The body of a function; its return value."""
        return self.do("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script: str, *arguments: Any) -> Any:
        """An expression that is a promise; what becomes of it."""
        wrapped = ("const done = arguments[arguments.length - 1];"
                   f"Promise.resolve().then(() => ({script})).then(done, e => done(String(e)));")
        return self.do("POST", "/execute/async", {"script": wrapped, "args": list(arguments)})

    def wait(self, expression: str, what: str, timeout_s: float = WAIT_S) -> Any:
        deadline = time.monotonic() + timeout_s
        while True:
            value = self.run(f"return ({expression});")
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout_s:.0f} s: {what}\n"
                                     f"{self.complaints()}\n{self.text()[:1000]}")
            time.sleep(0.05)

    def text(self) -> str:
        return self.run("return document.body ? document.body.innerText : '';")

    def screenshot(self, path: pathlib.Path) -> None:
        import base64
        path.write_bytes(base64.b64decode(self.do("GET", "/screenshot")))

    def complaints(self) -> list[str]:
        """Warnings and errors of the console since the last call."""
        entries = self.do("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE")]

    def requests(self) -> list[str]:
        """The addresses of everything that pages have asked for."""
        for entry in self.do("POST", "/se/log", {"type": "performance"}):
            self.log.append(json.loads(entry["message"])["message"])
        return [message["params"]["request"]["url"] for message in self.log
                if message["method"] == "Network.requestWillBeSent"]

    def hosts(self) -> set[str]:
        parts = map(urllib.parse.urlsplit, self.requests())
        return {part.hostname or "" for part in parts if part.scheme not in ("data", "blob", "chrome")}

    def close(self) -> None:
        with contextlib.suppress(OSError, BrowserError, ValueError):
            if self.session:
                self.do("DELETE", "")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.driver.pid, signal.SIGKILL)
        self.driver.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
