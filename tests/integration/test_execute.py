"""POST /v1/execute: what programs print and how they end."""

from __future__ import annotations

import pathlib
import re
import unittest

from service import ServiceTest, native, wait_until

ADDRESS = re.compile(r"0x[0-9a-f]+")


class Programs(ServiceTest):
    def test_a_program_prints(self) -> None:
        answer = self.service.execute("print(1+1)")
        self.assertEqual(answer.stdout, "2\n")
        self.assertEqual(answer.stderr, "")
        self.assertEqual(answer.exit_code, 0)
        self.assertIs(answer.timed_out, False)
        self.assertEqual(answer.verdict, "exited")
        self.assertIsInstance(answer.duration_ms, int)

    def test_every_member_of_the_contract_has_its_type(self) -> None:
        answer = self.service.execute("pass")
        for name, kind in {"stdout": str, "stderr": str, "exit_code": int, "timed_out": bool,
                           "duration_ms": int, "verdict": str, "stdout_truncated": bool,
                           "stderr_truncated": bool, "stdout_dropped_bytes": int,
                           "stderr_dropped_bytes": int, "cpu_ms": float, "queue_ms": float,
                           "memory_peak_bytes": int}.items():
            self.assertIs(type(answer[name]), kind, name)

    def test_empty_program_prints_nothing(self) -> None:
        answer = self.service.execute("")
        self.assertEqual((answer.stdout, answer.stderr, answer.exit_code), ("", "", 0))

    def test_standard_input_is_piped_in(self) -> None:
        answer = self.service.execute("import sys; print(sys.stdin.read()[::-1])", stdin="abc")
        self.assertEqual(answer.stdout, "cba\n")

    def test_input_reads_lines_and_then_meets_the_end(self) -> None:
        code = "print(input('? ')); print(input())\ntry: input()\nexcept EOFError: print('end')"
        self.assertEqual(self.service.execute(code, stdin="one\ntwo").stdout, "? one\ntwo\nend\n")

    def test_missing_stdin_is_an_empty_one(self) -> None:
        for members in ({}, {"stdin": None}, {"stdin": ""}):
            answer = self.service.execute("import sys; print(repr(sys.stdin.read()))", **members)
            self.assertEqual(answer.stdout, "''\n", members)

    def test_unicode_passes_through_both_ways(self) -> None:
        text = "héllo wörld \U0001f600 \u4e2d\u6587 \x1b \u2028"
        answer = self.service.execute(
            f"import sys; x = {text!r}; print(x == sys.stdin.read(), x)", stdin=text)
        self.assertEqual(answer.stdout, f"True {text}\n")

    def test_timeout_ms_takes_every_valid_number(self) -> None:
        for timeout in (1000, 5000, 10**9, 10**18, 2000.0):
            self.assertEqual(self.service.execute("print(1)", timeout_ms=timeout).stdout, "1\n")

    def test_unknown_members_are_ignored(self) -> None:
        self.assertEqual(self.service.execute("print(1)", colour="red").stdout, "1\n")

    def test_exit_codes_are_those_of_native_python(self) -> None:
        for statement in ("sys.exit()", "sys.exit(0)", "sys.exit(3)", "sys.exit(255)",
                          "sys.exit(256)", "sys.exit(-1)", "sys.exit(None)", "sys.exit('text')",
                          "sys.exit(2.5)", "sys.exit([1])", "sys.exit(True)", "sys.exit(10**30)",
                          "raise SystemExit(7)", "exit(4)", "quit()", "1/0",
                          "import os; os._exit(9)", "raise KeyboardInterrupt"):
            with self.subTest(statement):
                code = f"import sys\nprint('before')\n{statement}\n"
                expected = native(code)
                answer = self.service.execute(code)
                status = expected.returncode
                if status < 0:  # native python ends by SIGINT; a guest has no signals
                    status = 128 - status
                self.assertEqual(answer.exit_code, status)
                self.assertEqual(answer.stdout, expected.stdout.decode())
                self.assertEqual(answer.stderr, expected.stderr.decode())

    def test_atexit_and_finalizers_run(self) -> None:
        code = ("import atexit, sys\n"
                "class D:\n    def __del__(self): print('del')\n"
                "d = D(); atexit.register(print, 'atexit'); sys.stdout.write('main\\n')")
        self.assertEqual(self.service.execute(code).stdout, native(code).stdout.decode())

    def test_the_program_is_main_py_in_work(self) -> None:
        code = ("import sys, os\nprint(__name__, __file__, sys.argv, os.getcwd())\n"
                "import __main__; print(__main__.__file__)\nprint(sys.flags.isolated)")
        self.assertEqual(self.service.execute(code).stdout,
                         "__main__ /work/main.py ['/work/main.py'] /work\n/work/main.py\n1\n")

    def test_a_job_sees_nothing_of_the_one_before(self) -> None:
        self.service.execute("open('/work/x', 'w').write('1'); open('/tmp/y', 'w').write('1')\n"
                             "import sys, builtins; builtins.leak = 1; sys.leak = 1")
        answer = self.service.execute("import os, sys\n"
                                      "print(sorted(os.listdir('/work')), os.listdir('/tmp'), "
                                      "hasattr(sys, 'leak'), 'leak' in dir(__builtins__))")
        self.assertEqual(answer.stdout, "['main.py', 'outputs'] [] False False\n")

    def test_job_processes_share_no_memory_with_each_other(self) -> None:
        jobs = wait_until(self.service.jobs, "a job process waits")
        try:
            maps = pathlib.Path(f"/proc/{jobs[0].pid}/maps").read_text().splitlines()
        except PermissionError:
            self.skipTest("who is not root may not look into a job process")
        shared = [line for line in maps if line.split()[1].endswith("s")]
        self.assertEqual([line for line in shared if "/memfd:retort-job " not in line], [])

    def test_nothing_of_the_host_is_there(self) -> None:
        code = ("for path in ('/etc/passwd', '/proc/self/maps', '../../etc/passwd', '/root'):\n"
                "    try: print(open(path).read(10))\n"
                "    except OSError as error: print(type(error).__name__)\n")
        self.assertEqual(self.service.execute(code).stdout, "FileNotFoundError\n" * 4)


