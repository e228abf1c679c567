"""One program, run by this machine's python3.11 and in the sandbox: the two must say the same.

Both see the program as /work/main.py with the files beside it, no environment to speak of, and the
library under one name; addresses of objects are left out.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import textwrap
import unittest
from dataclasses import dataclass

from service import BUILD, IMAGE, NATIVE_PYTHON

NATIVE_LIBRARY, GUEST_LIBRARY = b"/usr/lib/python3.11", b"/usr/local/lib/python3.11"
ADDRESS = re.compile(rb"\bat 0x[0-9a-f]+")
TIMEOUT_S = 60


@dataclass(frozen=True)
class Outcome:
    stdout: str
    stderr: str
    exit_code: int


def _outcome(done: subprocess.CompletedProcess[bytes], directory: str) -> Outcome:
    def tidy(data: bytes) -> str:
        data = data.replace(directory.encode(), b"/work").replace(NATIVE_LIBRARY, GUEST_LIBRARY)
        return ADDRESS.sub(b"at 0x...", data).decode("utf-8", "backslashreplace")
    # A program that a signal ended: as a shell reports it.
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Outcome(tidy(done.stdout), tidy(done.stderr), code)


class TwinTest(unittest.TestCase):
    maxDiff = None

    def place(self, code: str, files: dict[str, str]) -> pathlib.Path:
        directory = tempfile.mkdtemp(prefix="retort-twin-")
        self.addCleanup(shutil.rmtree, directory)
        for name, text in {**files, "main.py": code}.items():
            path = pathlib.Path(directory) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).removeprefix("\n"), "utf-8")
        return pathlib.Path(directory)

    def native(self, code: str, files: dict[str, str] | None = None, stdin: str = "",
               args: tuple[str, ...] = (), flags: tuple[str, ...] = ("-E", "-s")) -> Outcome:
        """-E -s, not -I: this leaves the program's directory in sys.path, as in the sandbox."""
        directory = self.place(code, files or {})
        done = subprocess.run([NATIVE_PYTHON, *flags, str(directory / "main.py"), *args],
                              input=stdin.encode(), capture_output=True, cwd=directory,
                              timeout=TIMEOUT_S, env={"PATH": "/usr/bin", "LANG": "C.UTF-8"},
                              # Ignored by whoever runs the tests in the background.
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        return _outcome(done, str(directory))

    def ours(self, code: str, files: dict[str, str] | None = None, stdin: str = "",
             args: tuple[str, ...] = ()) -> Outcome:
        directory = self.place(code, files or {})
        main = directory / "main.py"
        extra: list[str] = []
        if files:
            beside = directory / "beside"
            shutil.copytree(directory, beside, ignore=shutil.ignore_patterns("main.py", "beside"))
            extra = ["--dir", f"{beside}::/work"]
        done = subprocess.run(
            [str(BUILD / "retort-run"), f"--image={IMAGE}", "--cpu-time-limit-sec=30",
             "--max-exec-timeout-ms=50000", *extra, str(main), *args],
            input=stdin.encode(), capture_output=True, timeout=TIMEOUT_S, env=os.environ)
        return _outcome(done, str(directory))

    def assertSame(self, code: str, files: dict[str, str] | None = None, stdin: str = "",
                   args: tuple[str, ...] = (), flags: tuple[str, ...] = ("-E", "-s")) -> Outcome:
        expected = self.native(code, files, stdin, args, flags)
        self.assertEqual(self.ours(code, files, stdin, args), expected, code)
        return expected
