"""A headless Chromium, driven by ChromeDriver's HTTP protocol (W3C WebDriver).

    with Browser() as browser:
        browser.open("http://127.0.0.1:8000/admin")
        browser.type("#code", "print(1)")
        browser.press("#code", CONTROL + ENTER)

It gets a profile of its own, which goes with it, and is told of no way off this machine: names
resolve to nothing, and every request is in requests().
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import tempfile
import time
from typing import Any

from service import wait_until

# Keys as WebDriver names them.
CONTROL, SHIFT, ENTER, TAB, ESCAPE = "\ue009", "\ue008", "\ue007", "\ue004", "\ue00c"
RELEASE = "\ue000"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
START_S = 40

FLAGS = ["--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
         "--disable-dev-shm-usage", "--force-device-scale-factor=1",
         "--disable-features=Translate,OptimizationHints,MediaRouter",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def missing() -> str | None:
    """Why there can be no browser here, or None."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} is missing; deploy/deps.sh --with tests installs it"
    return None


class BrowserError(Exception):
    """What ChromeDriver says went wrong."""


class Browser:
    def __init__(self, width: int = 1280, height: int = 900) -> None:
        self.profile = tempfile.mkdtemp(prefix="retort-browser-")
        self.driver = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", "chromedriver", "--port=0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "HOME": self.profile})
        try:
            self.port = self.wait_for_port()
            self.session = ""
            self.begin(width, height)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def wait_for_port(self) -> int:
        deadline = time.monotonic() + START_S
        text = b""
        assert self.driver.stdout is not None
        while time.monotonic() < deadline:
            if select.select([self.driver.stdout], [], [], 0.2)[0]:
                text += os.read(self.driver.stdout.fileno(), 4096)
            found = re.search(rb"successfully on port (\d+)", text)
            if found:
                return int(found[1])
            if self.driver.poll() is not None:
                break
        raise BrowserError(f"chromedriver does not start: {text.decode(errors='replace')[-500:]}")

    def begin(self, width: int, height: int) -> None:
        flags = [*FLAGS, f"--user-data-dir={self.profile}/profile", f"--window-size={width},{height}",
                 "about:blank"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags, "binary": shutil.which("chromium")},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}}, session=False)
        self.session = answer["sessionId"]

    def close(self) -> None:
        if getattr(self, "session", ""):
            try:
                self.call("DELETE", "")
            except (BrowserError, OSError):
                pass
        self.driver.terminate()
        try:
            self.driver.wait(10)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        if self.driver.stdout:
            self.driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method: str, path: str, body: Any = None, session: bool = True) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, f"/session/{self.session}{path}" if session else path,
                               json.dumps(body or {}) if method == "POST" else None,
                               {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise BrowserError(f"{value['error']}: {value['message'].splitlines()[0]}")
        return value

    # ---- looking ----

    def open(self, url: str) -> None:
        self.call("POST", "/url", {"url": url})

    def script(self, source: str, *arguments: Any) -> Any:
        return self.call("POST", "/execute/sync", {"script": source, "args": list(arguments)})

    def element(self, selector: str) -> str:
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def text(self, selector: str) -> str:
        return self.script("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def is_shown(self, selector: str) -> bool:
        return self.script("const e = document.querySelector(arguments[0]);"
                           "return e !== null && e.getClientRects().length > 0", selector)

    def wait_for_text(self, selector: str, words: str, timeout_s: float = 20) -> str:
        seen = [""]

        def there() -> bool:
            seen[0] = self.text(selector)
            return words in seen[0]
        try:
            wait_until(there, f"{words!r} in {selector}", timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {seen[0][:400]!r}") from None
        return seen[0]

    def focused(self) -> str:
        """The id of the element that has the focus."""
        return self.script("return document.activeElement?.id || document.activeElement?.tagName")

    # ---- acting ----

    def click(self, selector: str) -> None:
        self.call("POST", f"/element/{self.element(selector)}/click")

    def type(self, selector: str, text: str) -> None:
        """Key after key, into the element."""
        self.call("POST", f"/element/{self.element(selector)}/value", {"text": text})

    def keys(self, text: str) -> None:
        """Key after key, to whatever has the focus. Modifiers hold until RELEASE or the end."""
        actions, held = [], []
        for key in text:
            if key in (CONTROL, SHIFT):
                actions.append({"type": "keyDown", "value": key})
                held.append(key)
            elif key == RELEASE:
                actions += [{"type": "keyUp", "value": held.pop()} for _ in range(len(held))]
            else:
                actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        actions += [{"type": "keyUp", "value": key} for key in reversed(held)]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def set_code(self, code: str) -> None:
        """Replaces the program, as pasting would."""
        self.script("const e = document.querySelector('#code'); e.value = arguments[0];"
                    "e.dispatchEvent(new Event('input'))", code)

    def choose_file(self, selector: str, path: pathlib.Path) -> None:
        self.type(selector, str(path))

    def emulate(self, width: int, height: int, dark: bool = False) -> None:
        self.devtools("Emulation.setDeviceMetricsOverride",
                      {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700})
        self.devtools("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def devtools(self, command: str, parameters: dict[str, Any]) -> Any:
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def screenshot(self) -> bytes:
        return base64.b64decode(self.devtools("Page.captureScreenshot", {"format": "png"})["data"])

    # ---- what it has done ----

    def console(self) -> list[dict[str, Any]]:
        """What was written since it was last asked for: level, message, source."""
        return self.call("POST", "/se/log", {"type": "browser"})

    def requests(self) -> list[str]:
        """The addresses that were asked for since last time."""
        found = []
        for entry in self.call("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found
