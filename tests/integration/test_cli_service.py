"""The fallback engine from HTTP to a real WASI runtime: the contract is that of the image."""

from __future__ import annotations

import os
import pathlib

import wasi
from service import ServiceTest, native


class CliService(ServiceTest):
    settings = {
        "IMAGE": "",
        "SLOTS": "2",
        "PYTHON_WASM_PATH": str(wasi.WASM),
        "PYTHON_WASM_RUNTIME": str(wasi.RUNTIME),
        "PYTHON_WASM_RUNTIME_ARGS": wasi.RUNTIME_ARGS,
        "MAX_OUTPUT_BYTES": "1000",
        "CPU_TIME_LIMIT_SEC": "1",
        "MAX_EXEC_TIMEOUT_MS": "30000",  # far from a second of CPU time, on a busy machine too
    }

    @classmethod
    def setUpClass(cls) -> None:
        wasi.prepare()
        # An image of the same module would be chosen instead: append a custom section to it.
        cls.module = pathlib.Path(f"/tmp/retort-test-{os.getpid()}.wasm")
        cls.module.write_bytes(wasi.WASM.read_bytes() + b"\0\2\1x")
        cls.settings = {**cls.settings, "PYTHON_WASM_PATH": str(cls.module)}
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.module.unlink()
        super().tearDownClass()

    def test_the_engine_is_the_fallback(self) -> None:
        engine = next(line for line in self.service.log_lines("worker")
                       if line["event"] == "engine")
        self.assertEqual((engine["engine"], engine["source"]), ("cli", str(self.module)))

    def test_program_input_output_and_exit_code(self) -> None:
        answer = self.service.execute("import sys\nprint(input() * 2, sys.platform)\n"
                                      "print('e', file=sys.stderr)\nsys.exit(3)", stdin="ab\n")
        self.assertEqual((answer.stdout, answer.stderr), ("abab wasi\n", "e\n"))
        self.assertEqual((answer.exit_code, answer.verdict), (3, "exited"))

    def test_files_are_refused_rather_than_left_out(self) -> None:
        response = self.service.post({"code": "1", "files": [{"name": "a", "content": ""}]})
        self.assert_error(response, 422, '"rejected"', "takes no files")
        self.assertEqual(self.service.execute("print(1)", files=[]).stdout, "1\n")

    def test_tracebacks_are_those_of_native_python(self) -> None:
        for code in ("def f(x):\n    return 1 / x\n\nf(0)\n", "x = (1 +\n", "raise ValueError('é')\n",
                     "try:\n    {}['k']\nexcept KeyError:\n    int('z')\n",
                     "print(1)\n1 / 0", "s = 'a\x0cb\x85'\n1 / 0\n", "x = 1\r\n1 / 0\r\n"):
            with self.subTest(code):
                answer = self.service.execute(code)
                self.assertEqual(answer.stderr, native(code).stderr.decode())
                self.assertEqual(answer.exit_code, 1)

    def test_wall_clock_and_cpu_limit_are_told_apart(self) -> None:
        answer = self.service.execute("import time; time.sleep(5)", timeout_ms=1000)
        self.assertEqual((answer.verdict, answer.timed_out, answer.exit_code),
                         ("timed_out", True, None))
        answer = self.service.execute("while True: pass")
        self.assertEqual((answer.verdict, answer.timed_out), ("cpu_limit", False))

    def test_output_is_cut_and_the_rest_counted(self) -> None:
        answer = self.service.execute("print('x' * 1500)")
        self.assertEqual((len(answer.stdout), answer.stdout_dropped_bytes), (1000, 501))

    def test_a_program_of_the_size_limit_goes_through(self) -> None:
        code = "print(1)\n" + "#" * (262144 - 9)
        self.assertEqual(self.service.execute(code, stdin="x" * 1048576).stdout, "1\n")
        self.assertEqual(self.service.post({"code": code + "#"}).status, 413)

    def test_nothing_of_the_host_is_there(self) -> None:
        answer = self.service.execute("import os\nprint(sorted(os.environ))\n"
                                      "print(os.path.exists('/etc/hostname'))")
        self.assertEqual(answer.stdout, "[]\nFalse\n")
