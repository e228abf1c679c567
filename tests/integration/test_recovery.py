"""Workers that are killed, stand still or are told to go, and a Redis that is restarted: each job is
answered once, truthfully and in time. docs/PROTOCOL.md has the times."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import unittest

from service import BUILD, Call, Service, wait_until

EXPIRY_S = 5.0  # of a heartbeat
BUSY = "import time\nend = time.time() + {}\nwhile time.time() < end: pass\nprint('done')"
SLEEP = "import time; time.sleep({})\nprint('slept')"
DURABLE = "appendonly yes\nappendfsync always\n"


class Recovery(unittest.TestCase):
    settings = {"SLOTS": "2", "MAX_EXEC_TIMEOUT_MS": "8000", "CPU_TIME_LIMIT_SEC": "8",
                "MAX_QUEUE_WAIT_MS": "10000"}
    redis_config = ""

    def setUp(self) -> None:
        self.service = Service(self.settings)
        self.addCleanup(self.close)
        self.service.start_redis(self.redis_config)
        self.service.start_worker()
        self.service.start_api()
        self.service.wait_ready()

    def close(self) -> None:
        self.assertEqual(self.service.close(), [])

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.service.parts[name].pid, number)

    def kill(self, name: str) -> None:
        self.service.expected_deaths.add(name)
        self.signal(name, signal.SIGKILL)
        self.service.parts[name].process.wait(30)

    def inflight(self) -> int:
        return sum(self.service.redis("LLEN", key) for key in self.service.keys()
                   if "inflight:" in key)

    def wait_taken(self, count: int = 1) -> None:
        wait_until(lambda: self.inflight() == count, f"{count} taken jobs")

    def assert_registry(self, count: int) -> None:
        wait_until(lambda: self.service.redis("ZCARD", "retort:workers") == count,
                   f"{count} workers in the registry")


class Workers(Recovery):
    def test_the_job_of_a_killed_worker_is_run_by_another(self) -> None:
        call = Call(self.service, BUSY.format(0.5))
        self.wait_taken()
        self.service.start_worker("second")
        wait_until(lambda: self.service.redis("ZCARD", "retort:workers") == 2, "two workers")
        killed = time.monotonic()
        self.kill("worker")
        answer = call.answer()
        self.assertEqual((answer.status, answer.json["stdout"]), (200, "done\n"))
        self.assertLess(time.monotonic() - killed, EXPIRY_S + 1 + 0.5 + 1)
        lines = wait_until(lambda: [line for line in self.service.log_lines("second")
                                    if line.get("event") == "job"], "the second worker's line")
        self.assertEqual([line["attempts"] for line in lines if line["verdict"] == "exited"], [2])
        self.assert_registry(1)

    def test_a_worker_that_stood_still_is_fenced(self) -> None:
        call = Call(self.service, BUSY.format(2))
        self.wait_taken()
        self.service.start_worker("second")
        wait_until(lambda: self.service.redis("ZCARD", "retort:workers") == 2, "two workers")
        zygotes = self.service.jobs("worker")
        self.signal("worker", signal.SIGSTOP)
        for process in zygotes:
            os.kill(process.pid, signal.SIGSTOP)
        answer = call.answer()
        self.assertEqual((answer.status, answer.json["stdout"]), (200, "done\n"))
        for process in zygotes:
            os.kill(process.pid, signal.SIGCONT)
        self.signal("worker", signal.SIGCONT)
        refused = wait_until(lambda: [line for line in self.service.log_lines("worker")
                                      if line.get("event") == "result_not_taken"], "the fence")
        self.assertEqual(len(refused), 1)
        self.assert_registry(2)
        wait_until(lambda: self.inflight() == 0, "empty in-flight lists")
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")

    def test_an_idle_worker_leaves_at_once(self) -> None:
        began = time.monotonic()
        self.service.expected_deaths.add("worker")
        self.signal("worker", signal.SIGTERM)
        self.assertEqual(self.service.parts["worker"].process.wait(10), 0)
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual(self.service.redis("ZCARD", "retort:workers"), 0)


class Draining(Recovery):
    settings = {**Recovery.settings, "DRAIN_TIMEOUT_MS": "1000"}

    def test_sigterm_hands_back_what_does_not_end_in_time(self) -> None:
        call = Call(self.service, SLEEP.format(3))
        self.wait_taken()
        self.service.start_worker("second")
        wait_until(lambda: self.service.redis("ZCARD", "retort:workers") == 2, "two workers")
        began = time.monotonic()
        self.service.expected_deaths.add("worker")
        self.signal("worker", signal.SIGTERM)
        self.assertEqual(self.service.parts["worker"].process.wait(10), 0)
        self.assertLess(time.monotonic() - began, 1.25)
        self.assertEqual(self.service.redis("ZCARD", "retort:workers"), 1)
        answer = call.answer()
        self.assertEqual((answer.status, answer.json["stdout"]), (200, "slept\n"))
        self.assertLess(call.seconds, 1.25 + 3 + 1)


class OneAttempt(Recovery):
    settings = {**Recovery.settings, "MAX_ATTEMPTS": "1"}

    def test_without_attempts_the_client_is_told(self) -> None:
        call = Call(self.service, BUSY.format(5))
        self.wait_taken()
        killed = time.monotonic()
        self.kill("worker")
        answer = call.answer()
        self.assertEqual(answer.status, 502, answer.body)
        self.assertIn("worker_lost", answer.body.decode())
        self.assertLess(time.monotonic() - killed, EXPIRY_S + 1)


class Cancelled(Recovery):
    def test_a_hang_up_ends_the_running_job_within_100_ms(self) -> None:
        times = []
        for _ in range(5):
            connection = self.service.hang_up_after_sending(BUSY.format(6))
            job = wait_until(self.service.busy_job, "a running job")
            began = time.monotonic()
            connection.close()
            wait_until(lambda: not os.path.exists(f"/proc/{job.pid}"), "the end of the job")
            times.append(time.monotonic() - began)
        self.assertLess(sorted(times)[2], 0.1, times)

    def test_a_hang_up_takes_the_waiting_job_along_within_100_ms(self) -> None:
        running = [Call(self.service, SLEEP.format(3)) for _ in range(2)]
        self.wait_taken(2)
        times = []
        for _ in range(5):
            connection = self.service.hang_up_after_sending("print('never')")
            wait_until(lambda: self.service.redis("LLEN", "retort:queue:python") == 1, "a job")
            began = time.monotonic()
            connection.close()
            wait_until(lambda: self.service.redis("LLEN", "retort:queue:python") == 0, "none")
            times.append(time.monotonic() - began)
        self.assertLess(sorted(times)[2], 0.1, times)
        for call in running:
            self.assertEqual(call.answer().status, 200)


class DurableRedis(Recovery):
    redis_config = DURABLE

    def test_nothing_accepted_is_lost_over_a_restart(self) -> None:
        calls = [Call(self.service, SLEEP.format(1.5) + f"; print({i})") for i in range(6)]
        self.wait_taken(2)
        wait_until(lambda: self.service.redis("LLEN", "retort:queue:python") == 4, "four waiting")
        self.service.redis_connection.close()
        self.service.redis_connection = None
        self.kill("redis")
        self.assertEqual(self.service.post({"code": "print(1)"}).status, 503)
        self.assertEqual(self.service.request("GET", "/readyz").status, 503)
        self.service.start_redis(self.redis_config)
        self.service.expected_deaths.discard("redis")
        for i, call in enumerate(calls):
            answer = call.answer()
            self.assertEqual((answer.status, answer.json["stdout"]), (200, f"slept\n{i}\n"))
        runs = [line for line in self.service.log_lines("worker") if line.get("event") == "job"
                and line["attempts"] > 1]
        self.assertEqual(runs, [], "a worker that was only cut off keeps its jobs")


class ForgetfulRedis(Recovery):
    settings = {**Recovery.settings, "MAX_QUEUE_WAIT_MS": "3000", "MAX_EXEC_TIMEOUT_MS": "3000"}

    def test_what_runs_is_answered_and_what_waited_is_told_that_it_is_lost(self) -> None:
        running = [Call(self.service, SLEEP.format(2)) for _ in range(2)]
        self.wait_taken(2)
        waiting = Call(self.service, "print('never')")
        wait_until(lambda: self.service.redis("LLEN", "retort:queue:python") == 1, "one waiting")
        self.service.redis_connection.close()
        self.service.redis_connection = None
        self.kill("redis")
        self.service.start_redis()
        self.service.expected_deaths.discard("redis")
        for call in running:
            answer = call.answer()
            self.assertEqual((answer.status, answer.json["stdout"]), (200, "slept\n"))
        answer = waiting.answer()
        self.assertEqual(answer.status, 502, answer.body)
        self.assertIn("worker_lost", answer.body.decode())
        self.assertLess(waiting.seconds, 3 + 3 + 2 + 1)


class UnfitRedis(unittest.TestCase):
    cases = {"maxmemory 100mb\nmaxmemory-policy allkeys-lru\n": "allkeys-lru may drop jobs",
             "maxclients 100\n": "takes 100 connections",
             "cluster-enabled yes\n": "Cluster mode"}

    def test_both_daemons_refuse_it_with_one_sentence(self) -> None:
        for config, sentence in self.cases.items():
            with self.subTest(config), Service() as service:
                service.start_redis(config)
                environment = {**os.environ, **service.environment, "STORAGE_DIR": ""}
                programs = ["retort-api"] if "maxclients" in config else ["retort-api",
                                                                          "retort-worker"]
                for program in programs:
                    done = subprocess.run([str(BUILD / program)], env=environment, text=True,
                                          capture_output=True, timeout=30, check=False)
                    self.assertIn(done.returncode, (1, 2), done.stderr)
                    self.assertIn(sentence, done.stderr)


if __name__ == "__main__":
    unittest.main()
