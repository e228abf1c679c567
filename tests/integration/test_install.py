"""make install: what it puts below PREFIX works from there, retort-aot included."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GUEST = "#include <stdio.h>\nint main(int c, char **v) { printf(\"%s\\n\", v[c - 1]); return 3; }\n"


class Install(unittest.TestCase):
    directory: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        if os.environ.get("RETORT_BUILD", "build/release") != "build/release":
            raise unittest.SkipTest("only the release build is installed")
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        subprocess.run(["make", "-s", "install", f"DESTDIR={cls.directory}", "PREFIX=/opt/retort"],
                       cwd=ROOT, check=True, timeout=120, stdout=subprocess.DEVNULL)

    def installed(self, *command: str) -> subprocess.CompletedProcess[str]:
        program = self.directory / "opt/retort/bin" / command[0]
        return subprocess.run([program, *command[1:]], cwd=self.directory, capture_output=True,
                              text=True, timeout=60, check=False)

    def test_the_installed_image_is_found(self) -> None:
        ran = self.installed("retort-run", "-c", "print(6 * 7)")
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "42\n", ""))

    def test_the_admin_is_there(self) -> None:
        self.assertRegex(self.installed("retort-admin", "--version").stdout, "^retort-admin ")

    def test_the_installed_command_of_the_whole_service_runs_programs(self) -> None:
        command = self.directory / "opt/retort/bin/code-interpreter-api"
        environment = {"PATH": os.environ["PATH"], "PORT": "0", "SLOTS": "1"}
        process = subprocess.Popen([command], env=environment, cwd=self.directory,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        first = process.stdout.readline()
        url = re.search(r"ready on (http://127\.0\.0\.1:\d+)", first)
        self.assertIsNotNone(url, first)
        request = urllib.request.Request(f"{url[1]}/v1/execute", b'{"code": "print(6 * 7)"}',
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.assertEqual(json.load(answer)["stdout"], "42\n")
        process.terminate()
        rest = process.stdout.read()
        self.assertEqual(process.wait(30), 0, rest)
        self.assertIn("Stopping (SIGTERM)", rest)

    def test_the_command_of_the_whole_service_has_a_help_and_no_arguments(self) -> None:
        self.assertIn("PORT", self.installed("code-interpreter-api", "--help").stdout)
        self.assertEqual(self.installed("code-interpreter-api", "--port").returncode, 2)

    def test_the_installed_retort_aot_makes_images(self) -> None:
        (self.directory / "guest.c").write_text(GUEST)
        subprocess.run(["clang-14", "--target=wasm32-wasi", "-o", "guest.wasm", "guest.c"],
                       cwd=self.directory, check=True, timeout=60)
        made = self.installed("retort-aot", "guest.wasm", "-o", "image", "-q")
        self.assertEqual(made.returncode, 0, made.stderr)
        ran = self.installed("retort-run", "--image", "image", "word")
        self.assertEqual((ran.returncode, ran.stdout), (3, "word\n"), ran.stderr)


if __name__ == "__main__":
    unittest.main()
