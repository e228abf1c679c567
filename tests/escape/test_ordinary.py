"""The same where all parts are run by an ordinary user: nothing depends on having been root."""

from __future__ import annotations

import os
import unittest

import test_attacks
import test_calls
import test_forging
import test_memory
from escape import EscapeTest, OrdinaryService

as_ordinary_user = unittest.skipUnless(os.geteuid() == 0,
                                       "who runs the tests is an ordinary user already")


@as_ordinary_user
class OrdinaryNumbers(EscapeTest):
    service_class = OrdinaryService
    test_every_call_outside_the_table_kills_and_is_named = \
        test_calls.Numbers.test_every_call_outside_the_table_kills_and_is_named


@as_ordinary_user
class OrdinaryFirst(test_attacks.First):
    service_class = OrdinaryService


@as_ordinary_user
class OrdinaryOthers(test_attacks.Others):
    service_class = OrdinaryService


@as_ordinary_user
class OrdinaryBounds(test_memory.Bounds):
    service_class = OrdinaryService


@as_ordinary_user
class OrdinaryHeader(test_forging.Header):
    service_class = OrdinaryService

    def test_every_word_of_the_header(self) -> None:
        """Root's run has tried them."""
