"""The memory shared with the worker: whatever is written there, the worker answers with a bounded,
well-formed result of this job, whose facts are the kernel's.

check_answer() looks at the form of every answer; here it is looked at what it says.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator

from escape import (ALL_ONES, BUILD, HARMLESS, HARMLESS_OUTPUT, IMAGE, LONG, OUTPUT_CAP, EscapeTest,
                    Outcome, call, offset, quiet)

NOTE_NONE, NOTE_EXITED, NOTE_TRAP, NOTE_HOST_FAILURE = range(4)
# How a job ends after it has forged: name, script.
ENDS = {"exits": "exit 3\n", "leaves": quiet("exit_group", 3), "traps": "trap\n",
        "faults": "put 8 8 1\n", "calls": call("socket", 2, 1, 0)}
SEED = 20240229
ROUNDS = 2000 if LONG else 60


class Header(EscapeTest):
    def assert_facts(self, end: str, outcome: Outcome) -> None:
        """The worker never says of an end what the kernel has not said."""
        if end == "calls":
            self.assert_refused(outcome)
        elif end in ("traps", "faults"):
            self.assertTrue(outcome.crashed, outcome)
        elif outcome.status == 200:
            self.assertIn(outcome.verdict, ("exited", "memory_limit"))
            self.assertEqual(outcome.body["exit_code"], 3)

    def forge_all(self, forgeries: Iterator[tuple[str, str]]) -> None:
        """Each with each end, and every so often a harmless job beside them."""
        scripts = [(f"{end}: {name}", f"h = header\n{forgery}{ENDS[end]}")
                   for name, forgery in forgeries for end in ENDS]
        beside = [("harmless", HARMLESS)] * (len(scripts) // 10 + 1)
        for name, outcome in self.attack_all(scripts + beside):
            with self.subTest(name):
                if name == "harmless":
                    self.assertEqual(outcome.stdout, HARMLESS_OUTPUT)
                else:
                    self.assert_facts(name.split(":")[0], outcome)

    def test_every_word_of_the_header(self) -> None:
        """All of its fields, by being all of its words."""
        self.forge_all((f"word at {at} = {value:#x}", f"put h+{at} 8 {value}\n")
                       for at in range(0, offset("end"), 8)
                       for value in (0, ALL_ONES, 0x8000000000000001))

    def test_the_whole_header(self) -> None:
        self.forge_all((f"all {byte:#x}", f"fill h 4096 {byte}\n")
                       for byte in (0, 1, 2, 3, 0x22, 0x41, 0x5c, 0x80, 0xc3, 0xff))

    def test_the_whole_memory(self) -> None:
        self.forge_all((f"all {byte:#x}",
                        f"t = get h+{offset('total_bytes')} 8\nfill h t {byte}\n")
                       for byte in (0, 0x22, 0xff))

    def test_every_note_with_every_end(self) -> None:
        self.forge_all((f"note {note}, trap {trap}",
                        f"put h+{offset('note')} 4 {note}\nput h+{offset('note') + 4} 4 {trap}\n")
                       for note in (*range(6), 0x7fffffff, 0xffffffff)
                       for trap in (0, 1, 1000, 0x80000000))

    def test_any_number_as_the_call_that_was_refused(self) -> None:
        for number in (0, 1, 60, 1000, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff):
            with self.subTest(hex(number)):
                outcome = self.attack(
                    "b = buffer 8\nput b 8 -1\n" + quiet("rt_sigprocmask", 2, "b", 0, 8) +
                    f"h = header\nput h+{offset('denied_call')} 4 {number}\n{ENDS['calls']}")
                self.assert_refused(outcome)

    def text(self, content: bytes) -> str:
        words = "".join(f"put h+{offset('text') + at} 1 {byte}\n"
                        for at, byte in enumerate(content))
        return (f"h = header\nput h+{offset('note')} 4 {NOTE_HOST_FAILURE}\n{words}" +
                quiet("exit_group", 125))

    def test_a_sentence_that_is_none(self) -> None:
        """Never ended, not UTF-8, with quotes, ends of lines, escapes of terminals."""
        for content in (b"\xff" * 256, b"A" * 256, b'"}\n{"level":"error"}\n', b"\x1b[2J\x1b[31m",
                        b"%s%n%x" * 10, b"\xe2\x82", b"\xed\xa0\x80", b"\0", b"\r\n" * 128,
                        bytes(range(1, 256)), "\u202e\ufeff".encode() * 40):
            with self.subTest(content[:16]):
                outcome = self.attack(self.text(content))
                self.assertEqual(outcome.error, "sandbox_error", outcome)
                self.assertTrue(outcome.detail.isascii() and outcome.detail.isprintable(), outcome)

    def test_random_headers(self) -> None:
        generator = random.Random(SEED)

        def forgeries() -> Iterator[tuple[str, str]]:
            for turn in range(ROUNDS):
                words = generator.randrange(1, 12)
                yield str(turn), "".join(
                    f"put h+{generator.randrange(offset('end'))} {generator.choice((1, 2, 4, 8))} "
                    f"{generator.choice((0, 1, ALL_ONES, generator.getrandbits(64)))}\n"
                    for _ in range(words))
        self.forge_all(forgeries())

    def test_input_rewritten_under_the_running_program(self) -> None:
        """Its own program and its own standard input lie there."""
        outcome = self.attack(
            f"h = header\na = get h+{offset('input_offset')} 8\nfill h+a 65536 0xff\nsay 7\n",
            stdin="x" * 1000)
        self.assert_results(outcome, 7)


class WhileItIsRead(EscapeTest):
    """retort-run copies what a program prints while it runs."""

    def test_counters_that_change_all_the_time(self) -> None:
        for other in (0, OUTPUT_CAP, 1 << 40, ALL_ONES):
            with self.subTest(other):
                script = self.service.directory / "flip"
                script.write_text(f"h = header\nflip h+{offset('output')} 8 {other} 1 3000000\n"
                                  f"put h+{offset('output')} 8 1\n")
                done = subprocess.run(
                    [BUILD / "retort-run", "--image", IMAGE, "--max-output-bytes", str(OUTPUT_CAP),
                     script], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
                self.assertEqual(done.returncode, 0, done)
                self.assertLessEqual(len(done.stdout), OUTPUT_CAP)
