"""The same where all parts are run by an ordinary user: nothing depends on having been root."""

from __future__ import annotations

import os
import unittest

import test_attacks
import test_calls
import test_forging
import test_memory
from escape import EscapeTest, OrdinaryService


def load_tests(_loader: unittest.TestLoader, tests: unittest.TestSuite,
               _pattern: str | None) -> unittest.TestSuite:
    """None, where an ordinary user runs all tests."""
    return tests if os.geteuid() == 0 else unittest.TestSuite()


class OrdinaryNumbers(EscapeTest):
    service_class = OrdinaryService
    test_every_call_outside_the_table_kills_and_is_named = \
        test_calls.Numbers.test_every_call_outside_the_table_kills_and_is_named


class OrdinaryFirst(test_attacks.First):
    service_class = OrdinaryService


class OrdinaryOthers(test_attacks.Others):
    service_class = OrdinaryService


class OrdinaryBounds(test_memory.Bounds):
    service_class = OrdinaryService


class OrdinaryHeader(test_forging.Header):
    service_class = OrdinaryService

    def test_every_word_of_the_header(self) -> None:
        """Root's run has tried them."""
