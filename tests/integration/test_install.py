"""make install: what it puts below PREFIX works from there, retort-aot included."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

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
