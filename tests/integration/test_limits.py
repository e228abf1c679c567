"""Limits: time, CPU, memory, output, sizes; each below, at and above."""

from __future__ import annotations

import time
import unittest

from service import SANITIZED, ServiceTest

CAP = 10000


class Times(ServiceTest):
    settings = {"MAX_EXEC_TIMEOUT_MS": "4000", "CPU_TIME_LIMIT_SEC": "1"}

    def assert_timed_out(self, code: str, timeout_ms: int) -> None:
        began = time.monotonic()
        answer = self.service.execute(code, timeout_ms=timeout_ms)
        took_ms = (time.monotonic() - began) * 1000
        self.assertEqual((answer.verdict, answer.timed_out, answer.exit_code),
                         ("timed_out", True, None))
        self.assertEqual(answer.stdout, "before\n")
        self.assertGreaterEqual(answer.duration_ms, timeout_ms)
        self.assertLess(took_ms, timeout_ms + 1000)

    def test_a_busy_program_is_stopped_at_its_timeout(self) -> None:
        self.assert_timed_out("print('before', flush=True)\nwhile True: pass", 300)

    def test_a_sleeping_program_is_stopped_at_its_timeout(self) -> None:
        self.assert_timed_out("import time; print('before', flush=True); time.sleep(60)", 300)

    def test_a_program_that_catches_everything_is_stopped(self) -> None:
        self.assert_timed_out("print('before', flush=True)\nwhile True:\n"
                              "    try:\n        while True: pass\n    except BaseException: pass",
                              300)

    def test_a_program_shorter_than_its_timeout_ends_by_itself(self) -> None:
        answer = self.service.execute("import time; time.sleep(0.2); print(1)", timeout_ms=2000)
        self.assertEqual((answer.verdict, answer.stdout), ("exited", "1\n"))
        self.assertGreaterEqual(answer.duration_ms, 200)

    def test_a_larger_timeout_is_capped(self) -> None:
        began = time.monotonic()
        answer = self.service.execute("import time; time.sleep(60)", timeout_ms=3600000)
        self.assertIs(answer.timed_out, True)
        self.assertLess(time.monotonic() - began, 6)

    def test_cpu_time_is_limited_apart_from_wall_time(self) -> None:
        answer = self.service.execute("print('before', flush=True)\nwhile True: pass")
        self.assertEqual((answer.verdict, answer.timed_out, answer.exit_code, answer.stdout),
                         ("cpu_limit", False, None, "before\n"))
        self.assertGreaterEqual(answer.cpu_ms, 900)
        self.assertLess(answer.cpu_ms, 2000)

    def test_sleeping_takes_no_cpu_time(self) -> None:
        answer = self.service.execute("import time; time.sleep(1.5); print(1)")
        self.assertEqual((answer.verdict, answer.stdout), ("exited", "1\n"))
        self.assertLess(answer.cpu_ms, 500)


class Memory(ServiceTest):
    settings = {"MEMORY_LIMIT_MB": "96"}

    def test_too_much_memory_is_a_memory_error_in_the_program(self) -> None:
        answer = self.service.execute(
            "try:\n    x = bytearray(200 << 20)\nexcept MemoryError:\n    print('refused')")
        self.assertEqual((answer.verdict, answer.stdout, answer.exit_code),
                         ("exited", "refused\n", 0))

    def test_a_program_that_dies_of_it_says_so(self) -> None:
        answer = self.service.execute("x = []\nwhile True: x.append(bytearray(1 << 20))")
        self.assertEqual(answer.verdict, "memory_limit")
        self.assertIn("MemoryError", answer.stderr)

    def test_memory_within_the_limit_is_granted(self) -> None:
        answer = self.service.execute("x = bytearray(40 << 20); x[-1] = 1; print(len(x))")
        self.assertEqual((answer.verdict, answer.stdout), ("exited", f"{40 << 20}\n"))

    def test_deep_recursion_ends_in_an_exception_or_a_clean_crash(self) -> None:
        answer = self.service.execute("import sys; sys.setrecursionlimit(10**6)\n"
                                      "def f(): f()\nf()")
        self.assertIn(answer.verdict, ("crashed", "memory_limit", "exited"))
        self.assertNotEqual(answer.exit_code, 0)
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")

    def test_files_are_limited_too(self) -> None:
        answer = self.service.execute(
            "try:\n    with open('/work/big', 'wb') as f:\n"
            "        for _ in range(4096): f.write(bytes(1 << 20))\n"
            "except OSError as error: print(type(error).__name__)", timeout_ms=5000)
        self.assertEqual(answer.stdout, "OSError\n")


