"""Zygotes are replaced by plan: no job fails for it, and what they share changes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import unittest

from service import Part, Service, ServiceTest, descendants, wait_until

JOBS_A_ZYGOTE = 20
CLIENTS = 4
REPLACEMENTS = 3


class Replacement(ServiceTest):
    settings = {"ZYGOTE_MAX_JOBS": str(JOBS_A_ZYGOTE), "ZYGOTE_MAX_AGE_SEC": "2", "SLOTS": "2"}

    def seeds(self) -> set[str]:
        return {self.service.execute("print(hash('retort'))").stdout}

    def ready_lines(self) -> list[int]:
        return [line["pid"] for line in self.service.log_lines("worker")
                if line["event"] == "zygote_ready"]

    def test_by_number_of_jobs_while_clients_wait(self) -> None:
        answers: list[tuple[str, str]] = []
        before = len(self.ready_lines())
        enough = threading.Event()

        def client() -> None:
            i = 0
            while not enough.is_set():
                answer = self.service.execute(f"print({i} + 1)")
                answers.append((answer.stdout, f"{i + 1}\n"))
                i += 1

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: len(self.ready_lines()) - before >= REPLACEMENTS,
                       "some replacements", 60)
        finally:
            enough.set()
            for thread in threads:
                thread.join()
        self.assertGreaterEqual(len(answers), JOBS_A_ZYGOTE)
        for got, wanted in answers:
            self.assertEqual(got, wanted)

    def test_by_age_hash_seeds_change_and_the_old_one_goes(self) -> None:
        seeds = self.seeds()
        first = self.ready_lines()[-1]
        wait_until(lambda: self.ready_lines()[-1] != first, "another zygote", 30)
        wait_until(lambda: not os.path.exists(f"/proc/{first}"), "the end of the old one", 30)
        wait_until(lambda: self.seeds() - seeds, "another hash seed", 30)
        worker = self.service.parts["worker"].pid
        zygotes = [p for p in descendants(worker) if p.parent == worker]
        self.assertLessEqual(len(zygotes), 2)


class InUserNamespace(Service):
    """The worker, in a user namespace whose limits the test may change."""

    def start_part(self, name: str, command: list[str],
                   extra: dict[str, str] | None = None) -> Part:
        if name == "worker":
            command = ["unshare", "--user", "--map-root-user", *command]
        return super().start_part(name, command, extra)

    def limit_network_namespaces(self, number: int) -> None:
        subprocess.run(["nsenter", "--user", f"--target={self.parts['worker'].pid}", "sh", "-c",
                        f"echo {number} >/proc/sys/user/max_net_namespaces"], check=True)


def permitted() -> bool:
    probe = ["unshare", "--user", "--map-root-user", "unshare", "--net", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@unittest.skipUnless(os.geteuid() == 0 and permitted(), "needs root and user namespaces")
class Lacking(unittest.TestCase):
    """The host takes a layer away after the worker's start."""

    MISSING = "network-namespace (unshare: No space left on device)"

    def start(self, required: str, **settings: str) -> Service:
        service = InUserNamespace({"SLOTS": "1", "REQUIRE_ISOLATION": required, **settings})
        self.addCleanup(lambda: self.assertEqual(service.close(), []))
        service.start()
        return service

    def events(self, service: Service, event: str) -> list[dict[str, object]]:
        return [line for line in service.log_lines("worker") if line["event"] == event]

    def test_a_replacement_without_a_required_layer_is_not_used(self) -> None:
        service = self.start("network-namespace", ZYGOTE_MAX_AGE_SEC="1")
        service.limit_network_namespaces(0)
        wait_until(lambda: len(self.events(service, "zygote_not_replaced")) >= 2, "two refusals", 30)
        line = self.events(service, "zygote_not_replaced")[0]
        self.assertIn("REQUIRE_ISOLATION is not met", str(line["message"]))
        self.assertIn(self.MISSING, str(line["message"]))
        used = self.events(service, "zygote_ready")[-1]["pid"]
        self.assertEqual(service.execute("print(1)").stdout, "1\n")
        service.limit_network_namespaces(100)
        wait_until(lambda: self.events(service, "zygote_ready")[-1]["pid"] != used, "another", 60)
        self.assertEqual(service.execute("print(2)").stdout, "2\n")

    def test_a_worker_whose_zygote_cannot_be_replaced_is_not_ready(self) -> None:
        service = self.start("network-namespace")
        service.limit_network_namespaces(0)
        os.kill(int(str(self.events(service, "zygote_ready")[-1]["pid"])), signal.SIGKILL)
        wait_until(lambda: self.MISSING in str(self.events(service, "zygote_died")), "a refusal", 30)
        wait_until(lambda: service.request("GET", "/readyz").status == 503, "not ready", 30)
        self.assertEqual(len(self.events(service, "zygote_ready")), 1)
        service.limit_network_namespaces(100)
        wait_until(lambda: service.request("GET", "/readyz").status == 200, "ready again", 60)

    def test_what_is_not_required_is_logged_and_done_without(self) -> None:
        service = self.start("job-filter")
        service.limit_network_namespaces(0)
        os.kill(int(str(self.events(service, "zygote_ready")[-1]["pid"])), signal.SIGKILL)
        wait_until(lambda: len(self.events(service, "zygote_ready")) >= 2, "another", 30)
        self.assertEqual(service.execute("print(3)").stdout, "3\n")
        missing = [line["missing"] for line in self.events(service, "isolation")]
        self.assertEqual((len(missing), missing[-1]), (2, self.MISSING))


if __name__ == "__main__":
    unittest.main()
