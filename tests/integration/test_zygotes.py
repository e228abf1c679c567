"""Zygotes are replaced by plan: no job fails for it, and what they share changes."""

from __future__ import annotations

import os
import threading

from service import ServiceTest, descendants, wait_until

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
