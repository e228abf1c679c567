"""One API, four workers and a Redis on hosts of their own: what is promised when they work, and when
one of them is killed, frozen, cut off or restarted. run.py says on which kind of hosts.
"""

from __future__ import annotations

import base64
import os
import time
import unittest
from typing import Any

from compose import Compose
from fleet import Fleet, Request, wait_for
from netns import Netns

WORKERS = 4
SLOTS = 2
# docs/PROTOCOL.md: a worker whose beat is older is dead; whoever sees that takes over.
EXPIRY_S = 5.0
TAKE_OVER_S = EXPIRY_S + 1.0
# Of a loaded machine.
SLACK_S = 2.0
# start_by (MAX_QUEUE_WAIT_MS), the limit (MAX_EXEC_TIMEOUT_MS), and 2 s.
ANSWER_BY_S = 10.0 + 5.0 + 2.0

fleet: Fleet


def setUpModule() -> None:
    global fleet
    fleet = Compose() if os.environ["E2E_HOW"] == "docker" else Netns()
    try:
        fleet.start(WORKERS)
        fleet.wait_ready()
    except BaseException:
        print(fleet.tails())
        raise


def tearDownModule() -> None:
    faults = fleet.close()
    assert not faults, "\n".join(faults)


def sleeper(seconds: float, text: str) -> dict[str, Any]:
    return {"code": f"import time\ntime.sleep({seconds})\nprint({text!r})"}


class Scenario(unittest.TestCase):
    """Begins and ends with the whole fleet in order; a failure shows the logs of all."""

    def setUp(self) -> None:
        fleet.wait_ready()

    def run(self, result: Any = None) -> Any:
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(fleet.tails())
        return result

    def assert_output(self, request: Request, text: str) -> None:
        """The one true answer, in time."""
        request.wait()
        self.assertEqual(request.status, 200, request.answer)
        self.assertEqual((request.answer["stdout"], request.answer["verdict"]),
                         (text + "\n", "exited"))
        self.assertLess(request.seconds, ANSWER_BY_S)

    def start_and_find(self, payload: dict[str, Any]) -> tuple[Request, str]:
        """A job under way, and the worker that has it."""
        request = Request(fleet, payload)
        holder = wait_for(fleet.holders, "a worker has the job")
        return request, holder[0]

    def ran(self, name: str) -> set[str]:
        return fleet.job_log(name)


