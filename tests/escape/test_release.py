"""What is released has no door, by its own words and by its code."""

from __future__ import annotations

import pathlib
import re
import subprocess
import unittest

from escape import BUILD, IMAGE
from stack import REPOSITORY

DOOR = re.search(r'#define DOOR_MARKER +"(.*)"',
                 (pathlib.Path(__file__).resolve().parent / "door.h").read_text())
MARKER = DOOR.group(1).encode() if DOOR else b""
RELEASED = [BUILD / name for name in ("retort-api", "retort-worker", "retort-run",
                                      "retort-cli-zygote", "libretort-sandbox.a")]
RELEASED.append(REPOSITORY / "build/image/python/program")
PRODUCT = ("api", "worker", "common", "aot", "deploy", "mk/run.mk", "mk/engine.mk", "Makefile")


class Release(unittest.TestCase):
    def test_only_the_tests_image_has_the_marker(self) -> None:
        self.assertTrue(MARKER)
        self.assertIn(MARKER, (IMAGE / "program").read_bytes())
        for path in RELEASED:
            with self.subTest(path.name):
                self.assertNotIn(MARKER, path.read_bytes())

    def symbols(self, path: pathlib.Path) -> str:
        return subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout

    def test_only_the_tests_image_has_the_doors_code(self) -> None:
        self.assertIn("__wrap_wasi_sock_recv", self.symbols(IMAGE / "program"))
        for path in RELEASED:
            with self.subTest(path.name):
                symbols = self.symbols(path)
                self.assertIsNone(re.search(r"__(wrap|real)_wasi_|door_", symbols))

    def test_no_source_of_the_product_speaks_of_it(self) -> None:
        done = subprocess.run(["git", "grep", "-liE", "tests/escape|door_|DOOR_", "--", *PRODUCT],
                              cwd=REPOSITORY, capture_output=True, text=True)
        self.assertEqual(done.stdout, "")

    def disassembly(self, path: pathlib.Path) -> dict[str, str]:
        """Functions with the instructions that enter the kernel."""
        done = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True,
                              text=True, check=True)
        functions = re.split(r"^[0-9a-f]+ <(.+)>:$", done.stdout, flags=re.MULTILINE)
        return {name: code for name, code in zip(functions[1::2], functions[2::2])
                if re.search(r"\t(syscall|sysenter|int +\$0x80)", code)}

    def test_nothing_of_ours_enters_the_kernel_but_the_C_library(self) -> None:
        """The library's objects have one such instruction: the end of a refused call."""
        self.assertEqual(set(self.disassembly(BUILD / "libretort-sandbox.a")), {"on_denied"})

    def test_the_guest_reaches_no_entry_of_the_kernel(self) -> None:
        """No function made of the guest has such an instruction."""
        entries = self.disassembly(REPOSITORY / "build/image/python/program")
        self.assertEqual([name for name in entries if name.startswith("w2c_")], [])
        # For the test to mean something: they are found where they are.
        self.assertIn("__wrap_wasi_sock_recv", self.disassembly(IMAGE / "program"))
