"""The list of files that a job leaves, forged: names, sizes and counts are its own words.

check_answer() looks at what comes back by HTTP, whatever stands in the shared memory.
"""

from __future__ import annotations

import dataclasses
import pathlib
import random
import struct
import subprocess
from collections.abc import Iterator

from escape import (ALL_ONES, ARTIFACT_BYTES, ARTIFACTS, BUILD, IMAGE, LONG, EscapeTest, offset,
                    quiet)

SEED = 20240302
ROUNDS = 1000 if LONG else 60
RECORD = "<HHIQ"
TOO_MANY = 300


@dataclasses.dataclass
class Record:
    """One of them; lengths are those of what is there, unless said otherwise."""

    name: bytes
    data: bytes = b""
    kept: int = 1
    fault: int = 0
    name_bytes: int | None = None
    size: int | None = None

    def encoded(self) -> bytes:
        header = struct.pack(RECORD, self.kept, self.fault,
                             len(self.name) if self.name_bytes is None else self.name_bytes,
                             len(self.data) if self.size is None else self.size)
        text = header + self.name + (self.data if self.kept else b"")
        return text + bytes(-len(text) % 8)


def forged(records: list[Record], end: str = "exit 0\n", used: int | None = None,
           refused: int = 0, done: int = 1) -> str:
    text = b"".join(record.encoded() for record in records)
    words = "".join(f"put a+{at} 8 {int.from_bytes(text[at:at + 8], 'little')}\n"
                    for at in range(0, len(text), 8))
    return (f"h = header\na = get h+{offset('artifact_offset')} 8\na = is a+h\n{words}"
            f"put h+{offset('artifact_bytes')} 8 {len(text) if used is None else used}\n"
            f"put h+{offset('artifacts_refused')} 4 {refused}\n"
            f"put h+{offset('artifacts_done')} 4 {done}\n{end}")


NAMES = [b"../x", b"/etc/x", b"a/../../x", b"..", b".", b"", b"a//b", b"a/", b"/", b"a/./b",
         b"a\0b", b"a\nb", b"\x1b[2J", b"\xff\xfe", b"\xed\xa0\x80", b"a" * 256, b"a/" * 600,
         b"x" * 1025, b"\xe2\x82", b"con\r", b"a\x7f", b"\xc0\xae\xc0\xae/x"]