class Jobs(Scenario):
    # Name, request, what the answer has.
    KINDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("output", {"code": "print(6 * 7)"}, {"stdout": "42\n", "exit_code": 0, "verdict": "exited"}),
        ("exit code", {"code": "import sys; print('e', file=sys.stderr); sys.exit(3)"},
         {"exit_code": 3, "stderr": "e\n", "verdict": "exited"}),
        ("exception", {"code": "1 / 0"}, {"exit_code": 1, "verdict": "exited"}),
        ("syntax error", {"code": "print("}, {"exit_code": 1, "verdict": "exited", "stdout": ""}),
        ("standard input", {"code": "print(input()[::-1])", "stdin": "olleh\n"}, {"stdout": "hello\n"}),
        ("wall clock", {"code": "import time; time.sleep(60)", "timeout_ms": 300},
         {"timed_out": True, "verdict": "timed_out", "exit_code": None}),
        ("cpu time", {"code": "while True: pass", "limits": {"cpu_ms": 300}}, {"verdict": "cpu_limit"}),
        ("memory", {"code": "x = []\nwhile True: x.append(bytes(1 << 20))",
                    "limits": {"memory_mb": 64}}, {"exit_code": 1, "stdout": ""}),
        ("much output", {"code": "print('x' * 5000)", "limits": {"output_bytes": 1000}},
         {"stdout": "x" * 1000, "stdout_truncated": True, "stdout_dropped_bytes": 4001}),
        ("files", {"code": "print(open('a/b.txt').read())",
                   "files": [{"name": "a/b.txt", "content": "inside"}]}, {"stdout": "inside\n"}),
        ("artifacts", {"code": "open('outputs/r.bin', 'wb').write(bytes(range(4)))"},
         {"artifacts": [{"name": "r.bin", "size": 4,
                         "content_base64": base64.b64encode(bytes(range(4))).decode()}]}),
    ]

    def test_1_every_kind_of_job(self) -> None:
        requests = [(name, Request(fleet, payload), wanted) for name, payload, wanted in self.KINDS]
        for name, request, wanted in requests:
            with self.subTest(name):
                self.assertEqual(request.wait().status, 200, request.answer)
                self.assertEqual({key: request.answer.get(key) for key in wanted}, wanted)

    def test_2_what_is_no_job_is_refused(self) -> None:
        for payload in ({}, {"code": 1}, {"code": "1", "limits": {"none": 1}}):
            self.assertEqual(fleet.ask("POST", "/v1/execute", payload)[0], 422)

    def test_3_all_workers_answer_and_each_job_is_run_once(self) -> None:
        requests = [Request(fleet, sleeper(0.5, f"job {i}")) for i in range(WORKERS * SLOTS * 2)]
        for i, request in enumerate(requests):
            self.assert_output(request, f"job {i}")
        wanted = {request.answer["id"] for request in requests}
        self.assertEqual(len(wanted), len(requests))
        wait_for(lambda: wanted <= set().union(*(self.ran(name) for name in fleet.workers())),
                 "the workers' logs have every job")
        by_worker = {name: wanted & self.ran(name) for name in fleet.workers()}
        self.assertEqual(sum(map(len, by_worker.values())), len(wanted), by_worker)
        self.assertEqual([name for name, jobs in by_worker.items() if not jobs], [])

    def test_4_health_and_metrics(self) -> None:
        self.assertEqual(fleet.ask("GET", "/healthz")[0], 200)
        status, body = fleet.ask("GET", "/metrics")
        self.assertEqual(status, 200)
        text = body.decode()
        self.assertIn(f'retort_workers{{language="python"}} {WORKERS}\n', text)
        self.assertIn(f'retort_slots{{language="python"}} {WORKERS * SLOTS}\n', text)
        self.assertIn("retort_redis_up 1\n", text)

    def test_5_users_of_redis_have_what_they_need_and_no_more(self) -> None:
        for user in ("api", "worker"):
            connection = fleet.redis(user)
            self.addCleanup(connection.close)
            self.assertEqual(connection.command("PING"), "PONG")
            self.assertIsInstance(connection.command("LLEN", "retort:queue:python"), int)
            for words in (("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "GET", "*"), ("GET", "foreign"),
                          ("EVAL", "return redis.call('GET', 'foreign')", "0")):
                with self.assertRaisesRegex(RuntimeError, "NOPERM|can't", msg=str(words)):
                    connection.command(*words)
        fleet.read("ACL", "LOG", "RESET")


class Workers(Scenario):
    """One of four is lost while it has a job."""

    def assert_taken_over(self, request: Request, text: str, began: float, lost: str) -> None:
        self.assert_output(request, text)
        self.assertLess(time.monotonic() - began, TAKE_OVER_S + 1.0 + SLACK_S)
        others = set(fleet.workers()) - {lost}
        wait_for(lambda: [name for name in others if request.answer["id"] in self.ran(name)],
                 "another worker has run it")

    def test_killed_in_a_job(self) -> None:
        request, name = self.start_and_find(sleeper(1, "again"))
        fleet.kill(name)
        self.assert_taken_over(request, "again", time.monotonic(), name)
        self.assertNotIn(name, fleet.live())
        fleet.begin(name)

    def test_killed_in_each_run_of_a_job(self) -> None:
        request, first = self.start_and_find(sleeper(4, "never"))
        fleet.kill(first)
        second = wait_for(lambda: [name for name in fleet.holders() if name != first],
                          "another worker has the job", TAKE_OVER_S + SLACK_S)[0]
        fleet.kill(second)
        request.wait()
        self.assertEqual(request.status, 502, request.answer)
        self.assertIn("worker_lost", str(request.answer))
        self.assertLess(request.seconds, ANSWER_BY_S + 1)
        for name in (first, second):
            fleet.begin(name)

    def test_frozen_in_a_job_and_late_with_its_answer(self) -> None:
        """It comes back while another runs the job: the answer is the other's, not the late one's."""
        request, name = self.start_and_find(sleeper(3, "once"))
        fleet.pause(name)
        try:
            wait_for(lambda: [holder for holder in fleet.holders() if holder != name],
                     "another worker has the job", TAKE_OVER_S + SLACK_S)
        finally:
            fleet.resume(name)
        second_began = time.monotonic()
        wait_for(lambda: "result_not_taken" in fleet.log(name), "the late result is refused")
        self.assertTrue(request.is_alive())
        self.assert_output(request, "once")
        self.assertGreater(time.monotonic() - second_began, 2)
        wait_for(lambda: name in fleet.live(), "the worker is back")

    def test_cut_off_in_a_job(self) -> None:
        request, name = self.start_and_find(sleeper(1, "elsewhere"))
        fleet.cut(name)
        try:
            self.assert_taken_over(request, "elsewhere", time.monotonic(), name)
        finally:
            fleet.join(name)
        wait_for(lambda: name in fleet.live(), "the worker is back", 30)

    def test_stopped_while_it_has_jobs(self) -> None:
        """It takes no more, finishes what it has, leaves the registry; nobody notices."""
        requests = [Request(fleet, sleeper(2.5, f"kept {i}")) for i in range(WORKERS * SLOTS)]
        name = wait_for(lambda: len(fleet.holders()) == WORKERS and fleet.workers()[0],
                        "all workers are busy")
        began = time.monotonic()
        self.assertEqual(fleet.stop(name), 0)
        self.assertLess(time.monotonic() - began, 10 + SLACK_S)
        self.assertNotIn(name, fleet.live())
        for i, request in enumerate(requests):
            self.assert_output(request, f"kept {i}")
            self.assertLess(request.seconds, EXPIRY_S)
        fleet.begin(name)

    def test_drained_by_the_operator_while_it_has_jobs(self) -> None:
        requests = [Request(fleet, sleeper(2.5, f"kept {i}")) for i in range(WORKERS * SLOTS)]
        wait_for(lambda: len(fleet.holders()) == WORKERS, "all workers are busy")
        name, identity = sorted(fleet.live().items())[0]
        self.assertIn(identity, fleet.admin("status"))
        fleet.admin("drain", identity)
        for i, request in enumerate(requests):
            self.assert_output(request, f"kept {i}")
            self.assertLess(request.seconds, EXPIRY_S)
        fleet.replace(name)

    def test_without_any_the_service_is_not_ready(self) -> None:
        for name in fleet.workers():
            fleet.stop(name)
        try:
            wait_for(lambda: not fleet.is_ready(), "readiness is withdrawn", 15)
            self.assertEqual(fleet.ask("GET", "/healthz")[0], 200)
        finally:
            for name in fleet.workers():
                fleet.begin(name)


class Clients(Scenario):
    def test_that_hang_up_take_their_jobs_with_them(self) -> None:
        """Those that run and those that wait: all slots are free again long before they would end."""
        closings = [fleet.hang_up(sleeper(4, "to nobody")) for _ in range(WORKERS * SLOTS + 4)]
        wait_for(lambda: fleet.read("LLEN", "retort:queue:python") == 4
                 and len(fleet.holders()) == WORKERS, "jobs run and wait")
        began = time.monotonic()
        for close in closings:
            close()
        request = Request(fleet, {"code": "print('next')"})
        self.assert_output(request, "next")
        self.assertLess(time.monotonic() - began, 1 + SLACK_S)
        self.assertEqual(fleet.read("LLEN", "retort:queue:python"), 0)


class Redis(Scenario):
    def test_killed_with_jobs_running_and_waiting(self) -> None:
        """appendfsync always: nothing that was accepted is lost, nothing is answered twice."""
        count = WORKERS * SLOTS + 4
        requests = [Request(fleet, sleeper(2, f"kept {i}")) for i in range(count)]
        wait_for(lambda: fleet.read("LLEN", "retort:queue:python") == 4, "four jobs wait")
        fleet.kill("redis")
        status, _body = fleet.ask("POST", "/v1/execute", {"code": "print(1)"})
        self.assertEqual(status, 503)
        self.assertEqual(fleet.ask("GET", "/healthz")[0], 200)
        self.assertEqual(fleet.ask("GET", "/readyz")[0], 503)
        fleet.begin("redis")
        for i, request in enumerate(requests):
            self.assert_output(request, f"kept {i}")


class Api(Scenario):
    def test_stopped_with_requests_under_way(self) -> None:
        requests = [Request(fleet, sleeper(1.5, f"told {i}")) for i in range(WORKERS * SLOTS)]
        wait_for(lambda: len(fleet.holders()) == WORKERS, "all workers are busy")
        self.assertEqual(fleet.stop("api"), 0)
        for i, request in enumerate(requests):
            self.assert_output(request, f"told {i}")
        with self.assertRaises(OSError):
            fleet.ask("GET", "/healthz")
        fleet.begin("api")

    def test_killed_with_a_job_under_way(self) -> None:
        """Its client gets no answer; the job's record goes by itself."""
        request, _name = self.start_and_find(sleeper(1, "to nobody"))
        fleet.kill("api")
        request.wait()
        self.assertIn("failed", request.answer)
        fleet.begin("api")
        wait_for(lambda: not fleet.holders(), "the job ends")


class ZLast(Scenario):
    """After everything else: runner.py sorts classes by name."""

    def test_nothing_is_left_in_redis(self) -> None:
        connection = fleet.redis()
        self.addCleanup(connection.close)
        for name in fleet.workers():
            self.assertEqual(connection.command("LLEN", f"retort:inflight:{fleet.live()[name]}"), 0)
        self.assertEqual(connection.command("LLEN", "retort:queue:python"), 0)
        self.assertEqual(connection.command("LLEN", "retort:dead"), 0)
        for key in connection.keys("*"):
            with self.subTest(key):
                self.assertTrue(key.startswith("retort:"))
                self.assertGreater(connection.command("PTTL", key), 0)

    def test_redis_has_refused_nothing_to_api_and_workers(self) -> None:
        self.assertEqual(fleet.read("ACL", "LOG"), [])


if __name__ == "__main__":
    unittest.main()
