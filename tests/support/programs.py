"""Programs that a test runs in the sandbox with retort-run, and what they print and how they end."""

from __future__ import annotations

import json
import subprocess
import textwrap
import unittest
from typing import Any

from service import BUILD, IMAGE, native

DEADLOCK = 70


class Programs(unittest.TestCase):
    maxDiff = 4000

    def run_it(self, code: str, *flags: str, stdin: str = "") -> dict[str, Any]:
        """The result of the program; flags are retort-run's."""
        done = subprocess.run([str(BUILD / "retort-run"), f"--image={IMAGE}", "--json",
                               "--cpu-time-limit-sec=20", "--max-exec-timeout-ms=30000", *flags,
                               "-c", textwrap.dedent(code)],
                              input=stdin.encode(), capture_output=True, timeout=100)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def prints(self, code: str, expected: str, *flags: str) -> None:
        """The program prints that, nothing else, and ends well."""
        result = self.run_it(code, *flags)
        self.assertEqual((result["stdout"], result["stderr"], result["verdict"],
                          result["exit_code"]), (textwrap.dedent(expected), "", "exited", 0))

    def as_native(self, code: str) -> dict[str, Any]:
        """The program does what it does outside of the sandbox."""
        code = textwrap.dedent(code)
        result, expected = self.run_it(code), native(code)
        self.assertEqual((result["stdout"], result["stderr"].replace("/usr/local/lib", "/usr/lib"),
                          result["exit_code"]),
                         (expected.stdout.decode(), expected.stderr.decode(), expected.returncode))
        return result

    def deadlocks(self, code: str, waiting: str) -> dict[str, Any]:
        """The program ends with the message that says so."""
        result = self.run_it(code)
        self.assertEqual((result["verdict"], result["exit_code"]), ("exited", DEADLOCK), result)
        self.assertTrue(result["stderr"].startswith(f"Fatal Python error: deadlock: {waiting}"),
                        result["stderr"])
        self.assertIn('File "/work/main.py", line', result["stderr"])
        return result