class Output(ServiceTest):
    settings = {"MAX_OUTPUT_BYTES": str(CAP), "CPU_TIME_LIMIT_SEC": "20",
                "MAX_EXEC_TIMEOUT_MS": "30000"}

    def test_each_stream_is_kept_up_to_the_cap(self) -> None:
        for stream, other in (("stdout", "stderr"), ("stderr", "stdout")):
            for size in (0, 1, CAP - 1, CAP, CAP + 1, 2 * CAP):
                with self.subTest(stream=stream, size=size):
                    answer = self.service.execute(
                        f"import sys; sys.{stream}.write('x' * {size}); sys.{other}.write('o')")
                    self.assertEqual(answer[stream], "x" * min(size, CAP))
                    self.assertEqual(answer[other], "o")
                    self.assertEqual(answer[stream + "_dropped_bytes"], max(0, size - CAP))
                    self.assertIs(answer[stream + "_truncated"], size > CAP)
                    self.assertIs(answer[other + "_truncated"], False)
                    self.assertEqual((answer.exit_code, answer.verdict), (0, "exited"))

    def test_a_cut_never_splits_a_character(self) -> None:
        for character in ("é", "中", "\U0001f600"):
            width = len(character.encode())
            for before in range(width + 1):
                with self.subTest(character=character, before=before):
                    text = "x" * (CAP - before) + character + "tail"
                    answer = self.service.execute(f"print({text!r}, end='')")
                    whole = character if before >= width else ""
                    kept = "x" * (CAP - before) + whole + "tail"[:max(0, before - width)]
                    self.assertEqual(answer.stdout, kept)
                    self.assertEqual(answer.stdout_dropped_bytes,
                                     len(text.encode()) - len(kept.encode()))

    def test_a_cut_after_many_small_writes_never_splits_a_character(self) -> None:
        answer = self.service.execute(
            f"import os\nfor _ in range({CAP}): os.write(1, '中'.encode())")
        self.assertEqual(answer.stdout, "中" * (CAP // 3))
        self.assertEqual(answer.stdout_dropped_bytes, 3 * CAP - CAP // 3 * 3)

    def test_invalid_utf8_becomes_replacement_characters(self) -> None:
        for raw in (b"\xff", b"a\xc3(", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\x80\x80z", b"\xc0\xaf"):
            with self.subTest(raw):
                answer = self.service.execute(f"import os; os.write(1, {raw!r})")
                self.assertEqual(answer.stdout, raw.decode("utf-8", "replace"))
                self.assertIs(answer.stdout_truncated, False)

    def test_control_characters_and_nul_arrive(self) -> None:
        text = "".join(map(chr, range(32))) + "\x7f\"\\/"
        self.assertEqual(self.service.execute(f"print({text!r}, end='')").stdout, text)

    def test_huge_output_does_not_hang(self) -> None:
        for mib in (1, 100):
            answer = self.service.execute(
                f"import sys\nfor _ in range({mib}): sys.stdout.write('x' * (1 << 20))\n"
                "sys.stderr.write('done')", timeout_ms=30000)
            self.assertEqual(answer.stdout, "x" * CAP)
            self.assertEqual(answer.stdout_dropped_bytes, (mib << 20) - CAP)
            self.assertEqual((answer.stderr, answer.exit_code), ("done", 0))

    def test_output_before_a_kill_is_kept(self) -> None:
        answer = self.service.execute("import os\nos.write(1, b'one'); os.write(2, b'two')\n"
                                      "while True: pass", timeout_ms=300)
        self.assertEqual((answer.stdout, answer.stderr, answer.timed_out), ("one", "two", True))


# 100 MB; a tenth of it in builds that are ten times as slow.
BLOCKS = 100 if SANITIZED else 1000


class LargeOutput(ServiceTest):
    settings = {"MAX_OUTPUT_BYTES": str(BLOCKS * 100_000), "CPU_TIME_LIMIT_SEC": "60",
                "MAX_EXEC_TIMEOUT_MS": "60000"}

    def test_100_megabytes_arrive_whole(self) -> None:
        answer = self.service.execute(f"import sys\nfor i in range({BLOCKS}):\n"
                                      "    sys.stdout.write(f'{i:09d}\\n' * 10000)",
                                      timeout_ms=60000)
        self.assertEqual(len(answer.stdout), BLOCKS * 100_000)
        self.assertEqual(answer.stdout[-10:], f"{BLOCKS - 1:09d}\n")
        self.assertIs(answer.stdout_truncated, False)


class Sizes(ServiceTest):
    settings = {"MAX_CODE_BYTES": "262144", "MAX_STDIN_BYTES": "1048576"}

    @staticmethod
    def code_of(size: int) -> str:
        head = "print(len(open('/work/main.py').read()))\n#"
        return head + "x" * (size - len(head))

    def test_code_of_the_limit_runs_and_one_byte_more_does_not(self) -> None:
        for size in (262143, 262144):
            self.assertEqual(self.service.execute(self.code_of(size)).stdout, f"{size}\n")
        response = self.service.post({"code": self.code_of(262145)})
        self.assert_error(response, 413, "MAX_CODE_BYTES")

    def test_the_code_limit_counts_bytes_not_characters(self) -> None:
        code = "#" + "é" * 131072
        self.assert_error(self.service.post({"code": code}), 413, "MAX_CODE_BYTES")

    def test_stdin_of_the_limit_arrives_and_one_byte_more_does_not(self) -> None:
        code = "import sys; print(len(sys.stdin.read()))"
        for size in (1048575, 1048576):
            self.assertEqual(self.service.execute(code, stdin="x" * size).stdout, f"{size}\n")
        response = self.service.post({"code": code, "stdin": "x" * 1048577})
        self.assert_error(response, 413, "MAX_STDIN_BYTES")

    def test_a_body_past_the_limit_is_refused_at_its_head(self) -> None:
        response = self.service.post(b'{"code":"' + b"x" * 4194304 + b'"}')
        self.assert_error(response, 413, "MAX_BODY_BYTES")


if __name__ == "__main__":
    unittest.main()
