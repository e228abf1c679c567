"""The filter from inside: every row of its table, every call outside of it, every way to call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from escape import (ALL_ONES, REFUSED, EscapeTest, Outcome, call, numbers, table)

# Beyond the last call of any kernel that this was tried on.
NUMBER_END = 600
NUMBER_END_32 = 480
X32 = 0x40000000
# The kernel's own trampolines, which it lets past every filter by design: called by anything else
# they do nothing (ENXIO, ENOSYS), or kill.
PROBES = {"uretprobe": 335, "uprobe": 336}
# Rows whose calls do not return.
ENDS = {"exit_group": "ended with code 255 before the program did", "rt_sigreturn": "signal 11"}


def allowed(number: int, arguments: list[int]) -> bool:
    """What the table says, independently of what was compiled from it."""
    return any(rule["number"] == number and
               all(arguments[check["argument"]] & check["mask"] == check["value"]
                   for check in rule["checks"])
               for rule in table()["rules"])


def call_of(rule: dict[str, Any]) -> list[int]:
    """Arguments that the row allows; what it does not check is invalid, so that nothing happens."""
    arguments = [ALL_ONES] * 6
    for check in rule["checks"]:
        arguments[check["argument"]] = check["value"]
    return arguments


def outside() -> list[int]:
    inside = {rule["number"] for rule in table()["rules"]} | set(PROBES.values())
    return [number for number in range(NUMBER_END) if number not in inside]


class Rows(EscapeTest):
    def test_what_a_row_allows_does_not_kill(self) -> None:
        rules = table()["rules"]
        scripts = [(rule["name"], call(rule["number"], *call_of(rule))) for rule in rules]
        for name, outcome in self.attack_all(scripts):
            with self.subTest(name):
                if name in ENDS:
                    self.assertIn(ENDS[name], outcome.detail)
                else:
                    self.assertEqual(outcome.verdict, "exited", outcome)
                    self.assertLessEqual(outcome.results[0], 0)

    def broken(self) -> Iterator[tuple[str, str]]:
        """Each row with one bit of one checked argument changed."""
        for rule in table()["rules"]:
            for check in rule["checks"]:
                for bit in range(64):
                    arguments = call_of(rule)
                    arguments[check["argument"]] ^= 1 << bit
                    if not allowed(rule["number"], arguments):
                        yield rule["name"], call(rule["number"], *arguments)

    def test_an_argument_that_breaks_a_check_kills(self) -> None:
        tried = 0
        for name, outcome in self.attack_all(self.broken()):
            tried += 1
            with self.subTest(name):
                self.assert_refused(outcome, name)
        self.assertGreater(tried, 64)


class Numbers(EscapeTest):
    def assert_none_lives(self, scripts: list[tuple[str, str]], signals: bool = False) -> None:
        """signals: where there is no such interface, the instruction itself kills."""
        for name, outcome in self.attack_all(scripts):
            with self.subTest(name):
                self.assertTrue(outcome.refused or (signals and outcome.crashed), outcome)
                self.assertEqual(outcome.stdout, "")

    def test_every_call_outside_the_table_kills_and_is_named(self) -> None:
        """By the name that this machine's headers have for it, if they know it."""
        names = {number: name for name, number in numbers().items()}
        scripts = [(str(number), call(number)) for number in outside()]
        for number, outcome in self.attack_all(scripts):
            with self.subTest(number):
                self.assert_refused(outcome)
                self.assertIn(": " + names.get(int(number), ""), outcome.detail)

    def test_calls_of_the_x32_interface_kill(self) -> None:
        self.assert_none_lives([(str(number), call(X32 | number)) for number in range(NUMBER_END)])

    def test_the_upper_half_of_a_number_changes_nothing(self) -> None:
        for upper in (1 << 32, 0xffffffff << 32, 1 << 63):
            self.assert_none_lives([(str(number), call(upper | number))
                                    for number in outside()[::7]])

    def test_numbers_that_no_kernel_has_kill(self) -> None:
        odd = [NUMBER_END, 1000, 0xffff, 0x10000, 0x3fffffff, 0x7fffffff, 0x80000000, 0xbfffffff,
               0xfffffffe, 0xffffffff, ALL_ONES, ALL_ONES - 1, 1 << 31, (1 << 62) + 257]
        self.assert_none_lives([(hex(number), call(number)) for number in odd])

    def test_calls_of_the_32_bit_interface_kill(self) -> None:
        self.assert_none_lives([(str(number), f"r = call32 {number}\nsay r\n")
                                for number in range(NUMBER_END_32)], signals=True)

    def assert_harmless(self, outcome: Outcome) -> None:
        self.assertTrue(outcome.refused or outcome.crashed or
                        (outcome.verdict == "exited" and outcome.results[0] < 0), outcome)

    def test_the_probes_trampolines_do_nothing(self) -> None:
        for name, outcome in self.attack_all([(name, call(number))
                                              for name, number in PROBES.items()]):
            with self.subTest(name):
                self.assert_harmless(outcome)

    def test_calls_through_the_vsyscall_page_kill(self) -> None:
        page = 0xffffffffff600000
        for offset in (0, 0x400, 0x800):
            with self.subTest(hex(offset)):
                outcome = self.attack(f"b = buffer 4096\nr = jump {page + offset} b\nsay r\n")
                self.assertTrue(outcome.crashed or outcome.detail.startswith(REFUSED), outcome)
