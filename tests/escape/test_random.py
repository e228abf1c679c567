"""Allowed calls with random arguments: what they do is done to the job alone."""

from __future__ import annotations

import random

from escape import ALL_ONES, LONG, EscapeTest, call, table

SEED = 20240301
ROUNDS = 3000 if LONG else 90
CALLS = 25
ENDING = ("exit_group", "rt_sigreturn")
# Much of it would only wait.
WAITING = ("read", "clock_nanosleep")


class RandomCalls(EscapeTest):
    def argument(self, generator: random.Random) -> int | str:
        return generator.choice((
            "b", "b+8", "h", "h+4096", "c", "s", 0, 1, 2, 8, 4096, ALL_ONES, 1 << 63, 0x10000,
            0x40000000, generator.getrandbits(64), generator.getrandbits(32),
            generator.getrandbits(12)))

    def script(self, generator: random.Random) -> str:
        lines = "b = buffer 65536\nh = header\nc = where 2\nc = page c\ns = where 3\ns = page s\n"
        rules = [rule for rule in table()["rules"] if rule["name"] not in ENDING]
        for _ in range(CALLS):
            rule = generator.choice(rules)
            if rule["name"] in WAITING and generator.randrange(8):
                continue
            arguments = [self.argument(generator) for _ in range(6)]
            for check in rule["checks"]:
                free = generator.getrandbits(64) & ~check["mask"] & ALL_ONES
                arguments[check["argument"]] = check["value"] | free
            lines += call(rule["number"], *arguments)
        return lines

    def test_they_hurt_nobody_else(self) -> None:
        generator = random.Random(SEED)
        scripts = [(str(turn), self.script(generator)) for turn in range(ROUNDS)]
        for name, outcome in self.attack_all(scripts, timeout_ms=100):
            with self.subTest(name):
                # Whatever it did to itself; the form of the answer has been looked at.
                self.assertTrue(outcome.status == 200 or outcome.error == "sandbox_error", outcome)
