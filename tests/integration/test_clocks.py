"""Hosts whose clocks are wrong: the API's is an hour ahead, a worker's an hour behind, by libfaketime.
Deadlines are Redis's, and each process waits by its own monotonic clock, which is left alone."""

from __future__ import annotations

import datetime
import glob
import os
import signal
import time
import unittest

from service import SANITIZED, Call, Service, wait_until

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), "")
WAIT_MS = 3000
EXPIRY_S = 5.0
BUSY = "import time\nend = time.monotonic() + {}\nwhile time.monotonic() < end: pass\nprint('done')"


def at(offset: str) -> dict[str, str]:
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "0"}


@unittest.skipIf(SANITIZED, "this machine cannot preload a library before a sanitizer's own")
class WrongClocks(unittest.TestCase):
    def setUp(self) -> None:
        self.assertTrue(FAKETIME, "faketime is missing; deploy/deps.sh --with tests installs it")
        self.service = Service({"SLOTS": "1", "MAX_QUEUE_WAIT_MS": str(WAIT_MS),
                                "MAX_EXEC_TIMEOUT_MS": "9000", "CPU_TIME_LIMIT_SEC": "9"})
        self.addCleanup(self.close)
        self.service.start_redis()
        self.service.start_worker("behind", at("-3600s"))
        self.service.start_api("api", at("+3600s"))
        self.service.wait_ready()

    def close(self) -> None:
        self.assertEqual(self.service.close(), [])

    def hours_off(self, part: str) -> float:
        """By the clock that its log lines show."""
        text = self.service.log_lines(part)[-1]["time"].replace("Z", "+00:00")
        age = datetime.datetime.fromisoformat(text).timestamp() - time.time()
        return age / 3600

    def kill(self, part: str) -> float:
        self.service.expected_deaths.add(part)
        os.kill(self.service.parts[part].pid, signal.SIGKILL)
        return time.monotonic()

    def wait_taken(self) -> None:
        wait_until(lambda: self.service.redis("LLEN", "retort:inflight:" + self.worker()) == 1,
                   "a taken job")

    def worker(self) -> str:
        found = self.service.redis("ZRANGE", "retort:workers", "0", "-1")
        return found[0].decode() if found else ""


class Deadlines(WrongClocks):
    def test_the_clocks_are_wrong_and_jobs_run(self) -> None:
        for number in range(5):
            answer = self.service.execute(f"print({number})")
            self.assertEqual((answer.verdict, answer.stdout), ("exited", f"{number}\n"))
            self.assertLess(answer.queue_ms, 2000)
            self.assertLess(answer.total_ms, 4000)
        self.assertAlmostEqual(self.hours_off("api"), 1, delta=0.05)
        self.assertAlmostEqual(self.hours_off("behind"), -1, delta=0.05)
        self.assertGreater(self.service.redis("PTTL", "retort:workers"), 0)

    def test_a_timeout_is_held(self) -> None:
        began = time.monotonic()
        answer = self.service.execute("while True: pass", timeout_ms=700)
        self.assertTrue(answer.timed_out)
        self.assertLess(time.monotonic() - began, 3)

    def test_who_waits_too_long_gets_queue_timeout_at_start_by(self) -> None:
        call = Call(self.service, BUSY.format(5))
        self.wait_taken()
        began = time.monotonic()
        response = self.service.post({"code": "print(1)"})
        took = time.monotonic() - began
        self.assertEqual(response.status, 504, response.body)
        self.assertIn(b"queue_timeout", response.body)
        self.assertGreater(took, WAIT_MS / 1000 - 0.1)
        self.assertLess(took, WAIT_MS / 1000 + 1)
        self.assertEqual(call.answer().json["stdout"], "done\n")

    def test_a_dead_worker_is_noticed_in_time(self) -> None:
        call = Call(self.service, BUSY.format(8))
        self.wait_taken()
        killed = self.kill("behind")
        answer = call.answer()
        self.assertEqual(answer.status, 502, answer.body)
        self.assertIn(b"worker_lost", answer.body)
        self.assertGreater(time.monotonic() - killed, EXPIRY_S - 1.5)
        self.assertLess(time.monotonic() - killed, EXPIRY_S + 1.5)


class TakeOver(WrongClocks):
    def test_a_job_goes_from_a_worker_behind_to_one_ahead(self) -> None:
        self.service.environment["MAX_QUEUE_WAIT_MS"] = "12000"
        self.service.start_api("other", at("-7200s"))
        self.service.wait_ready()
        call = Call(self.service, BUSY.format(4))
        self.wait_taken()
        self.service.start_worker("ahead", at("+3600s"))
        wait_until(lambda: self.service.redis("ZCARD", "retort:workers") == 2, "two workers", 30)
        killed = self.kill("behind")
        answer = call.answer()
        self.assertEqual((answer.status, answer.json["stdout"]), (200, "done\n"))
        self.assertGreater(time.monotonic() - killed, EXPIRY_S - 1.5 + 4)
        self.assertLess(time.monotonic() - killed, EXPIRY_S + 1 + 4 + 2)
