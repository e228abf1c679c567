"""Things die: jobs, zygotes, workers, redis, clients. Every answer stays truthful and none hangs."""

from __future__ import annotations

import os
import signal
import time
import unittest

from service import Call, Service, ServiceTest, wait_until

SLEEP = "import time; time.sleep({})\nprint('slept')"
BUSY = "print('before', flush=True)\nwhile True: pass"


class Deaths(unittest.TestCase):
    """Each test breaks a service of its own."""

    settings: dict[str, str] = {"SLOTS": "2", "MAX_QUEUE_WAIT_MS": "3000",
                                "MAX_EXEC_TIMEOUT_MS": "5000", "CPU_TIME_LIMIT_SEC": "5"}

    def setUp(self) -> None:
        self.service = Service(self.settings)
        self.addCleanup(self.close)
        self.service.start()

    def close(self) -> None:
        self.assertEqual(self.service.close(), [])

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        self.service.expected_deaths.add(name)
        os.kill(self.service.parts[name].pid, number)
        self.service.parts[name].process.wait(30)

    def assert_still_works(self) -> None:
        wait_until(lambda: self.service.post({"code": "print(1)"}).status == 200, "an answer")
        self.assertEqual(self.service.execute("print(1+1)").stdout, "2\n")

    def wait_for_busy(self) -> int:
        job = wait_until(self.service.busy_job, "a running job")
        return int(job.pid)

    def test_a_job_process_killed_from_outside_is_not_blamed_on_its_program(self) -> None:
        call = Call(self.service, BUSY)
        os.kill(self.wait_for_busy(), signal.SIGKILL)
        answer = call.answer()
        self.assertEqual(answer.status, 500, answer.body)
        self.assertIn("killed from outside", answer.json["error"]["message"])
        self.assert_still_works()

    def test_a_job_process_that_ends_by_a_fault_is_a_crash_of_the_program(self) -> None:
        call = Call(self.service, BUSY)
        os.kill(self.wait_for_busy(), signal.SIGABRT)
        answer = call.answer()
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual((answer.json["verdict"], answer.json["exit_code"], answer.json["timed_out"],
                          answer.json["stdout"]), ("crashed", None, False, "before\n"))
        self.assert_still_works()

    def test_a_killed_zygote_is_our_fault_and_replaced(self) -> None:
        call = Call(self.service, BUSY)
        self.wait_for_busy()
        zygote = self.service.zygote()
        assert zygote is not None
        os.kill(zygote.pid, signal.SIGKILL)
        answer = call.answer()
        self.assertEqual(answer.status, 500, answer.body)
        self.assertIn("sandbox_error", answer.body.decode())
        self.assert_still_works()

    def test_a_killed_worker_takes_its_processes_along(self) -> None:
        call = Call(self.service, BUSY)
        self.wait_for_busy()
        below = [p.pid for p in self.service.jobs()]
        self.kill("worker")
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in below),
                   "the end of its processes")
        answer = call.answer()
        self.assertIn(answer.status, (502, 504), answer.body)
        self.service.start_worker()
        self.service.expected_deaths.discard("worker")
        self.assert_still_works()

    def test_without_a_worker_requests_end_at_their_deadline(self) -> None:
        self.kill("worker")
        began = time.monotonic()
        answer = self.service.post({"code": "print(1)", "timeout_ms": 1000})
        self.assertEqual(answer.status, 504, answer.body)
        self.assertIn("queue_timeout", answer.body.decode())
        self.assertLess(time.monotonic() - began, 10)
        wait_until(lambda: self.service.request("GET", "/readyz").status == 503, "not ready", 20)
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)

    def test_a_job_waits_for_a_worker_that_comes_in_time(self) -> None:
        self.kill("worker")
        call = Call(self.service, "print('late')")
        wait_until(lambda: any("queue:" in key for key in self.service.keys()), "a queued job")
        self.service.start_worker()
        self.service.expected_deaths.discard("worker")
        self.assertEqual(call.answer().json["stdout"], "late\n")

    def test_sigterm_lets_the_worker_finish_what_runs(self) -> None:
        call = Call(self.service, SLEEP.format(1))
        wait_until(lambda: any("inflight:" in key for key in self.service.keys()), "a taken job")
        self.kill("worker", signal.SIGTERM)
        self.assertEqual(self.service.parts["worker"].process.returncode, 0)
        self.assertEqual(call.answer().json["stdout"], "slept\n")

    def test_sigterm_lets_the_api_answer_what_runs(self) -> None:
        call = Call(self.service, SLEEP.format(1))
        wait_until(lambda: any("inflight:" in key for key in self.service.keys()), "a taken job")
        self.kill("api", signal.SIGTERM)
        self.assertEqual(self.service.parts["api"].process.returncode, 0)
        self.assertEqual(call.answer().json["stdout"], "slept\n")

    def test_a_client_that_hangs_up_cancels_its_job(self) -> None:
        connection = self.service.hang_up_after_sending(BUSY)
        self.wait_for_busy()
        began = time.monotonic()
        connection.close()
        wait_until(lambda: not self.service.busy_job(), "the end of the job")
        self.assertLess(time.monotonic() - began, 3)
        lines = wait_until(lambda: [line for line in self.service.log_lines("worker")
                                    if line.get("verdict") == "cancelled"], "its log line")
        self.assertEqual(len(lines), 1)

    def test_a_client_that_hangs_up_takes_its_waiting_job_along(self) -> None:
        running = [Call(self.service, SLEEP.format(2)) for _ in range(2)]
        wait_until(lambda: sum(self.service.redis("LLEN", key) for key in self.service.keys()
                               if "inflight:" in key) == 2, "two taken jobs")
        connection = self.service.hang_up_after_sending("print('never')")
        queue = wait_until(lambda: [key for key in self.service.keys() if ":queue:" in key],
                           "a queued job")[0]
        connection.close()
        wait_until(lambda: self.service.redis("LLEN", queue) == 0, "an empty queue", 1.5)
        for call in running:
            self.assertEqual(call.answer().status, 200)

    def test_redis_that_dies_and_comes_back_is_found_again(self) -> None:
        self.kill("redis")
        answer = self.service.post({"code": "print(1)"})
        self.assertEqual(answer.status, 503, answer.body)
        self.service.start_redis()
        self.service.expected_deaths.discard("redis")
        self.assert_still_works()

    def test_a_frozen_redis_hangs_nothing_past_its_deadline(self) -> None:
        redis = self.service.parts["redis"].pid
        os.kill(redis, signal.SIGSTOP)
        self.addCleanup(os.kill, redis, signal.SIGCONT)
        began = time.monotonic()
        answer = self.service.post({"code": "print(1)", "timeout_ms": 1000})
        self.assertIn(answer.status, (503, 504), answer.body)
        self.assertLess(time.monotonic() - began, 15)
        os.kill(redis, signal.SIGCONT)
        self.assert_still_works()


