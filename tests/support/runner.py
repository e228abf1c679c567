"""Runs unittest modules: a bounded time for each test, counts at the end.

    runner.py [--name integration] [--match WORD] tests/integration/test_*.py

With SKIP_IS_FAIL=1 a skip is a failure, unless its reason begins with "this machine cannot": what a
test found out by trying.

A test that does not end in time is a failure: all threads' stacks are printed and the test gets an
exception. Should that not end it, the whole run is ended.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

TEST_TIMEOUT_S = 120
HARD_MARGIN_S = 30


# How the reason of a skip begins that is counted, and is no failure where skips are failures.
CANNOT = "this machine cannot"


class TestTimeout(Exception):
    """A test took longer than TEST_TIMEOUT_S (or its own `timeout_s`)."""


class Result(unittest.TextTestResult):
    """Prints a line a test and keeps the counts that unittest does not: one for each test."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.passed = 0
        self.began = 0.0

    def startTest(self, test: unittest.TestCase) -> None:
        limit = getattr(test, "timeout_s", TEST_TIMEOUT_S)
        signal.signal(signal.SIGALRM, self.on_alarm)
        signal.alarm(limit)
        faulthandler.dump_traceback_later(limit + HARD_MARGIN_S, exit=True)
        self.began = time.monotonic()
        super().startTest(test)

    @staticmethod
    def on_alarm(_number: int, _frame: object) -> None:
        faulthandler.dump_traceback(all_threads=True)
        raise TestTimeout("the test took too long")

    def stopTest(self, test: unittest.TestCase) -> None:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.passed += 1
        super().addSuccess(test)

    def getDescription(self, test: unittest.TestCase) -> str:
        return f"  {test.id()}"


def load(path: str) -> unittest.TestSuite:
    source = pathlib.Path(path).resolve()
    sys.path.insert(0, str(source.parent))
    specification = importlib.util.spec_from_file_location(source.stem, source)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[source.stem] = module
    specification.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def select(suite: unittest.TestSuite, word: str) -> unittest.TestSuite:
    chosen = unittest.TestSuite()
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            chosen.addTest(select(entry, word))
        elif word in entry.id():
            chosen.addTest(entry)
    return chosen


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="integration")
    parser.add_argument("--match", default="")
    parser.add_argument("modules", nargs="+")
    arguments = parser.parse_args()

    suite = unittest.TestSuite(load(path) for path in arguments.modules)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(
        select(suite, arguments.match))
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    avoidable = [reason for _test, reason in result.skipped if not reason.startswith(CANNOT)]
    print(f"{arguments.name}: {result.passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or (avoidable and os.environ.get("SKIP_IS_FAIL") == "1") else 0


if __name__ == "__main__":
    sys.exit(main())