TRACEBACKS = {
    "no newline at the end": "print(1)\n1 / 0",
    "missing file": "open('/nowhere/at/all')\n",
    "missing directory": "import os\nos.listdir('nowhere')\n",
    "odd separators": "s = 'a\x0cb\x85'\n1 / 0\n",
    "carriage returns": "x = 1\r\n1 / 0\r\n",
    "deep recursion": "def f(n):\n    return f(n + 1)\nf(0)\n",
    "an exception at the top": "x = 1\nx / 0\n",
    "through functions": "def f(a):\n    return g(a)\n\ndef g(a):\n    return a['k']['z']\n\nf({'k': 1})\n",
    "of a chain": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e\n",
    "during handling": "try:\n    {}['a']\nexcept KeyError:\n    undefined\n",
    "a syntax error": "def f(:\n    pass\n",
    "an indentation error": "def f():\npass\n",
    "an unclosed bracket": "print((1, 2)\nx = 3\n",
    "an unterminated string": "x = 'abc\n",
    "a suggestion": "class A:\n    name = 1\nA().nmae\n",
    "a missing import": "import no_such_module\n",
    "an assertion": "assert 1 == 2, 'numbers'\n",
    "from the standard library": "import json\njson.loads('{')\n",
    "a recursion": "def f(n):\n    return f(n + 1)\nf(0)\n",
    "an exception group": "raise ExceptionGroup('g', [ValueError(1), TypeError('x')])\n",
    "unicode source": "s = 'äöü😀' + 1  # comment\n",
    "many columns": "a = [1, 2]\nb = a[0] + a[1] + a[5] + (a[0] * 3)\n",
    "compiled code": "exec(compile('1/0', '<generated>', 'exec'))\n",
    "a note": "e = ValueError('v')\ne.add_note('remember')\nraise e\n",
    "a lambda and a comprehension": "print([(lambda v: 1 / v)(i) for i in (1, 0)])\n",
    "a warning": "import warnings\nwarnings.warn('careful')\n",
    "an unraisable one": "class D:\n    def __del__(self):\n        1 / 0\nd = D()\ndel d\n",
    "no newline at the end": "raise RuntimeError('end')",
    "a null byte in a string": "print('a\\0b'); 1/0",
    "windows line ends": "x = 1\r\nx / 0\r\n",
    "a declared encoding": "# -*- coding: latin-1 -*-\nraise ValueError('x')\n",
}


class Tracebacks(ServiceTest):
    def test_tracebacks_are_those_of_native_python(self) -> None:
        for name, code in TRACEBACKS.items():
            with self.subTest(name):
                expected = native(code)
                answer = self.service.execute(code)
                self.assertEqual(ADDRESS.sub("0x", answer.stderr),
                                 ADDRESS.sub("0x", self.guest_paths(expected.stderr.decode())))
                self.assertEqual(answer.exit_code, expected.returncode)
                self.assertEqual(answer.stdout, expected.stdout.decode())

    def guest_paths(self, text: str) -> str:
        """The standard library stands where the guest says that it stands."""
        library = self.service.execute("import json; print(json.__file__[:-17])").stdout.strip()
        return text.replace("/usr/lib/python3.11", library)


if __name__ == "__main__":
    unittest.main()
