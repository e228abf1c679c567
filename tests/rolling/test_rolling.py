"""A rolling restart from the programs of RETORT_PREVIOUS to this tree's and back, one at a time, under
load: no request fails, and each is answered right.

Clients do what a load balancer does: they use the APIs that are in its rotation, and one that is
to be stopped leaves the rotation before.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from service import BUILD, Part, Service, wait_until  # noqa: E402

PREVIOUS = pathlib.Path(os.environ["RETORT_PREVIOUS"])
CLIENTS = 6
SETTLE_S = 1.0  # between two steps, under load


class Rotation:
    """Ports of the APIs that new connections go to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ports: list[int] = []

    def add(self, port: int) -> None:
        with self.lock:
            self.ports.append(port)

    def remove(self, port: int) -> None:
        with self.lock:
            self.ports.remove(port)

    def choose(self) -> int:
        with self.lock:
            return random.choice(self.ports)


class Client(threading.Thread):
    """Sends one request after the other; what it got that it should not have is in `faults`."""

    def __init__(self, service: Service, rotation: Rotation, number: int) -> None:
        super().__init__(daemon=True)
        self.service, self.rotation, self.number = service, rotation, number
        self.ended = threading.Event()
        self.answers = 0
        self.workers: set[str] = set()
        self.faults: list[str] = []

    def run(self) -> None:
        turn = 0
        while not self.ended.is_set():
            turn += 1
            self.ask(f"{self.number}.{turn}", turn % 3)

    def ask(self, text: str, kind: int) -> None:
        code = [f"print('{text}')", f"import time; time.sleep(0.2); print('{text}')",
                f"print(input() + '{text}'); raise SystemExit(3)"][kind]
        expected = (text + "\n", 0) if kind < 2 else ("in " + text + "\n", 3)
        try:
            answer = Service.request_to(self.rotation.choose(), {"code": code, "stdin": "in \n"})
            got = (answer.json["stdout"], answer.json["exit_code"]) if answer.status == 200 else (
                answer.status, answer.body)
        except OSError as error:
            got = (type(error).__name__, error)
        if got == expected:
            self.answers += 1
        else:
            self.faults.append(f"{text}: {got}")


class Rolling(unittest.TestCase):
    def setUp(self) -> None:
        self.service = Service({"SLOTS": "4", "MAX_EXEC_TIMEOUT_MS": "5000"})
        self.addCleanup(self.close)
        self.service.start_redis("appendonly yes\nappendfsync always\n")
        self.rotation = Rotation()
        self.ports: dict[str, int] = {}

    def close(self) -> None:
        self.assertEqual(self.service.close(), [])

    def start(self, build: pathlib.Path, kind: str, name: str) -> None:
        self.service.build = build
        if kind == "worker":
            self.service.start_worker(name)
            wait_until(lambda: self.service.log_has(name, "zygote_ready"), f"{name} is ready")
            return
        self.service.start_api(name)
        self.ports[name] = self.service.port
        wait_until(lambda: Service.get(self.ports[name], "/readyz").status == 200,
                   f"{name} is ready")
        self.rotation.add(self.ports[name])

    def end(self, name: str) -> None:
        if name in self.ports:
            self.rotation.remove(self.ports[name])
            time.sleep(0.05)  # requests that have chosen it are sent
        part: Part = self.service.parts[name]
        os.kill(part.pid, signal.SIGTERM)
        self.assertEqual(part.process.wait(30), 0, part.log_tail())
        del self.service.parts[name]

    def replace(self, kind: str, old: str, new: str, build: pathlib.Path) -> None:
        self.start(build, kind, new)
        time.sleep(SETTLE_S)
        self.end(old)
        time.sleep(SETTLE_S)

    def roll(self, before: pathlib.Path, after: pathlib.Path, workers_first: bool) -> None:
        for i in (1, 2):
            self.start(before, "worker", f"old-worker-{i}")
            self.start(before, "api", f"old-api-{i}")
        clients = [Client(self.service, self.rotation, i) for i in range(CLIENTS)]
        for client in clients:
            client.start()
        kinds = ["worker", "api"] if workers_first else ["api", "worker"]
        for kind in kinds:
            for i in (1, 2):
                self.replace(kind, f"old-{kind}-{i}", f"new-{kind}-{i}", after)
        for client in clients:
            client.ended.set()
        for client in clients:
            client.join(30)
        faults = [fault for client in clients for fault in client.faults]
        answers = sum(client.answers for client in clients)
        print(f"{answers} requests, {len(faults)} failed", end=" ", flush=True)
        self.assertEqual(faults, [])
        self.assertGreater(answers, 100)
        self.assertEqual([key for key in self.service.keys() if "inflight:" in key], [])

    def test_to_this_version_workers_first(self) -> None:
        self.roll(PREVIOUS, BUILD, workers_first=True)

    def test_to_this_version_apis_first(self) -> None:
        self.roll(PREVIOUS, BUILD, workers_first=False)

    def test_back_to_the_version_before(self) -> None:
        self.roll(BUILD, PREVIOUS, workers_first=True)


if __name__ == "__main__":
    unittest.main()
