"""Runs the escape tests: a case is a test, or a subtest of one. Arguments: those of runner.py."""

from __future__ import annotations

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import runner  # noqa: E402


class Result(runner.Result):
    """Counts subtests that pass as cases."""

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase,
                   error: object) -> None:
        self.passed += error is None
        super().addSubTest(test, subtest, error)  # type: ignore[arg-type]


if __name__ == "__main__":
    runner.Result = Result  # type: ignore[misc]
    sys.exit(runner.main())
