"""What tests of /v1/runs share: making runs, and following their events."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from service import Response, Service, ServiceTest, wait_until

ENDED = ("succeeded", "failed", "timed_out", "cpu_limit", "memory_limit", "cancelled", "error")
FOREVER = "while True:\n    pass"
SLEEPS = "import time\nprint('here', flush=True)\ntime.sleep(60)"


class RunsTest(ServiceTest):
    def post(self, code: str, headers: dict[str, str] | None = None, port: int = 0,
             **members: Any) -> Response:
        body = json.dumps({"language": "python", "code": code, **members}).encode()
        return Service.ask(port or self.service.port, "POST", "/v1/runs", body,
                           {"Content-Type": "application/json", **(headers or {})})

    def run_program(self, code: str, **members: Any) -> Any:
        response = self.post(code, **members)
        self.assertEqual(response.status, 200, response.body[:500])
        return response.json

    def begin(self, code: str, port: int = 0, **members: Any) -> str:
        response = self.post(code, port=port, wait=False, **members)
        self.assertEqual(response.status, 202, response.body[:500])
        self.assertEqual(response.headers["location"], "/v1/runs/" + response.json["id"])
        self.assertEqual(response.json["status"], "queued")
        return str(response.json["id"])

    def ask(self, method: str, path: str, port: int = 0) -> Response:
        headers = {"Content-Length": "0"} if method == "POST" else {}
        return Service.ask(port or self.service.port, method, "/v1/runs" + path, None, headers)

    def get(self, run: str, port: int = 0) -> Any:
        response = self.ask("GET", "/" + run, port)
        self.assertEqual(response.status, 200, response.body[:500])
        return response.json

    def wait_for(self, run: str, *states: str, port: int = 0, timeout_s: float = 30) -> Any:
        return wait_until(lambda: (found := self.get(run, port))["status"] in states and found,
                          f"{run} is {states}", timeout_s)


class Events:
    """The events of a run, as they come: (id, name, data, seconds since the beginning)."""

    def __init__(self, port: int, run: str, last: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Last-Event-ID": last} if last else {}
        self.began = time.monotonic()
        self.connection.request("GET", f"/v1/runs/{run}/events", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.status
        assert self.response.headers["Content-Type"] == "text/event-stream"

    def __iter__(self) -> Any:
        fields: dict[str, str] = {}
        for line in self.response:
            text = line.decode("utf-8").rstrip("\n")
            if not text and "data" in fields:
                yield (fields.get("id", ""), fields["event"], json.loads(fields["data"]),
                       time.monotonic() - self.began)
            if not text:
                fields = {}
            elif not text.startswith(":"):
                name, _, value = text.partition(": ")
                fields[name] = value

    def close(self) -> None:
        self.connection.close()


def all_events(port: int, run: str, last: str = "") -> list[Any]:
    events = Events(port, run, last)
    try:
        return list(events)
    finally:
        events.close()


def output(events: list[Any], stream: str) -> str:
    return "".join(data["text"] for _, name, data, _ in events
                   if name == "output" and data["stream"] == stream)
