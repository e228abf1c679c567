"""Runs cmocka programs, each in a process group of its own, and adds up what they report.

A program that dies, hangs, reports nothing or prints a sanitizer's report counts as a failure.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

TIMEOUT_S = 120
TAP_LINE = re.compile(r"^(not ok|ok) \d+( - | )(.*)$", re.MULTILINE)
SANITIZER_REPORT = re.compile(r"(ERROR: \w*Sanitizer|runtime error:)")


class Outcome:
    def __init__(self, program: str) -> None:
        self.program = program
        self.passed = 0
        self.skipped = 0
        self.failures: list[str] = []
        self.output = ""
        self.seconds = 0.0


def run_program(program: str) -> Outcome:
    outcome = Outcome(program)
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="tap")
    environment.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    started = time.monotonic()
    process = subprocess.Popen([program], env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    try:
        raw, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raw, _ = process.communicate()
        outcome.failures.append(f"no end after {TIMEOUT_S} s")
    outcome.seconds = time.monotonic() - started
    outcome.output = raw.decode("utf-8", "replace")
    judge(outcome, process.returncode)
    return outcome


def judge(outcome: Outcome, status: int) -> None:
    """Counts the TAP lines; whatever the lines cannot explain is a failure of its own."""
    for word, _, title in TAP_LINE.findall(outcome.output):
        if "# SKIP" in title:  # cmocka 1.1.7 writes "not ok" before it
            outcome.skipped += 1
        elif word == "not ok":
            outcome.failures.append(title)
        else:
            outcome.passed += 1
    if SANITIZER_REPORT.search(outcome.output):
        outcome.failures.append("a sanitizer's report")
    if status != 0 and not outcome.failures:
        outcome.failures.append(f"ended with status {status}")
    if outcome.passed + outcome.skipped == 0 and not outcome.failures:
        outcome.failures.append("reported no test")


def report(outcome: Outcome, name: str) -> None:
    state = "FAIL" if outcome.failures else "ok"
    print(f"  {state:5} {name} ({outcome.passed} passed, {len(outcome.failures)} failed, "
          f"{outcome.skipped} skipped, {outcome.seconds:.1f} s)", flush=True)
    if outcome.failures:
        print("\n".join("        | " + line for line in outcome.output.splitlines()[-80:]))
        print("\n".join("        failed: " + title for title in outcome.failures), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--root", default=".")
    parser.add_argument("programs", nargs="*")
    arguments = parser.parse_args()

    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for outcome in pool.map(run_program, arguments.programs):
            report(outcome, str(pathlib.Path(outcome.program).relative_to(arguments.root)))
            passed += outcome.passed
            failed += len(outcome.failures)
            skipped += outcome.skipped
    if not arguments.programs:
        print("  FAIL  there is no such test")
        failed += 1
    print(f"unit: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or (skipped and os.environ.get("SKIP_IS_FAIL") == "1") else 0


if __name__ == "__main__":
    sys.exit(main())
