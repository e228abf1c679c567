"""What the tests of retort-aot share: small modules, translated, compiled and run."""
import contextlib
import io
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from retort_aot import cli

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LIBRARY = pathlib.Path(os.environ.get("LIBRARY", ROOT / "build/release/libretort-sandbox.a"))
RUN_TIMEOUT_S = 60
TRAP_STATUS = 134


def wat2wasm(text, directory, *flags):
    """The path of the module that the text describes."""
    source = directory / "module.wat"
    source.write_text(text)
    target = directory / "module.wasm"
    subprocess.run(["wat2wasm", "--debug-names", *flags, str(source), "-o", str(target)],
                   check=True)
    return target


class Case(unittest.TestCase):
    """A test with a directory of its own, and a cache that all tests of a class share."""

    @classmethod
    def setUpClass(cls):
        cls.class_directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-aot-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.class_directory)

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=self.class_directory))

    def aot(self, module, *arguments):
        """Runs retort-aot in this process: (status, what it printed on standard error)."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            status = cli.main([str(module), "-o", str(self.directory / "image"), "--library",
                               str(LIBRARY), "--cache", str(self.class_directory / "cache"),
                               *arguments])
        return status, errors.getvalue()

    def build(self, module, *arguments):
        """The program of the module, with the training driver in place of the sandbox."""
        status, errors = self.aot(module, "--driver", "--opt", "-O1", "--units", "2", *arguments)
        self.assertEqual(status, 0, errors)
        return self.directory / "image" / "program"

    def refused(self, module, *arguments):
        """The sentence with which retort-aot refuses; it must be one line."""
        status, errors = self.aot(module, *arguments)
        self.assertEqual(status, 1)
        self.assertFalse((self.directory / "image").exists())
        return errors.strip().splitlines()[-1]

    def run_program(self, program, *arguments, env=None):
        done = subprocess.run([str(program), "--", "guest", *arguments], capture_output=True,
                              timeout=RUN_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL,
                              env=dict(os.environ, **(env or {})))
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")
