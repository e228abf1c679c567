"""Nothing of another job can be found: neither of one before nor of one beside."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import re
import secrets
import unittest

from escape import EscapeTest, Outcome, quiet, wait_until

VEIL = 0x5a
SLEEP = "b = buffer 16\nput b 8 60\n" + quiet("clock_nanosleep", 1, 0, "b", 0)


def veiled(secret: str) -> str:
    return bytes(byte ^ VEIL for byte in secret.encode()).hex()


def readable_areas(pid: int) -> list[tuple[int, int, str]]:
    """Start, end and line of each; what the kernel keeps there for reading clocks is left out."""
    found = []
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        start, end, rights = re.findall(r"^(\w+)-(\w+) (\S+)", line)[0]
        if rights.startswith("r") and "[v" not in line:
            found.append((int(start, 16), int(end, 16), line))
    return found


class Secrets(EscapeTest):
    def crawl(self, secret: str) -> str:
        return f'crawl "{veiled(secret)}"\n'

    def found(self, outcome: Outcome) -> int:
        self.assertEqual(outcome.verdict, "exited", outcome)
        pages, count = re.findall(r"crawl (\d+) pages, found (\d+)", outcome.stdout)[0]
        self.assertGreater(int(pages), 500)
        return int(count)

    def plant(self, secret: str) -> Outcome:
        """A job that has the secret in its program, its input, its memory and its output."""
        outcome = self.attack(f'# {secret}\nprint "{secret}"\n', stdin=secret * 100)
        self.assertEqual(outcome.stdout, secret + "\n")
        return outcome

    def test_the_search_finds_what_is_there(self) -> None:
        secret = secrets.token_hex(16)
        self.assertGreater(self.found(self.attack(f"# {secret}\n" + self.crawl(secret))), 0)
        self.assertGreater(self.found(self.attack(self.crawl(secret), stdin=secret)), 0)

    def test_nothing_is_left_of_jobs_before(self) -> None:
        """Three slots and their spares have all had the secret when it is looked for."""
        secret = secrets.token_hex(16)
        for _ in range(12):
            self.plant(secret)
        for _, outcome in self.attack_all([("", self.crawl(secret))] * 9):
            with self.subTest():
                self.assertEqual(self.found(outcome), 0)

    def test_nothing_is_seen_of_jobs_beside(self) -> None:
        secret = secrets.token_hex(16)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            beside = [pool.submit(self.attack, f"# {secret}\n{SLEEP}", stdin=secret * 100,
                                  timeout_ms=1500) for _ in range(2)]
            wait_until(lambda: all(future.running() for future in beside), "jobs beside")
            for _ in range(6):
                with self.subTest():
                    self.assertEqual(self.found(self.attack(self.crawl(secret))), 0)
            for future in beside:
                self.assertEqual(future.result().verdict, "timed_out")

    @unittest.skipUnless(os.geteuid() == 0, "only root may look into a job's memory from outside")
    def test_nothing_is_there_that_the_search_could_have_missed(self) -> None:
        """All readable memory of a waiting job process, as the kernel sees it."""
        secret = secrets.token_hex(16).encode()
        for _ in range(12):
            self.plant(secret.decode())
        looked = 0
        for job in self.service.jobs():
            with open(f"/proc/{job.pid}/mem", "rb", 0) as memory:
                for start, end, line in readable_areas(job.pid):
                    memory.seek(start)
                    looked += end - start
                    self.assertNotIn(secret, memory.read(end - start), line)
        self.assertGreater(looked, 1 << 20)
