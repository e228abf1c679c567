"""/readyz: ready when programs run, and why not, at once, when they cannot."""

from __future__ import annotations

import os
import signal
import time
import unittest

from service import Response, Service, wait_until

# A worker is dead after 5 s without a beat, and that is seen within half a second.
DEAD_S = 6.5
PROOF_S = 10


class Readiness(unittest.TestCase):
    settings = {"SLOTS": "1", "MAX_QUEUE_WAIT_MS": "3000"}

    def setUp(self) -> None:
        self.service = self.start()

    def start(self, **settings: str) -> Service:
        service = Service({**self.settings, **settings})
        self.addCleanup(lambda: self.assertEqual(service.close(), []))
        service.start()
        return service

    def ask(self) -> Response:
        return self.service.request("GET", "/readyz")

    def kill(self, name: str) -> None:
        self.service.expected_deaths.add(name)
        os.kill(self.service.parts[name].pid, signal.SIGKILL)
        self.service.parts[name].process.wait(30)

    def worker_jobs(self) -> int:
        return sum(line["event"] == "job" for line in self.service.log_lines("worker"))

    def test_a_job_of_anybody_is_the_proof(self) -> None:
        self.service.execute("print(1)")
        jobs = self.worker_jobs()
        for _ in range(10):
            answer = self.ask()
            self.assertEqual(answer.status, 200)
            self.assertLess(answer.json["age_ms"], 5000)
        self.assertEqual(self.worker_jobs(), jobs)

    def test_without_jobs_a_program_is_run_when_the_proof_is_old(self) -> None:
        self.service.execute("print(1)")
        jobs = self.worker_jobs()
        wait_until(lambda: self.ask().status == 200 and self.worker_jobs() > jobs, "a program",
                   PROOF_S + 5)
        self.assertLess(self.ask().json["age_ms"], 5000)

    def test_without_redis_it_fails_within_a_second_and_comes_back(self) -> None:
        self.service.execute("print(1)")
        self.assertEqual(self.ask().status, 200)
        self.kill("redis")
        wait_until(lambda: self.ask().status == 503, "not ready", 1)
        began = time.monotonic()
        self.assertIn("Redis", self.ask().json["detail"])
        self.assertLess(time.monotonic() - began, 0.5)
        self.service.start_redis()
        self.service.expected_deaths.discard("redis")
        wait_until(lambda: self.ask().status == 200, "ready again", 15)

    def test_without_a_worker_it_says_which_language_nobody_serves(self) -> None:
        self.service.execute("print(1)")
        self.kill("worker")
        # Before that the job is the proof.
        answer = wait_until(lambda: next((one for one in [self.ask()] if one.status == 503), None),
                            "not ready", DEAD_S)
        self.assertIn("No live worker serves the language python.", answer.json["detail"])
        self.assertEqual(answer.headers["retry-after"], "1")
        began = time.monotonic()
        self.assertEqual(self.ask().status, 503)
        self.assertLess(time.monotonic() - began, 0.5)
        self.service.start_worker()
        self.service.expected_deaths.discard("worker")
        wait_until(lambda: self.ask().status == 200, "ready again", 15)

    def test_every_language_needs_a_worker(self) -> None:
        self.service.start_api("other", {"LANGUAGES": "python,lua"})
        self.service.execute("print(1)")
        answer = wait_until(lambda: next((one for one in [self.ask()] if one.status == 503), None),
                            "not ready")
        self.assertIn("No live worker serves the language lua.", answer.json["detail"])

    def test_it_is_exempt_from_the_depth_of_the_queue(self) -> None:
        """Ten seconds of nothing, then a full queue behind one long job."""
        service = self.service = self.start(MAX_QUEUE_DEPTH="1", SLOTS="2",
                                            MAX_EXEC_TIMEOUT_MS="4000", MAX_QUEUE_WAIT_MS="9000")
        clients = []
        try:
            time.sleep(PROOF_S)  # the proof of the start has to grow old
            clients = [service.hang_up_after_sending(f"import time; time.sleep({s})")
                       for s in (4, 1)]
            wait_until(lambda: sum(service.redis("LLEN", key) for key in service.keys()
                                   if ":inflight:" in key) == 2, "two jobs")
            clients.append(service.hang_up_after_sending("import time; time.sleep(4)"))
            wait_until(lambda: service.redis("LLEN", "retort:queue:python") == 1, "a full queue")
            self.assertEqual(service.post({"code": "print(1)"}).status, 503)
            self.assertEqual(self.ask().status, 200)
        finally:
            for client in clients:
                client.close()


if __name__ == "__main__":
    unittest.main()
