"""POST /v1/cancel: jobs that their clients have named, ended from elsewhere, through any API."""

from __future__ import annotations

import json
import secrets
import statistics
import time
from typing import Any

from service import Call, Response, TwoApisTest, wait_until

LIMIT_S = 0.1
ROUNDS = 10


class Cancel(TwoApisTest):
    settings = {"SLOTS": "1"}

    def cancel(self, name: Any, port: int | None = None) -> Response:
        service, first = self.service, self.service.port
        try:
            service.port = port or first
            return service.post({"id": name}, "/v1/cancel")
        finally:
            service.port = first

    def state(self, name: str) -> str:
        job = self.service.redis("GET", "retort:name:" + name)
        return (self.service.redis("HGET", b"retort:job:" + job, "state") or b"").decode() if job \
            else ""

    def started(self, code: str, state: str = "running") -> tuple[Call, str]:
        name = secrets.token_hex(16)
        request = Call(self.service, code, id=name)
        wait_until(lambda: self.state(name) == state, f"the job is {state}")
        return request, name

    def test_a_job_has_the_name_that_its_client_gave_it(self) -> None:
        name = secrets.token_hex(16)
        answer = self.service.execute("print(1)", id=name)
        self.assertEqual((answer.id, answer.stdout), (name, "1\n"))
        self.assertNotEqual(self.service.execute("print(1)", id=None).id, name)
        wait_until(lambda: [line for line in self.service.log_lines("api")
                            if line.get("job_name") == name and line.get("job_id") not in
                            (None, name)], "both are in the log")

    def end(self, name: str, request: Call, state: str, port: int) -> float:
        began = time.monotonic()
        answer = self.cancel(name, port)
        self.assertEqual((answer.status, answer.json), (200, {"id": name, "state": state}))
        result = request.answer(30)
        self.assertEqual((result.status, result.json["verdict"], result.json["exit_code"]),
                         (200, "cancelled", None), result.body)
        self.assertEqual(result.json["id"], name)
        return request.answered - began

    def test_running_jobs_end_within_100_ms_through_any_api(self) -> None:
        took = []
        for number in range(ROUNDS):
            request, name = self.started("while True: pass")
            took.append(self.end(name, request, "running", self.ports[number % 2]))
        self.assertLess(statistics.median(took), LIMIT_S, took)
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")

    def test_queued_jobs_end_within_100_ms_and_never_run(self) -> None:
        blocker, blocking = self.started("while True: pass")
        took = []
        for number in range(ROUNDS):
            request, name = self.started("print(1)", "queued")
            took.append(self.end(name, request, "queued", self.ports[number % 2]))
        self.assertLess(statistics.median(took), LIMIT_S, took)
        self.assertEqual(self.service.redis("LLEN", "retort:queue:python"), 0)
        self.end(blocking, blocker, "running", self.ports[0])
        cancelled = [line for line in self.service.log_lines("worker")
                     if line["event"] == "job" and line.get("exit_code") == 0]
        self.assertNotIn(name, json.dumps(cancelled))

    def test_what_nobody_knows_is_404_and_what_has_ended_is_told(self) -> None:
        answer = self.cancel(secrets.token_hex(16))
        self.assert_error(answer, 404, "No job with this id is known.", "not_found")
        name = secrets.token_hex(16)
        self.service.execute("print(1)", id=name)
        self.assertEqual(self.cancel(name).json, {"id": name, "state": "done"})
        time.sleep(0.2)  # its records are deleted in a moment
        self.assertEqual(self.cancel(name).json, {"id": name, "state": "done"})

    def test_a_job_can_be_cancelled_twice(self) -> None:
        request, name = self.started("while True: pass")
        self.end(name, request, "running", self.ports[1])
        self.assertIn(self.cancel(name).json["state"], ("done", "cancelled"))

    def test_a_name_that_is_known_is_409_and_disturbs_nothing(self) -> None:
        request, name = self.started("import time; time.sleep(1); print('mine')")
        for port in self.ports:
            self.service.port = port
            try:
                answer = self.service.post({"code": "print('other')", "id": name})
            finally:
                self.service.port = self.ports[0]
            self.assert_error(answer, 409, "conflict", "known already")
            self.assertFalse(answer.json["error"]["retryable"])
        result = request.answer(30)
        self.assertEqual((result.status, result.json["stdout"]), (200, "mine\n"))
        self.assertEqual(self.service.post({"code": "print(1)", "id": name}).status, 409)

    def test_one_of_many_with_a_name_runs(self) -> None:
        name = secrets.token_hex(16)
        requests = [Call(self.service, f"print({number})", id=name)
                    for number in range(8)]
        statuses = sorted(request.answer(30).status for request in requests)
        self.assertEqual(statuses, [200] + [409] * 7)
        for number, request in enumerate(requests):
            if request.answer(30).status == 200:
                self.assertEqual(request.answer(30).json["stdout"], f"{number}\n")

    def test_hanging_up_a_refused_one_leaves_the_first_alone(self) -> None:
        request, name = self.started("import time; time.sleep(1); print('mine')")
        body = json.dumps({"code": "print(2)", "id": name}).encode()
        for _ in range(5):
            connection = self.service.connect()
            connection.putrequest("POST", "/v1/execute")
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            connection.close()
        self.assertEqual(request.answer(30).json["stdout"], "mine\n")

    def test_ids_that_are_none(self) -> None:
        for path, more in (("/v1/execute", {"code": "1"}), ("/v1/cancel", {})):
            for value in ("", "x", "A" * 32, "0" * 31, "0" * 33, "0" * 31 + "\0", "é" * 16, "../x" * 8):
                with self.subTest(path=path, value=value):
                    answer = self.service.post({**more, "id": value}, path)
                    self.assertEqual(answer.status, 422, answer.body)
                    detail = answer.json["detail"][0]
                    self.assertEqual((detail["type"], detail["loc"], detail["ctx"]),
                                     ("string_pattern_mismatch", ["body", "id"],
                                      {"pattern": "^[0-9a-f]{32}$"}))
            for value in (1, ["0" * 32], {}, True):
                answer = self.service.post({**more, "id": value}, path)
                self.assertEqual(answer.json["detail"][0]["type"], "string_type", answer.body)
        for body in (b"", b"{", b"[]", b"{}", b'{"id":null}', b'{"id":"' + b"0" * 32):
            answer = self.service.post(body, "/v1/cancel")
            self.assertEqual(answer.status, 422, body)
            self.assertTrue(answer.json["detail"][0]["type"])

    def test_its_key_expires(self) -> None:
        name = secrets.token_hex(16)
        self.service.execute("print(1)", id=name)
        left_ms = self.service.redis("PTTL", "retort:name:" + name)
        self.assertTrue(60000 < left_ms < 60000 + 10000 + 5000 + 2000 + 1, left_ms)

    def test_a_full_queue_keeps_no_name(self) -> None:
        blocker, blocking = self.started("while True: pass")
        name = secrets.token_hex(16)
        self.service.start_api("small", {"PORT": "0", "MAX_QUEUE_DEPTH": "1"})
        small, self.service.port = self.service.port, self.ports[0]
        waiting, waiting_name = self.started("print(1)", "queued")
        self.service.port = small
        answer = self.service.post({"code": "print(1)", "id": name})
        self.service.port = self.ports[0]
        self.assert_error(answer, 503, "queue_full")
        self.assertIsNone(self.service.redis("GET", "retort:name:" + name))
        self.end(waiting_name, waiting, "queued", small)
        self.end(blocking, blocker, "running", small)


if __name__ == "__main__":
    import unittest
    unittest.main()
