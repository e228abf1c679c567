"""Each verdict and each error on each surface, against the table of docs/API.md."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import threading
import unittest
from typing import Any

from service import REPOSITORY, Response, Service, wait_until

SETTINGS = {"SLOTS": "1", "MAX_EXEC_TIMEOUT_MS": "20000", "CPU_TIME_LIMIT_SEC": "1",
            "MAX_QUEUE_WAIT_MS": "1500", "MAX_QUEUE_DEPTH": "1", "MAX_ATTEMPTS": "1",
            "MAX_CODE_BYTES": "300"}
WORKER = {"MAX_CODE_BYTES": "100"}
PATHS = ("/v1/execute", "/execute", "/api/v1/execute")
SLEEP = "import time; time.sleep(4)"
BUSY = "while True: pass"
MEMBER = re.compile(r"`(\w+): ([^`]+)`")


@dataclasses.dataclass
class Row:
    statuses: dict[str, int]
    members: dict[str, dict[str, Any]]


def documented() -> dict[str, Row]:
    """The table: the end's name to what each surface answers."""
    text = (REPOSITORY / "docs/API.md").read_text("utf-8")
    table = text.split("| end |", 1)[1].split("\n\n", 1)[0]
    rows = {}
    for line in table.splitlines()[2:]:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[name.strip("`")] = Row(
            {path: int(cell.split()[0]) for path, cell in zip(PATHS, cells, strict=True)},
            {path: {key: json.loads(value) for key, value in MEMBER.findall(cell)}
             for path, cell in zip(PATHS, cells, strict=True)})
    return rows


class Asked(threading.Thread):
    """A request on its way."""

    def __init__(self, service: Service, path: str, code: str, timeout_s: float = 10) -> None:
        super().__init__(daemon=True)
        self.service, self.path = service, path
        self.payload: dict[str, Any] = {"code": code, "language": "python", "timeout": timeout_s,
                                        "timeout_ms": int(timeout_s * 1000)}
        self.response: Response | None = None
        self.start()

    def run(self) -> None:
        self.response = self.service.post(self.payload, self.path)

    def answer(self) -> Response:
        self.join(60)
        assert self.response is not None, "no answer"
        return self.response


class Ends(unittest.TestCase):
    service: Service
    rows = documented()

    @classmethod
    def setUpClass(cls) -> None:
        cls.service = Service(SETTINGS)
        cls.addClassCleanup(cls.close)
        cls.service.start_redis()
        cls.service.start_worker(extra=WORKER)
        cls.service.start_api()
        cls.service.wait_ready()

    @classmethod
    def close(cls) -> None:
        faults = cls.service.close()
        if faults:
            raise AssertionError("\n".join(faults))

    def setUp(self) -> None:
        wait_until(lambda: not self.service.redis("LLEN", "retort:queue:python"), "an empty queue")

    def ask(self, path: str, code: str, timeout_s: float = 10) -> Response:
        return Asked(self.service, path, code, timeout_s).answer()

    def check(self, end: str, path: str, response: Response) -> None:
        row = self.rows[end]
        self.assertEqual(response.status, row.statuses[path], (end, path, response.body))
        for name, value in row.members[path].items():
            self.assertEqual(response.json[name], value, (end, path, response.body))
        if response.status != 200:
            self.assertEqual(response.json["error"]["code"], end, (path, response.body))
        else:
            verdict = "exited" if end.startswith("exit code") else end
            self.assertEqual(response.json["verdict"], verdict, (path, response.body))

    def job_ids(self, state: str) -> list[str]:
        keys = [key for key in self.service.keys() if key.startswith("retort:job:")]
        return [key.removeprefix("retort:job:") for key in keys
                if self.service.redis("HGET", key, "state") == state.encode()]

    def running(self, path: str, code: str) -> Asked:
        asked = Asked(self.service, path, code)
        wait_until(lambda: self.job_ids("running"), "a running job")
        return asked

    def test_programs_that_end_by_themselves(self) -> None:
        for path in PATHS:
            self.check("exit code 0", path, self.ask(path, "print(1)"))
            self.check("exit code 3", path, self.ask(path, "raise SystemExit(3)"))
            self.check("memory_limit", path, self.ask(path, "x = bytearray(400 << 20)"))
            self.check("crashed", path, self.ask(path, "import posix; posix.abort()"))

    def test_programs_that_are_stopped(self) -> None:
        for path in PATHS:
            self.check("timed_out", path, self.ask(path, SLEEP, 1))
            asked = self.running(path, SLEEP)
            self.service.post({"id": self.job_ids("running")[0]}, "/v1/cancel")
            self.check("cancelled", path, asked.answer())

    def test_programs_that_use_up_their_cpu_time(self) -> None:
        self.check("cpu_limit", "/v1/execute", self.ask("/v1/execute", BUSY, 20))
        for timeout_s in (1, 4, 10):
            response = self.ask("/execute", BUSY, timeout_s)
            if response.json["verdict"] != "timed_out":
                self.check("cpu_limit", "/execute", response)
                return
        self.skipTest("this machine cannot give a program half a processor now")

    def test_a_queue_that_is_full_and_a_wait_that_is_too_long(self) -> None:
        for path in PATHS:
            first = self.running(path, SLEEP)
            second = Asked(self.service, path, "1")
            wait_until(lambda: self.job_ids("queued"), "a job that waits")
            self.check("queue_full", path, self.ask(path, "1"))
            self.check("queue_timeout", path, second.answer())
            self.assertEqual(first.answer().status, 200)

    def test_code_that_is_too_large_for_the_api_or_the_worker(self) -> None:
        for path in PATHS:
            self.check("too_large", path, self.ask(path, "#" * 301))
            self.check("rejected", path, self.ask(path, "#" * 300))

    def test_a_sandbox_that_fails(self) -> None:
        for path in PATHS:
            asked = Asked(self.service, path, BUSY)
            job = wait_until(self.service.busy_job, "a running job")
            os.kill(job.pid, signal.SIGKILL)
            self.check("sandbox_error", path, asked.answer())

    def test_a_worker_that_is_lost(self) -> None:
        for path in PATHS:
            asked = self.running(path, SLEEP)
            self.service.expected_deaths.add("worker")
            os.kill(self.service.parts["worker"].pid, signal.SIGKILL)
            self.service.parts["worker"].process.wait(30)
            self.check("worker_lost", path, asked.answer())
            self.service.start_worker(extra=WORKER)
            self.service.expected_deaths.discard("worker")
            wait_until(lambda: self.service.request("GET", "/readyz").status == 200, "readiness")


class Without(unittest.TestCase):
    def test_a_queue_that_cannot_be_reached(self) -> None:
        service = Service(SETTINGS)
        self.addCleanup(lambda: self.assertEqual(service.close(), []))
        service.start()
        service.expected_deaths.add("redis")
        os.kill(service.parts["redis"].pid, signal.SIGKILL)
        service.parts["redis"].process.wait(30)
        for path in PATHS:
            response = Asked(service, path, "1").answer()
            self.assertEqual(response.status, documented()["unavailable"].statuses[path])
            self.assertEqual(response.json["error"]["code"], "unavailable")
            self.assertIn("retry-after", response.headers)
        health = service.request("GET", "/health")
        self.assertEqual((health.status, health.json["status"]), (200, "degraded"))
        self.assertIs(health.json["runtimes"]["python"]["available"], False)


if __name__ == "__main__":
    unittest.main()
