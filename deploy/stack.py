"""A private redis-server, a worker and an API, started and stopped together.

Theory of operation. One directory of mode 0700 holds everything: the redis socket, logs. The three
programs are started in the order redis, worker, api and stopped in the opposite order, each in a
session of its own, so that a terminal's Ctrl-C reaches only who called us and the order is ours.
Each gets SIGTERM from the kernel should the caller die without having stopped it (setpriv
--pdeathsig). Nothing else is waited for by sleeping: redis is there when its socket takes a
connection, the API when it logs the port that it is bound to, the service when /readyz says that
a program has run.

Used by deploy/serve.py (`make run`) and by tests/support/service.py.
"""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
POLL_S = 0.005
# /readyz keeps a bad outcome for a moment; asking more often only fills the log.
NOT_READY_S = 0.1
START_TIMEOUT_S = 30.0
# Debian's redis-tools holds the server under this name; it acts by the name it is called by.
REDIS_UNDER_OTHER_NAME = "/usr/bin/redis-check-rdb"

REDIS_CONFIG = """\
port 0
unixsocket {directory}/redis.sock
unixsocketperm 700
dir {directory}
daemonize no
# The queue lives as long as this directory, which ends with the service: nothing to keep on disk.
save ""
appendonly no
databases 1
"""


class StackError(Exception):
    """One sentence for the person at the terminal."""


class Part:
    """One of the programs: its process and its log."""

    def __init__(self, name: str, command: list[str], log: pathlib.Path,
                 environment: dict[str, str]) -> None:
        self.name = name
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *command], env=environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def ending(self) -> str:
        status = self.process.poll()
        if status is None:
            return "runs"
        if status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        return f"ended with status {status}"

    def log_text(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def log_tail(self, lines: int = 12) -> str:
        return "\n".join("    " + line for line in self.log_text().splitlines()[-lines:])

    def terminate(self, grace_s: float) -> bool:
        """SIGTERM, then after grace_s SIGKILL to what is left of the group. True: it ended itself."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(grace_s)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.kill()

    def kill(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def redis_server(directory: pathlib.Path) -> str:
    found = shutil.which("redis-server")
    if found:
        return found
    if not os.path.exists(REDIS_UNDER_OTHER_NAME):
        raise StackError("redis-server is missing; deploy/deps.sh installs it")
    link = directory / "redis-server"
    if not link.is_symlink():
        link.symlink_to(REDIS_UNDER_OTHER_NAME)
    return str(link)


class Stack:
    """
        with Stack(build, {"PORT": "0"}) as stack:
            stack.start()
            ... stack.url ...
    """

    def __init__(self, build: pathlib.Path, settings: dict[str, str],
                 directory: pathlib.Path | None = None) -> None:
        self.build = build
        self.directory = directory or pathlib.Path(tempfile.mkdtemp(prefix="retort-"))
        (self.directory / "storage").mkdir(mode=0o700, parents=True, exist_ok=True)
        self.private_redis = not settings.get("REDIS_URL")
        self.environment = {
            "REDIS_URL": f"unix://{self.directory}/redis.sock",
            "STORAGE_DIR": str(self.directory / "storage"),
            "IMAGE": "" if settings.get("PYTHON_WASM_PATH")
            else str(REPOSITORY / "build/image/python"),
            **settings,
        }
        self.parts: dict[str, Part] = {}
        self.host = settings.get("HOST") or "127.0.0.1"
        self.port = 0
        self.readiness = ""

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *unused: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        if self.private_redis:
            self.start_redis()
        self.start_worker()
        self.start_api()
        self.wait_ready()

    def start_part(self, name: str, command: list[str], extra: dict[str, str] | None = None) -> Part:
        environment = {**os.environ, **self.environment, **(extra or {})}
        part = Part(name, command, self.directory / f"{name}.log", environment)
        self.parts[name] = part
        return part

    def start_redis(self, more: str = "") -> Part:
        """more: lines of its configuration, which go over ours."""
        config = self.directory / "redis.conf"
        config.write_text(REDIS_CONFIG.format(directory=self.directory) + more)
        part = self.start_part("redis", [redis_server(self.directory), str(config)])
        self.wait_for(self.redis_answers, "redis does not answer")
        return part

    def start_worker(self, name: str = "worker", extra: dict[str, str] | None = None) -> Part:
        return self.start_part(name, [str(self.build / "retort-worker")], extra)

    def start_api(self, name: str = "api", extra: dict[str, str] | None = None) -> Part:
        part = self.start_part(name, [str(self.build / "retort-api")], extra)
        self.wait_for(lambda: self.read_port(part), "the API does not listen")
        return part

    def read_port(self, part: Part) -> bool:
        """Takes the port from the API's line "listening"; with PORT=0 nobody else knows it."""
        for line in part.log_text().splitlines():
            if '"listening"' in line:
                self.port = int(json.loads(line)["port"])
                return True
        return False

    def redis_answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.directory / "redis.sock"))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def is_ready(self) -> bool:
        """Asks /readyz, which runs a program; keeps its sentence for who gives up waiting."""
        address = self.url.removeprefix("http://").rsplit(":", 1)
        connection = http.client.HTTPConnection(address[0].strip("[]"), int(address[1]), timeout=5)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            self.readiness = answer.read().decode("utf-8", "replace").strip()
            if answer.status != 200:
                time.sleep(NOT_READY_S)
            return answer.status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def wait_ready(self) -> None:
        try:
            self.wait_for(self.is_ready, "the service does not get ready (GET /readyz)")
        except StackError as error:
            raise StackError(f"{error}\n  /readyz: {self.readiness}") from None

    def wait_for(self, condition: object, failure: str, timeout_s: float = START_TIMEOUT_S) -> None:
        """Until condition() holds; a part that dies meanwhile ends the waiting."""
        deadline = time.monotonic() + timeout_s
        while not condition():  # type: ignore[operator]
            self.check()
            if time.monotonic() > deadline:
                tails = "\n".join(f"  {part.name}:\n{part.log_tail()}"
                                  for part in self.parts.values())
                raise StackError(f"{failure} after {timeout_s:.0f} s; the last of the logs:\n{tails}")
            time.sleep(POLL_S)

    def wait_for_an_end(self) -> None:
        """Sleeps until a part ends by itself, then raises."""
        descriptors = [os.pidfd_open(part.pid) for part in self.parts.values()]
        try:
            select.select(descriptors, [], [])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self.check()

    def check(self) -> None:
        """Raises when a part has ended by itself."""
        for part in self.parts.values():
            if not part.alive():
                raise StackError(f"{part.name} {part.ending()}; the last of its log:\n"
                                 f"{part.log_tail()}")

    def stop(self, grace_s: float = 15.0, remove: bool = True) -> list[str]:
        """Stops all parts, last started first. Returns the names of those that had to be killed."""
        killed = [name for name, part in reversed(self.parts.items())
                  if not part.terminate(grace_s)]
        self.parts.clear()
        if remove:
            shutil.rmtree(self.directory, ignore_errors=True)
        return killed
