"""A real service for a test: private redis, worker and API on a free port, watched for misdeeds.

    class Something(ServiceTest):
        settings = {"MAX_OUTPUT_BYTES": "1000"}

        def test_it_answers(self) -> None:
            answer = self.service.execute("print(1+1)")

The programs come from RETORT_BUILD (default build/release). When the service ends, it is checked
that no part died or had to be killed, that no process is left and that no sanitizer spoke.
"""

from __future__ import annotations

import dataclasses
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "deploy"))
from stack import REPOSITORY, Part, Stack, StackError  # noqa: E402,F401

BUILD = pathlib.Path(os.environ.get("RETORT_BUILD") or REPOSITORY / "build/release").resolve()
# Sanitizer builds may have an image of their own, else the trained one is taken.
IMAGE = pathlib.Path(os.environ["RETORT_IMAGE"]) if os.environ.get("RETORT_IMAGE") else next((path for path in (BUILD / "image/python", REPOSITORY / "build/image/python")
              if path.exists()), REPOSITORY / "build/image/python")
NATIVE_PYTHON = "/usr/bin/python3.11"
SANITIZED = "address" in BUILD.name or "undefined" in BUILD.name
SANITIZER_REPORT = re.compile(r"ERROR: \w*Sanitizer|runtime error:")
STOP_GRACE_S = 20.0
BUSY_TICKS = 5  # of 10 ms


@dataclasses.dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answer(dict[str, Any]):
    """The JSON of a 200 from /v1/execute, its members as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Redis:
    """Just enough of a client: command(b"LLEN", "key")."""

    def __init__(self, path: pathlib.Path) -> None:
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(10)
        self.connection.connect(str(path))
        self.stream = self.connection.makefile("rb")

    def close(self) -> None:
        self.stream.close()
        self.connection.close()

    def command(self, *words: str | bytes) -> Any:
        encoded = [word.encode() if isinstance(word, str) else word for word in words]
        request = b"*%d\r\n" % len(encoded) + b"".join(
            b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
        self.connection.sendall(request)
        return self.read_reply()

    def read_reply(self) -> Any:
        line = self.stream.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.stream.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.read_reply() for _ in range(int(rest))]
        return rest.decode()

    def keys(self, pattern: str = "*") -> list[str]:
        return sorted(key.decode() for key in self.command("KEYS", pattern))


@dataclasses.dataclass
class Process:
    pid: int
    parent: int
    state: str
    name: str
    cpu_ticks: int


def processes() -> dict[int, Process]:
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path(f"/proc/{entry}/stat").read_text(errors="replace")
        except OSError:
            continue
        name = stat[stat.index("(") + 1:stat.rindex(")")]
        fields = stat[stat.rindex(")") + 2:].split()
        found[int(entry)] = Process(int(entry), int(fields[1]), fields[0], name,
                                    int(fields[11]) + int(fields[12]))
    return found


def descendants(root: int) -> list[Process]:
    everything = processes()
    below = {root}
    grew = True
    while grew:
        more = {p.pid for p in everything.values() if p.parent in below} - below
        below |= more
        grew = bool(more)
    return [everything[pid] for pid in sorted(below - {root})]


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = 15.0) -> Any:
    """Polls until condition() is true and returns what it gave."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(0.01)


