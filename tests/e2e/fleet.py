"""A stack over several hosts, as the scenarios see it: one Redis, one API and some workers, by name.

Two implementations: containers of docker-compose.yml (compose.py), and processes in network
namespaces that are joined by a bridge (netns.py). A name is `redis`, `api` or one of workers().
"""

from __future__ import annotations

import abc
import http.client
import json
import pathlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import service

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOGS = ROOT / "build/e2e"
PASSWORDS = {"api": "development-api", "worker": "development-worker", "admin": "development-admin"}
# docker-compose.yml's key; where there are none it is not looked at.
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer dev_123"}
REQUEST_TIMEOUT_S = 40
TAIL_LINES = 25


class Redis(service.Redis):
    """Over TCP, as one of the users."""

    def __init__(self, address: tuple[str, int], user: str) -> None:
        self.connection = socket.create_connection(address, timeout=10)
        self.stream = self.connection.makefile("rb")
        self.command("AUTH", user, PASSWORDS[user])


class Fleet(abc.ABC):
    how: str

    @abc.abstractmethod
    def start(self, workers: int) -> None:
        """Everything, until processes run; wait_ready() waits for more."""

    @abc.abstractmethod
    def workers(self) -> list[str]:
        """Those that were started, dead or not."""

    @abc.abstractmethod
    def worker_of(self, worker_id: str) -> str:
        """The name of the worker that calls itself worker_id."""

    @abc.abstractmethod
    def kill(self, name: str) -> None:
        """SIGKILL, and what was below it is gone too."""

    @abc.abstractmethod
    def stop(self, name: str) -> int:
        """SIGTERM and its exit status."""

    @abc.abstractmethod
    def begin(self, name: str) -> None:
        """Starts one that has ended, at the same address."""

    @abc.abstractmethod
    def pause(self, name: str) -> None:
        """Nothing of it runs until resume(); its connections stay."""

    @abc.abstractmethod
    def resume(self, name: str) -> None:
        ...

    @abc.abstractmethod
    def cut(self, name: str) -> None:
        """Packets from and to it get lost until join()."""

    @abc.abstractmethod
    def join(self, name: str) -> None:
        ...

    @abc.abstractmethod
    def replace(self, name: str) -> None:
        """Once it has ended by itself, with status 0: begins it, unless who keeps it does."""

    @abc.abstractmethod
    def admin(self, *arguments: str) -> str:
        """What retort-admin prints on one of the hosts, as the user `admin`."""

    @abc.abstractmethod
    def log(self, name: str) -> str:
        """All that it has written, over restarts too."""

    @abc.abstractmethod
    def address(self, name: str) -> tuple[str, int]:
        """Where the tests reach `api` and `redis`."""

    @abc.abstractmethod
    def close(self) -> list[str]:
        """Ends everything; what was wrong with that, one sentence each."""

    # ---- of both -------------------------------------------------------------------------------

    def names(self) -> list[str]:
        return ["redis", "api", *self.workers()]

    def redis(self, user: str = "admin") -> Redis:
        return Redis(self.address("redis"), user)

    def read(self, *words: str) -> Any:
        """One command on a connection of its own."""
        connection = self.redis()
        try:
            return connection.command(*words)
        finally:
            connection.close()

    def ask(self, method: str, path: str, payload: Any = None) -> tuple[int, bytes]:
        host, port = self.address("api")
        connection = http.client.HTTPConnection(host, port, timeout=REQUEST_TIMEOUT_S)
        try:
            body = None if payload is None else json.dumps(payload)
            connection.request(method, path, body, HEADERS)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def is_ready(self) -> bool:
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def live(self) -> dict[str, str]:
        """Workers in the registry that serve: name -> id."""
        connection = self.redis()
        try:
            ids = [found.decode() for found in connection.command("ZRANGE", "retort:workers", "0", "-1")]
            return {self.worker_of(found): found for found in ids
                    if connection.command("HGET", f"retort:worker:{found}", "state") == b"serving"}
        finally:
            connection.close()

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """All workers are in the registry and nobody else, and a program runs."""
        def everybody() -> bool:
            try:
                return set(self.live()) == set(self.workers())
            except (OSError, RuntimeError, KeyError):
                return False
        service.wait_until(everybody, "every worker is in the registry", timeout_s)
        service.wait_until(self.is_ready, "the service is ready", timeout_s)

    def holders(self) -> list[str]:
        """Names of the workers that have jobs in flight."""
        connection = self.redis()
        try:
            return [name for name, found in self.live().items()
                    if connection.command("LLEN", f"retort:inflight:{found}") > 0]
        finally:
            connection.close()

    def job_log(self, name: str) -> set[str]:
        """Ids of the jobs that a worker says to have run."""
        found = set()
        for line in self.log(name).splitlines():
            if '"event":"job"' in line:
                found.add(json.loads(line[line.index("{"):])["id"])
        return found

    def save_logs(self) -> pathlib.Path:
        directory = LOGS / self.how
        directory.mkdir(parents=True, exist_ok=True)
        for name in self.names():
            try:
                (directory / f"{name}.log").write_text(self.log(name), "utf-8")
            except (AssertionError, OSError) as error:
                (directory / f"{name}.log").write_text(f"no log: {error}\n", "utf-8")
        return directory

    def tails(self) -> str:
        directory = self.save_logs()
        found = [f"whole logs: {directory}"]
        for name in self.names():
            lines = (directory / f"{name}.log").read_text("utf-8").splitlines()
            found += [f"-- {name}", *(f"   {line[:300]}" for line in lines[-TAIL_LINES:])]
        return "\n".join(found)


    def hang_up(self, payload: dict[str, Any]) -> Callable[[], None]:
        """Sends a request; to be called to close the connection before there is an answer."""
        host, port = self.address("api")
        connection = http.client.HTTPConnection(host, port, timeout=REQUEST_TIMEOUT_S)
        connection.request("POST", "/v1/execute", json.dumps(payload),
                           HEADERS)
        return connection.close


class Request(threading.Thread):
    """One POST /v1/execute under way: `status`, `answer` and `seconds` once it has ended."""

    def __init__(self, fleet: Fleet, payload: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.fleet, self.payload = fleet, payload
        self.status, self.seconds = 0, 0.0
        self.answer: dict[str, Any] = {}
        self.began = time.monotonic()
        self.start()

    def run(self) -> None:
        try:
            self.status, body = self.fleet.ask("POST", "/v1/execute", self.payload)
            self.answer = json.loads(body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.answer = {"failed": repr(error)}
        self.seconds = time.monotonic() - self.began

    def wait(self) -> Request:
        self.join(REQUEST_TIMEOUT_S + 5)
        assert not self.is_alive(), "no answer"
        return self


def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = 15.0) -> Any:
    return service.wait_until(condition, what, timeout_s)
