"""Limits of one request: lowered, never raised; each at its value, one below, one above."""

from __future__ import annotations

import time
import unittest

from service import SANITIZED, ServiceTest

WORK_BYTES = 1 << 20
WORK_FILES = 50
PAGE = 65536

# Fills /work/f by writes of `step` bytes; prints what fitted and the errno.
FILL = """
import os
fd = os.open('/work/f', os.O_CREAT | os.O_WRONLY)
done = 0
try:
    while True:
        done += os.write(fd, b'x' * {step})
except OSError as error:
    print(done, error.errno, os.stat('/work/f').st_size)
"""

MAKE_NAMES = """
import os
made = 0
try:
    while True:
        {make}
        made += 1
except OSError as error:
    print(made, error.errno)
"""

# Takes memory page by page until there is none, which Python can be told and go on.
TAKE_ALL = """
held = []
try:
    while True:
        held.append(bytearray(50000))
except MemoryError:
    count = len(held)
    del held
    print(count)
"""


class RequestLimits(ServiceTest):
    settings = {"MAX_EXEC_TIMEOUT_MS": "10000", "CPU_TIME_LIMIT_SEC": "5", "MEMORY_LIMIT_MB": "128",
                "MAX_OUTPUT_BYTES": "1000", "MAX_WORK_BYTES": str(WORK_BYTES),
                "MAX_WORK_FILES": str(WORK_FILES)}

    def work_bytes(self, **limits: int) -> int:
        for step in (1000, 4096, 65537):
            text = self.service.execute(FILL.format(step=step), limits=limits).stdout
            done, errno, size = map(int, text.split())
            self.assertEqual((errno, size), (28, done))
        return done

    def test_bytes_in_files_are_exact(self) -> None:
        self.assertEqual(self.work_bytes(), WORK_BYTES)
        for asked in (1, 4095, 4096, 4097, WORK_BYTES - 1, WORK_BYTES, WORK_BYTES + 1):
            self.assertEqual(self.work_bytes(work_bytes=asked), min(asked, WORK_BYTES))

    def test_python_sees_a_full_disk_as_an_oserror(self) -> None:
        answer = self.service.execute(
            "import errno\n"
            "for size in (99, 100, 101):\n"
            "    try:\n"
            "        with open('/tmp/f', 'wb') as f: f.write(bytes(size))\n"
            "        print('written')\n"
            "    except OSError as error: print(errno.errorcode[error.errno], error)\n",
            limits={"work_bytes": 100})
        self.assertEqual(answer.stdout, "written\nwritten\n"
                                        "ENOSPC [Errno 28] No space left on device\n")

    def test_names_are_exact_whatever_they_name(self) -> None:
        for make in ("open(f'/work/{made}', 'x').close()", "os.mkdir(f'/tmp/{made}')",
                     "os.symlink('x', f'/work/{made}')",
                     "os.link('/work/main.py', f'/work/{made}')"):
            for asked in (1, WORK_FILES - 1, WORK_FILES, WORK_FILES + 1):
                with self.subTest(make=make, asked=asked):
                    answer = self.service.execute(MAKE_NAMES.format(make=make),
                                                  limits={"work_files": asked})
                    self.assertEqual(answer.stdout, f"{min(asked, WORK_FILES)} 28\n")

    def test_many_files_of_the_worst_size_fit(self) -> None:
        each = WORK_BYTES // WORK_FILES // 4096 * 4096 + 1
        answer = self.service.execute(
            f"for i in range({WORK_FILES}): open(f'/work/{{i}}', 'wb').write(bytes({each}))\n"
            "print('all')")
        self.assertEqual(answer.stdout, "all\n", answer.stderr)

    def test_output_is_cut_at_what_the_request_asks_for(self) -> None:
        for asked in (1, 999, 1000, 1001):
            kept = min(asked, 1000)
            for size in (kept - 1, kept, kept + 1):
                answer = self.service.execute(
                    f"import sys\nfor f in (sys.stdout, sys.stderr): f.write('x' * {size})",
                    limits={"output_bytes": asked})
                self.assertEqual((answer.stdout, answer.stderr), ("x" * min(size, kept),) * 2)
                self.assertEqual(answer.stdout_dropped_bytes, max(0, size - kept))

    def test_cpu_time_is_finer_than_a_second(self) -> None:
        for cpu_ms in (50, 100, 350):
            answer = self.service.execute("while True: pass", limits={"cpu_ms": cpu_ms})
            self.assertEqual(answer.verdict, "cpu_limit")
            self.assertIn(f"{cpu_ms / 1000:.3f} s", answer.detail)
            self.assertGreaterEqual(answer.cpu_ms, cpu_ms)
            # A tick of the kernel's clock (10 ms at most), and what making the process took.
            self.assertLess(answer.cpu_ms, cpu_ms + (500 if SANITIZED else 30))

    def test_a_program_just_below_its_cpu_time_ends_by_itself(self) -> None:
        code = ("import time\nend = time.process_time() + {}\n"
                "while time.process_time() < end: pass\nprint('done')")
        answer = self.service.execute(code.format(0.2), limits={"cpu_ms": 300})
        self.assertEqual((answer.verdict, answer.stdout), ("exited", "done\n"))
        answer = self.service.execute(code.format(0.4), limits={"cpu_ms": 300})
        self.assertEqual((answer.verdict, answer.stdout), ("cpu_limit", ""))

    def test_wall_clock_of_limits_and_of_timeout_ms_are_one(self) -> None:
        for members in ({"limits": {"timeout_ms": 200}}, {"timeout_ms": 200},
                        {"timeout_ms": 9000, "limits": {"timeout_ms": 200}},
                        {"timeout_ms": 200, "limits": {"timeout_ms": 9000}}):
            began = time.monotonic()
            answer = self.service.execute("import time; time.sleep(60)", **members)
            self.assertIs(answer.timed_out, True)
            self.assertGreaterEqual(answer.exec_ms, 200)
            self.assertLess(time.monotonic() - began, 3)

    def test_memory_is_exact_to_a_page(self) -> None:
        for asked in (48, 64, 65, 127, 128, 129, 4096):
            limit = min(asked, 128) << 20
            answer = self.service.execute(TAKE_ALL, limits={"memory_mb": asked})
            self.assertEqual(answer.verdict, "exited", answer.stderr)
            self.assertLessEqual(answer.linear_memory_peak_bytes, limit)
            self.assertGreaterEqual(answer.linear_memory_peak_bytes, limit - PAGE)
            self.assertGreater(int(answer.stdout) * 50000, limit - (40 << 20))

    def test_a_program_that_dies_of_want_of_memory_is_told_so(self) -> None:
        for code in ("held = []\nwhile True: held.append(bytearray(50000))",
                     "x = bytearray(100 << 20)", "x = 'a' * 10**9"):
            answer = self.service.execute(code, limits={"memory_mb": 64})
            self.assertEqual(answer.verdict, "memory_limit")
            self.assertLessEqual(answer.linear_memory_peak_bytes, 64 << 20)

    def test_the_peak_is_told_however_the_program_ends(self) -> None:
        hold = "x = bytearray(30 << 20)\n"
        for end in ("", "while True: pass", "import os; os._exit(3)", "1/0"):
            answer = self.service.execute(hold + end, timeout_ms=1000)
            self.assertGreater(answer.linear_memory_peak_bytes, 30 << 20)
            self.assertLess(answer.linear_memory_peak_bytes, 70 << 20)

    def test_what_is_no_limit_is_refused(self) -> None:
        for limits in ({"cpu_ms": 0}, {"cpu_ms": -1}, {"cpu_ms": 0.5}, {"cpu_ms": 1e300},
                       {"cpu_ms": "1"}, {"cpu_ms": None}, {"cpu_seconds": 1}, {"memory_mb": 1},
                       [], "x", 3):
            with self.subTest(limits=limits):
                response = self.service.post({"code": "1", "limits": limits})
                self.assert_error(response, 422, '"loc":["body","limits"')


if __name__ == "__main__":
    unittest.main()
