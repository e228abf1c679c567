"""The fallback engine with python.wasm under a real WASI runtime; see tests/support/wasi.py."""

from __future__ import annotations

import os
import signal
import sys
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import wasi  # noqa: E402
from cli_zygote import READY, CliZygote  # noqa: E402

BUILD = Path(os.environ.get("RETORT_BUILD") or ROOT / "build/release")
PROGRAM = BUILD / "retort-cli-zygote"


class Real(unittest.TestCase):
    """The same with python.wasm under a real WASI runtime."""

    zygote: CliZygote

    @classmethod
    def setUpClass(cls) -> None:
        wasi.prepare()
        cls.zygote = CliZygote(
            PROGRAM, "--runtime", str(wasi.RUNTIME), "--module", str(wasi.WASM),
            "--runtime-args", wasi.RUNTIME_ARGS, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
        event = cls.zygote.receive()
        assert event is not None
        if event.type != READY:
            raise AssertionError(event.text)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.zygote.close()

    def test_a_program_runs_sealed(self) -> None:
        outcome = self.zygote.run("import sys; print(sys.platform, 1 + 1, input())", b"hello")
        self.assertEqual((outcome.stdout, outcome.stderr), (b"wasi 2 hello\n", b""))
        self.assertEqual(outcome.exit_code, 0)

    def test_exit_code_and_traceback(self) -> None:
        self.assertEqual(self.zygote.run("raise SystemExit(7)").exit_code, 7)
        outcome = self.zygote.run("x = 1\nx.nothing\n")
        self.assertEqual(outcome.exit_code, 1)
        self.assertIn(b'File "/work/main.py", line 2, in <module>', outcome.stderr)
        self.assertIn(b"AttributeError", outcome.stderr)

    def test_no_file_of_the_host_can_be_opened(self) -> None:
        outcome = self.zygote.run("open('/etc/passwd')")
        self.assertEqual(outcome.exit_code, 1)
        self.assertNotIn(b"root:", outcome.stdout)

    def test_memory_is_limited_where_the_runtime_can(self) -> None:
        if "{memory_bytes}" not in wasi.RUNTIME_ARGS:
            self.skipTest("RETORT_WASI_RUNTIME_ARGS passes no limit")
        outcome = self.zygote.run("try:\n    x = bytearray(90 << 20)\nexcept MemoryError: print('M')",
                                  memory_mb=64)  # fmt: skip
        self.assertEqual((outcome.stdout, outcome.exit_code), (b"M\n", 0))

    def test_a_busy_loop_ends_at_its_cpu_limit(self) -> None:
        outcome = self.zygote.run("while True: pass", cpu_ms=3000)
        self.assertEqual(outcome.signal, signal.SIGXCPU)

    def test_a_killed_job_leaves_nothing(self) -> None:
        job = self.zygote.fork()
        job.go("print('on', flush=True)\nwhile True: pass")
        deadline = time.monotonic() + 60
        while job.memory.output(0) != b"on\n":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        job.kill()
        self.assertEqual(job.finish().signal, signal.SIGKILL)

    def test_large_output_is_bounded(self) -> None:
        outcome = self.zygote.run("print('x' * 5000000)", output_bytes=1000)
        self.assertEqual((len(outcome.stdout), outcome.written[0]), (1000, 5000001))
        self.assertEqual(outcome.exit_code, 0)


if __name__ == "__main__":
    unittest.main()