class Service(Stack):
    def __init__(self, settings: dict[str, str] | None = None) -> None:
        super().__init__(BUILD, {"PORT": "0", "HOST": "127.0.0.1", "IMAGE": str(IMAGE),
                                 **(settings or {})})
        # ASan keeps freed memory for a while; with little of that a leak can still be told.
        self.environment.setdefault("ASAN_OPTIONS", "quarantine_size_mb=1")
        self.expected_deaths: set[str] = set()
        self.redis_connection: Redis | None = None
        self.token: str | None = None  # sent with what request(), post() and execute() send

    def connect(self, timeout_s: float = 60.0) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def request(self, method: str, path: str, body: bytes | None = None,
                headers: dict[str, str] | None = None,
                connection: http.client.HTTPConnection | None = None) -> Response:
        used = connection or self.connect()
        key = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            used.request(method, path, body, {**key, **(headers or {})})
            reply = used.getresponse()
            return Response(reply.status, {k.lower(): v for k, v in reply.getheaders()},
                            reply.read())
        finally:
            if connection is None:
                used.close()

    def post(self, payload: Any, path: str = "/v1/execute",
             connection: http.client.HTTPConnection | None = None) -> Response:
        """payload: bytes as they are, anything else as JSON."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.request("POST", path, body, {"Content-Type": "application/json"}, connection)

    @staticmethod
    def get(port: int, path: str) -> Response:
        return Service.ask(port, "GET", path, None, {})

    @staticmethod
    def request_to(port: int, payload: Any) -> Response:
        return Service.ask(port, "POST", "/v1/execute", json.dumps(payload).encode(),
                           {"Content-Type": "application/json"})

    @staticmethod
    def ask(port: int, method: str, path: str, body: bytes | None,
            headers: dict[str, str]) -> Response:
        """Of the API on that port, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return Response(reply.status, {k.lower(): v for k, v in reply.getheaders()},
                            reply.read())
        finally:
            connection.close()

    def execute(self, code: str, connection: http.client.HTTPConnection | None = None,
                **members: Any) -> Answer:
        response = self.post({"code": code, **members}, connection=connection)
        if response.status != 200:
            raise AssertionError(f"status {response.status}: {response.body[:500]!r}")
        return Answer(response.json)

    def hang_up_after_sending(self, code: str) -> socket.socket:
        """Sends a request and does not read the answer; the caller closes the socket."""
        body = json.dumps({"code": code}).encode()
        key = b"Authorization: Bearer %s\r\n" % self.token.encode() if self.token else b""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(b"POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                           b"\r\n%sContent-Length: %d\r\n\r\n%s" % (key, len(body), body))
        return connection

    def redis(self, *words: str | bytes) -> Any:
        if self.redis_connection is None:
            self.redis_connection = Redis(self.directory / "redis.sock")
        return self.redis_connection.command(*words)

    def keys(self) -> list[str]:
        return sorted(key.decode() for key in self.redis("KEYS", "*"))

    def zygote(self, worker: str = "worker") -> Process | None:
        """The one child of the worker's process."""
        worker_pid = self.parts[worker].pid
        return next((p for p in descendants(worker_pid)
                     if p.parent == worker_pid and p.state != "Z"), None)

    def jobs(self, worker: str = "worker") -> list[Process]:
        """Job processes, the warm ones included."""
        zygote = self.zygote(worker)
        return [p for p in descendants(zygote.pid) if p.state != "Z"] if zygote else []

    def busy_job(self, worker: str = "worker") -> Process | None:
        """A job process that burns CPU, and has for longer than one takes to get warm."""
        return next((p for p in self.jobs(worker)
                     if p.state == "R" and p.cpu_ticks >= BUSY_TICKS), None)

    def log_has(self, part: str, event: str) -> bool:
        return any(line.get("event") == event for line in self.log_lines(part))

    def log_lines(self, part: str) -> list[dict[str, Any]]:
        """The part's log as objects; lines that are not JSON (redis, sanitizers) are left out."""
        found = []
        for line in self.parts[part].log_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def close(self) -> list[str]:
        """Ends everything; returns what was wrong, one sentence each."""
        faults = [f"{name} {part.ending()}:\n{part.log_tail(30)}"
                  for name, part in self.parts.items()
                  if not part.alive() and name not in self.expected_deaths]
        if self.redis_connection is not None:
            self.redis_connection.close()
        below = {p.pid for part in self.parts.values() for p in descendants(part.pid)}
        parts = dict(self.parts)
        killed = self.stop(STOP_GRACE_S, remove=False)
        faults += [f"{name} did not end after SIGTERM" for name in killed]
        faults += [f"{name} {part.ending()} after SIGTERM" for name, part in parts.items()
                   if part.process.returncode != 0 and name not in self.expected_deaths]
        for name, part in parts.items():
            if SANITIZER_REPORT.search(part.log_text()):
                faults.append(f"{name} has a sanitizer's report:\n{part.log_tail(60)}")
        left = below & {p.pid for p in processes().values() if p.state != "Z"}
        faults += [f"process {pid} is left" for pid in left]
        super().stop()
        return faults


class Call(threading.Thread):
    """A request on its way; `response` is there when it is answered."""

    def __init__(self, service: Service, code: str, **members: Any) -> None:
        super().__init__(daemon=True)
        self.service = service
        self.payload = {"code": code, **members}
        self.response: Response | None = None
        self.began = time.monotonic()
        self.answered = 0.0
        self.start()

    def run(self) -> None:
        self.response = self.service.post(self.payload)
        self.answered = time.monotonic()

    @property
    def seconds(self) -> float:
        """To the answer."""
        return self.answered - self.began

    def answer(self, timeout_s: float = 60) -> Response:
        self.join(timeout_s)
        assert self.response is not None, "no answer"
        return self.response


class ServiceTest(unittest.TestCase):
    """One service for all tests of the class."""

    settings: dict[str, str] = {}
    service: Service

    @classmethod
    def setUpClass(cls) -> None:
        cls.service = Service(cls.settings)
        try:
            cls.service.start()
        except BaseException:
            cls.service.stop(1)
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        faults = cls.service.close()
        if faults:
            raise AssertionError("\n".join(faults))

    def assert_error(self, response: Response, status: int, *words: str) -> None:
        """The status, and each of words in the body."""
        self.assertEqual(response.status, status, response.body[:500])
        for word in words:
            self.assertIn(word, response.body.decode("utf-8"))


class TwoApisTest(ServiceTest):
    """One service, whose queue two APIs serve: on the first port and the second one."""

    ports: list[int]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        first = cls.service.port
        cls.service.start_api("second", {"PORT": "0"})
        cls.ports = [first, cls.service.port]
        cls.service.port = first


def native(code: str, stdin: str = "") -> subprocess.CompletedProcess[bytes]:
    """What Debian's python3.11 does with code as main.py; its directory is called /work."""
    import tempfile
    with tempfile.TemporaryDirectory(prefix="retort-native-") as directory:
        main = pathlib.Path(directory) / "main.py"
        main.write_text(code, "utf-8")
        done = subprocess.run([NATIVE_PYTHON, "-I", str(main)], input=stdin.encode(),
                              capture_output=True, cwd=directory, timeout=60,
                              env={"PATH": "/usr/bin", "LANG": "C.UTF-8"})
        done.stdout = done.stdout.replace(directory.encode(), b"/work")
        done.stderr = done.stderr.replace(directory.encode(), b"/work")
        return done
