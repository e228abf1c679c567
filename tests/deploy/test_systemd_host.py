"""The units of deploy/systemd under a real systemd: services that serve, sealed as written, and
restarts that no client notices."""

from __future__ import annotations

import json
import threading
import unittest
from typing import Any

import systemd_host
from systemd_host import SystemdHost

UNITS = ("retort-api.service", "retort-worker.service")
GROUPS = {"memory-cgroup", "pids-cgroup"}


class Host(unittest.TestCase):
    host: SystemdHost

    @classmethod
    def setUpClass(cls) -> None:
        missing = systemd_host.what_is_missing()
        if missing:
            raise unittest.SkipTest(f"this machine cannot: {missing}")
        cls.host = SystemdHost("API_PROCESSES=2\n")
        cls.addClassCleanup(cls.host.close)

    def ask(self, code: str) -> Any:
        printed = self.host.run(
            "curl", "--silent", "--show-error", "--max-time", "20", "http://127.0.0.1:8000/v1/execute",
            "--header", "Content-Type: application/json", "--data", json.dumps({"code": code}))
        return json.loads(printed)

    def pid(self, unit: str) -> int:
        return int(self.host.show(unit, "MainPID"))

    def status(self, unit: str) -> dict[str, str]:
        """/proc/PID/status of its first process."""
        lines = self.host.run("cat", f"/proc/{self.pid(unit)}/status").splitlines()
        return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}

    def test_a_program_runs(self) -> None:
        self.assertEqual(self.ask("print(6 * 7)")["stdout"], "42\n")

    def test_the_programs_are_sealed(self) -> None:
        self.ask("1")
        for unit in UNITS:
            with self.subTest(unit):
                found = self.status(unit)
                self.assertNotEqual(found["Uid"].split()[0], "0")
                self.assertEqual(int(found["CapEff"], 16) | int(found["CapBnd"], 16), 0)
                self.assertEqual((found["NoNewPrivs"], found["Seccomp"]), ("1", "2"))

    def test_the_worker_has_every_layer_that_the_host_can_give(self) -> None:
        self.ask("1")
        lines = self.host.run("journalctl", "--no-pager", "--output=cat", "--unit",
                              "retort-worker").splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        missing = {word.split(" ")[0] for event in events if event["event"] == "isolation"
                   for word in event["missing"].split("), ")}
        controllers = (self.host.cgroup / "cgroup.controllers").read_text().split()
        self.assertLessEqual(missing, set() if {"memory", "pids"} <= set(controllers) else GROUPS)

    def test_no_client_notices_that_the_api_is_restarted(self) -> None:
        answers: list[Any] = []

        def keep_asking() -> None:
            for i in range(12):
                answers.append(self.ask(f"import time; time.sleep(0.1); print({i})"))
        clients = [threading.Thread(target=keep_asking) for _ in range(2)]
        before = self.pid(UNITS[0])
        for client in clients:
            client.start()
        for _ in range(2):
            self.host.run("systemctl", "restart", UNITS[0])
        for client in clients:
            client.join()
        self.assertNotEqual(self.pid(UNITS[0]), before)
        self.assertEqual(sorted(int(answer["stdout"]) for answer in answers),
                         sorted(list(range(12)) * 2))

    def test_a_worker_that_is_stopped_ends_in_order_and_one_that_dies_comes_back(self) -> None:
        self.host.run("systemctl", "stop", UNITS[1])
        self.assertEqual(self.host.show(UNITS[1], "Result"), "success")
        self.assertEqual(self.host.show(UNITS[1], "ExecMainStatus"), "0")
        self.host.run("systemctl", "start", UNITS[1])
        self.assertEqual(self.ask("print(1)")["stdout"], "1\n")
        self.host.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", UNITS[1])
        self.assertEqual(self.ask("print(2)")["stdout"], "2\n")

    def test_redis_has_its_users_and_its_file(self) -> None:
        printed = self.host.run("env", "REDISCLI_AUTH=admin", "redis-cli", "--user", "admin", "CONFIG",
                                "GET", "append[of]*")
        words = printed.split()
        self.assertEqual(words[words.index("appendfsync") + 1], "always")
        self.assertEqual(words[words.index("appendonly") + 1], "yes")
        self.assertIn("NOAUTH", self.host.run("redis-cli", "PING"))


if __name__ == "__main__":
    unittest.main()
