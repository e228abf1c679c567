"""One Redis that writes every job to disk, two APIs, three workers, each on a link of its own, and
the means to hurt them."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy")]
from service import BUILD, Redis, Service, descendants, processes, wait_until  # noqa: E402
from stack import REDIS_CONFIG, redis_server  # noqa: E402
from faults import APIS, LINKS, WORKERS, Fault  # noqa: E402
from proxy import Links  # noqa: E402

WAIT_MS, ATTEMPTS = 6000, 2
API_DRAIN_MS, WORKER_DRAIN_MS = 20000, 2000
KEPT_NAME = "w3"      # restarted under its name, the others under new ones
DURABLE = "appendonly yes\nappendfsync always\n"
PREFIX = "retort:"


class Cluster:
    def __init__(self) -> None:
        self.service = Service({"SLOTS": "2", "MAX_QUEUE_WAIT_MS": str(WAIT_MS),
                                "MAX_ATTEMPTS": str(ATTEMPTS), "MAX_EXEC_TIMEOUT_MS": "4000"})
        self.directory = self.service.directory
        self.links = Links(self.directory / "redis.sock")
        self.link = {name: self.links.add() for name in LINKS}
        self.names: dict[str, str] = {}       # of the part that plays it now
        self.generation = 0
        self.lock = threading.RLock()
        # A part is ended by the kernel when the thread ends that started it.
        self.starter = concurrent.futures.ThreadPoolExecutor(1)
        self.busy: set[str] = set()
        self.listening: dict[str, int] = {}
        self.faults: list[str] = []
        self.hurt_processes: set[int] = set()
        (self.directory / "redis.conf").write_text(
            REDIS_CONFIG.format(directory=self.directory) + DURABLE)

    # ---- starting ----

    def start(self) -> None:
        self.start_one("redis")
        for name in WORKERS + APIS:
            self.start_one(name)
        wait_until(lambda: self.registry() >= len(WORKERS), "all workers are registered", 60)

    def start_one(self, name: str) -> None:
        self.starter.submit(self.start_here, name).result(90)

    def start_here(self, name: str) -> None:
        with self.lock:
            self.generation += 1
            part = f"{name}.{self.generation}"
            self.names[name] = part
        if name == "redis":
            self.service.start_part(part, [redis_server(self.directory),
                                           str(self.directory / "redis.conf")])
            wait_until(self.service.redis_answers, "Redis answers", 30)
            return
        url = f"redis://127.0.0.1:{self.link[name].port}/0"
        if name in WORKERS:
            self.service.start_part(part, [str(BUILD / "retort-worker")], {
                "REDIS_URL": url, "WORKER_ID": name if name == KEPT_NAME else part,
                "DRAIN_TIMEOUT_MS": str(WORKER_DRAIN_MS)})
            return
        self.service.start_part(part, [str(BUILD / "retort-api")], {
            "REDIS_URL": url, "DRAIN_TIMEOUT_MS": str(API_DRAIN_MS)})
        with self.lock:
            wait_until(lambda: self.service.read_port(self.service.parts[part]), "API listens", 30)
            self.listening[name] = self.service.port

    def ports(self) -> dict[str, int]:
        with self.lock:
            return dict(self.listening)

    def part(self, name: str):  # type: ignore[no-untyped-def]
        return self.service.parts[self.names[name]]

    # ---- looking ----

    def redis(self, *words: str) -> object:
        connection = Redis(self.directory / "redis.sock")
        try:
            return connection.command(*words)
        finally:
            connection.close()

    def registry(self) -> int:
        return int(self.redis("ZCARD", PREFIX + "workers"))  # type: ignore[call-overload]

    def keys(self) -> dict[str, int]:
        """Each with the milliseconds that it has left."""
        names = [key.decode() for key in self.redis("KEYS", "*")]  # type: ignore[attr-defined]
        return {name: int(self.redis("PTTL", name)) for name in names}  # type: ignore[call-overload]

    def waiting(self) -> int:
        return sum(int(self.redis("LLEN", key)) for key in self.keys()  # type: ignore[call-overload]
                   if key.startswith((PREFIX + "queue:", PREFIX + "inflight:")))

    def descriptors(self) -> dict[str, int]:
        return {name: len(os.listdir(f"/proc/{self.part(name).pid}/fd")) for name in APIS + WORKERS}

    # ---- hurting ----

    def apply(self, fault: Fault) -> str:
        """Does it, waits, heals. Returns what was wrong with the process, if anything."""
        kind, target = fault.kind, fault.target
        if kind.startswith("link "):
            self.links.hurt(self.link[target], kind[5:])
            time.sleep(fault.lasts)
            self.links.hurt(self.link[target], "ok")
            return ""
        if kind == "requeue":
            subprocess.run([str(BUILD / "retort-admin"), "requeue", "--worker", self.worker(target)],
                           env={**os.environ, **self.service.environment}, timeout=30,
                           capture_output=True)
            return ""
        return self.apply_to_process(kind, target, fault.lasts)

    def worker(self, name: str) -> str:
        return name if name == KEPT_NAME else self.names[name]

    def apply_to_process(self, kind: str, target: str, lasts: float) -> str:
        part = self.part(target)
        below = {p.pid for p in descendants(part.pid)}
        if kind in ("stop", "stop long"):
            os.kill(part.pid, signal.SIGSTOP)
            time.sleep(lasts)
            os.kill(part.pid, signal.SIGCONT)
            return ""
        if kind.endswith("zygote"):
            zygote = next((p for p in descendants(part.pid) if p.parent == part.pid), None)
            return self.hurt_zygote(kind, zygote.pid, lasts) if zygote else ""
        self.service.expected_deaths.add(part.name)
        self.hurt_processes |= below
        with self.lock:
            self.listening.pop(target, None)
        fault = self.end(kind, target, part)
        time.sleep(lasts)
        self.start_one(target)
        return fault

    @staticmethod
    def hurt_zygote(kind: str, pid: int, lasts: float) -> str:
        try:
            os.kill(pid, signal.SIGKILL if kind == "kill zygote" else signal.SIGSTOP)
            time.sleep(lasts)
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
        return ""

    def end(self, kind: str, target: str, part) -> str:  # type: ignore[no-untyped-def]
        if kind == "kill":
            os.kill(part.pid, signal.SIGKILL)
        elif kind == "term":
            os.kill(part.pid, signal.SIGTERM)
        elif kind == "drain":
            try:
                self.redis("LPUSH", PREFIX + "cancel:" + self.worker(target), "!drain")
                self.redis("PEXPIRE", PREFIX + "cancel:" + self.worker(target), "60000")
            except (OSError, RuntimeError):
                os.kill(part.pid, signal.SIGTERM)
        try:
            status = part.process.wait((API_DRAIN_MS if target in APIS else 20000) / 1000 + 10)
        except subprocess.TimeoutExpired:
            part.kill()
            return f"{part.name} did not end after {kind}"
        return f"{part.name} {part.ending()} after {kind}" if status and kind != "kill" else ""

    # ---- ending ----

    def close(self) -> list[str]:
        faults = self.service_faults()
        self.links.close()
        self.starter.shutdown()
        return faults

    def service_faults(self) -> list[str]:
        left = self.hurt_processes & {p.pid for p in processes().values() if p.state != "Z"}
        found = [f"process {pid}, of a part that ended, is left" for pid in left]
        return found + self.service.close()