class Forged(EscapeTest):
    def test_what_is_sound_comes_back(self) -> None:
        """Otherwise the cases below prove nothing."""
        outcome = self.attack(forged([Record(b"a/b", b"content"), Record(b"c")]))
        self.assertEqual([one["name"] for one in outcome.body["artifacts"]], ["a/b", "c"])

    def test_names(self) -> None:
        scripts = [(repr(name[:40]), forged([Record(name, b"x"), Record(name, b"x", kept=0)]))
                   for name in NAMES]
        for name, outcome in self.attack_all(scripts):
            with self.subTest(name):
                self.assertEqual(outcome.body["artifacts"], [])
                self.assertEqual(outcome.body["artifacts_refused_count"], 2)

    def test_names_that_collide(self) -> None:
        for first, second in ((b"a", b"a"), (b"a", b"a/b"), (b"a/b", b"a")):
            with self.subTest(f"{first} {second}"):
                outcome = self.attack(forged([Record(first, b"1"), Record(second, b"2")]))
                self.assertEqual([one["name"] for one in outcome.body["artifacts"]],
                                 [first.decode()])

    def test_lengths_that_are_not_there(self) -> None:
        lengths = (1, 15, 16, 4096, 1 << 20, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
        sizes = (*lengths, 1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, ALL_ONES - 7, ALL_ONES)
        scripts = [(f"name {length}", forged([Record(b"a", name_bytes=length)], used=used))
                   for length in lengths for used in (24, 1 << 16, ALL_ONES)]
        scripts += [(f"size {size}, kept {kept}",
                     forged([Record(b"a", b"b", kept=kept, size=size)], used=used))
                    for size in sizes for used in (24, 1 << 16, ALL_ONES) for kept in (0, 1, 0xffff)]
        for name, outcome in self.attack_all(scripts):
            with self.subTest(name):
                self.assertEqual(outcome.verdict, "exited", outcome)

    def test_counts(self) -> None:
        many = [Record(str(number).encode()) for number in range(TOO_MANY)]
        for name, script in (("kept", forged(many)),
                             ("refused", forged([Record(b"", kept=0, fault=9)] * TOO_MANY)),
                             ("only told", forged([], refused=0xffffffff)),
                             ("each a little", forged([Record(str(n).encode(), b"x" * 1500)
                                                       for n in range(ARTIFACTS)])),
                             ("one too large", forged([Record(b"a", b"x" * (ARTIFACT_BYTES + 1))])),
                             ("used and nothing there", forged([], used=ALL_ONES))):
            with self.subTest(name):
                self.assertEqual(self.attack(script).verdict, "exited")

    def test_of_a_program_that_was_stopped_nothing_comes_back(self) -> None:
        sound = [Record(b"a", b"content")]
        outcome = self.attack(forged(sound, "s = buffer 16\nput s 8 60\n" +
                                     quiet("clock_nanosleep", 1, 0, "s", 0)), timeout_ms=300)
        self.assertEqual((outcome.verdict, outcome.body["artifacts"]), ("timed_out", []))
        self.assert_refused(self.attack(forged(sound, quiet("socket", 2, 1, 0))))
        outcome = self.attack(forged(sound, done=0))
        self.assertEqual(outcome.body["artifacts"], [])

    def random_script(self, generator: random.Random) -> str:
        records = [Record(generator.choice((b"a", b"b/c", generator.randbytes(5), *NAMES)),
                          generator.randbytes(generator.randrange(64)),
                          kept=generator.choice((0, 1, 1, 2)), fault=generator.randrange(10),
                          name_bytes=generator.choice((None, None, generator.getrandbits(32))),
                          size=generator.choice((None, None, generator.getrandbits(64))))
                   for _ in range(generator.randrange(8))]
        return forged(records, used=generator.choice((None, None, generator.getrandbits(20),
                                                      ALL_ONES)),
                      refused=generator.choice((0, 5, generator.getrandbits(32))),
                      end=generator.choice(("exit 0\n", "trap\n", "put 8 8 1\n")))

    def test_random_lists(self) -> None:
        generator = random.Random(SEED)
        scripts = [(str(turn), self.random_script(generator)) for turn in range(ROUNDS)]
        for name, outcome in self.attack_all(scripts):
            with self.subTest(name):
                self.assertIn(outcome.verdict, ("exited", "crashed"), outcome)


class Written(EscapeTest):
    """retort-run writes them to a directory, by the names that the job gives."""

    def files(self) -> Iterator[str]:
        for path in sorted(pathlib.Path(self.service.directory / "around").rglob("*")):
            if not path.is_dir():
                yield str(path.relative_to(self.service.directory / "around"))

    def test_nothing_is_written_elsewhere(self) -> None:
        around = self.service.directory / "around"
        target = around / "target"
        target.mkdir(parents=True)
        (around / "victim").write_text("untouched")
        (target / "link").symlink_to("..")
        (target / "there").write_text("untouched")
        names = [*NAMES, b"../victim", b"link/victim", b"link/new", b"there", b"there/x", b"good",
                 str(around / "absolute").encode()]
        for name in names:
            script = self.service.directory / "script"
            script.write_text(forged([Record(name, b"forged")]))
            subprocess.run([BUILD / "retort-run", "--image", IMAGE, "--outputs", target, script],
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        self.assertEqual(list(self.files()),
                         # The link leads to a directory, which is none of the files.
                         ["target/good", "target/there", "victim"])
        self.assertEqual((around / "victim").read_text(), "untouched")
        self.assertEqual((target / "there").read_text(), "untouched")