class Crowds(ServiceTest):
    settings = {"SLOTS": "1", "MAX_QUEUE_DEPTH": "3", "MAX_EXEC_TIMEOUT_MS": "3000"}

    def test_a_full_queue_is_refused_at_once_with_retry_after(self) -> None:
        calls = [Call(self.service, SLEEP.format(1)) for _ in range(12)]
        answers = [call.answer() for call in calls]
        statuses = sorted(answer.status for answer in answers)
        self.assertEqual(set(statuses), {200, 503})
        self.assertGreaterEqual(statuses.count(200), 4)
        for answer in answers:
            if answer.status == 503:
                self.assertIn("queue_full", answer.body.decode())
                self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)

    def test_beyond_max_in_flight_a_request_is_refused_at_once(self) -> None:
        port = self.service.port
        try:
            self.service.start_api("small", {"MAX_IN_FLIGHT": "2"})
            running = [self.service.hang_up_after_sending(
                "import time; time.sleep(1); print('served')") for _ in range(2)]
            wait_until(lambda: sum(":job:" in key for key in self.service.keys()) >= 2, "two jobs")
            began = time.monotonic()
            refused = self.service.post({"code": "print(1)"})
            self.assertLess(time.monotonic() - began, 0.5)
            self.assert_error(refused, 503, "queue_full", "too many requests")
            self.assertEqual(refused.headers["retry-after"], "1")
            for client in running:
                self.assertIn(b"served", client.recv(65536))
                client.close()
        finally:
            self.service.port = port

    def test_readiness_does_not_wait_behind_the_crowd(self) -> None:
        calls = [Call(self.service, SLEEP.format(0.3)) for _ in range(3)]
        self.assertEqual(self.service.request("GET", "/readyz").status, 200)
        for call in calls:
            call.answer()


if __name__ == "__main__":
    unittest.main()
