"""Many jobs: at once, and one after the other."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import time
import unittest

from service import SANITIZED, ServiceTest, wait_until

JOBS = 200 if SANITIZED else 1000
GROWTH_KIB = 4096 if SANITIZED else 256


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_kib(pid: int) -> int:
    """Private and anonymous memory: what a leak would make grow."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    raise AssertionError(f"no RssAnon of {pid}")


class AtOnce(ServiceTest):
    def test_100_jobs_at_once_share_nothing_random(self) -> None:
        code = ("import random, uuid, os, secrets, json, tempfile\n"
                "print(json.dumps([random.random(), str(uuid.uuid4()), os.urandom(8).hex(), "
                "secrets.token_hex(8), random.Random().random(), random.getrandbits(64), "
                "tempfile.mktemp()]))")
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            answers = list(pool.map(lambda _: self.service.execute(code), range(100)))
        rows = [json.loads(answer.stdout) for answer in answers]
        for column in zip(*rows):
            self.assertEqual(len(set(column)), 100)

    def test_each_of_100_jobs_gets_its_own_answer(self) -> None:
        def run(number: int) -> bool:
            answer = self.service.execute(f"import sys; print({number}, sys.stdin.read())",
                                          stdin=f"in{number}")
            return answer.stdout == f"{number} in{number}\n"
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            self.assertEqual(list(pool.map(run, range(100))), [True] * 100)

    def test_queue_and_run_time_are_told_apart(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(
                lambda _: self.service.execute("import time; time.sleep(0.2)"), range(16)))
        self.assertTrue(all(190 <= answer.duration_ms < 1000 for answer in answers))
        self.assertGreater(max(answer.queue_ms for answer in answers), 190)


class OneByOne(ServiceTest):
    timeout_s = 300
    settings = {"SLOTS": "2"}

    # What jobs do that could leave something behind, each in its way.
    KINDS = ("print(1)", "1/0", "import os; os._exit(3)", "print('x' * 100000)",
             "open('/work/f', 'w').write('x' * 100000)", "x = bytearray(8 << 20)",
             "def f(): f()\nf()")

    def run_jobs(self, count: int) -> None:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = pool.map(lambda n: self.service.execute(self.KINDS[n % len(self.KINDS)]),
                               range(count))
            self.assertNotIn("cancelled", {answer.verdict for answer in answers})

    def state(self) -> dict[str, int]:
        zygote = self.service.zygote()
        assert zygote is not None
        pids = {name: self.service.parts[name].pid for name in ("api", "worker")}
        pids["zygote"] = zygote.pid
        return {**{f"{name} descriptors": descriptors(pid) for name, pid in pids.items()},
                **{f"{name} KiB": memory_kib(pid) for name, pid in pids.items()}}

    def settled(self) -> int | None:
        """Number of job processes when none works, comes or goes."""
        first = self.service.jobs()
        time.sleep(0.1)
        return len(first) if first and first == self.service.jobs() else None

    def after_jobs(self, before: dict[str, int], warm: int | None) -> dict[str, int]:
        self.run_jobs(JOBS)
        wait_until(lambda: self.settled() == warm, "the number of job processes from before")
        after = self.state()
        for _ in range(500):  # connections are closed a moment after their last answer
            if all(after[name] <= before[name] for name in after if name.endswith("descriptors")):
                break
            time.sleep(0.01)
            after = self.state()
        return after

    def test_1000_jobs_leave_nothing_behind(self) -> None:
        self.run_jobs(100)  # buffers reach their size
        warm = wait_until(self.settled, "idle service")
        growth: list[str] = []
        # A heap may reach a new height once, when jobs happen to meet; a leak grows every time.
        for _ in range(3):
            before = self.state()
            after = self.after_jobs(before, warm)
            growth = [f"{name}: {before[name]} to {value}" for name, value in after.items()
                      if value - before[name] > (GROWTH_KIB if name.endswith("KiB") else 0)]
            if not growth:
                break
        self.assertEqual(growth, [])
        self.assertEqual([key for key in self.service.keys()
                          if "queue:" in key or "inflight:" in key], [])
        zombies = [p for p in self.service.jobs() if p.state == "Z"]
        self.assertEqual(zombies, [])

    def test_what_stays_in_redis_expires(self) -> None:
        self.run_jobs(20)
        for key in self.service.keys():
            # -1: stays for ever; -2: was taken away since it was listed.
            self.assertNotEqual(self.service.redis("PTTL", key), -1, key)


if __name__ == "__main__":
    unittest.main()
