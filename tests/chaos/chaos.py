"""Load, while processes are killed, stopped and restarted and links are hurt; then everything is
healed and what came is held against what was sent.

    chaos.py --seed 7 --seconds 60

What goes wrong follows from the seed alone. On failure the timeline is printed and the logs stay.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import threading
import time

from cluster import ATTEMPTS, PREFIX, Cluster, wait_until
from faults import Fault, plan
from load import HANG_S, Client, Request
from verdicts import Applied, wrong

CLIENTS = 8
QUIET_S = 60.0
# How long keys may live that are not of one job.
DAY_MS = 86_400_000
LIFE_MS = {"queue": DAY_MS, "inflight": DAY_MS, "workers": DAY_MS, "sweeps": DAY_MS, "dead": DAY_MS,
           "storage": 40 * DAY_MS, "usage": 40 * DAY_MS}
# Idle connections of the pool and of clients; connections that come and go.
MORE_DESCRIPTORS = {"api": 60, "w": 20}


class Chaos:
    def __init__(self, seed: int, seconds: float) -> None:
        self.seed, self.seconds = seed, seconds
        self.cluster = Cluster()
        self.lock = threading.Lock()
        self.requests: list[Request] = []
        self.applied: list[Applied] = []
        self.skipped = 0
        self.wrong: list[str] = []

    def note(self, request: Request) -> None:
        with self.lock:
            self.requests.append(request)

    def apply(self, fault: Fault) -> None:
        alone = not fault.kind.startswith("link ") and fault.kind != "requeue"
        with self.lock:
            if alone and fault.target in self.cluster.busy:
                self.skipped += 1
                return
            if alone:
                self.cluster.busy.add(fault.target)
            applied = Applied(fault, time.monotonic())
            self.applied.append(applied)
        try:
            why = self.cluster.apply(fault)
        except Exception as error: # noqa: BLE001: whatever it is, it is a finding
            why = f"{fault}: {type(error).__name__}: {error}"
        with self.lock:
            applied.ended = time.monotonic()
            self.cluster.busy.discard(fault.target) if alone else None
            self.wrong += [why] if why else []

    def run(self) -> None:
        self.cluster.start()
        self.before = self.cluster.descriptors()
        self.began = time.monotonic()
        clients = [Client(f"{self.seed}.{i}", self.cluster.ports, self.note)
                   for i in range(CLIENTS)]
        for client in clients:
            client.start()
        threads = []
        for fault in plan(self.seed, self.seconds):
            time.sleep(max(0.0, self.began + fault.at - time.monotonic()))
            threads.append(threading.Thread(target=self.apply, args=(fault,)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        time.sleep(2)
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(HANG_S + 10)
        self.reconcile()

    def reconcile(self) -> None:
        try:
            wait_until(lambda: self.cluster.waiting() == 0, "nothing is queued or in flight", QUIET_S)
        except AssertionError as error:
            self.wrong.append(f"{error}: {self.cluster.keys()}")
        for request in self.requests:
            why = wrong(request, self.applied)
            if why:
                self.wrong.append(
                    f"{request.began - self.began:.2f} to {request.ended - self.began:.2f} s, "
                    f"{request.api}, {request.kind}: {why}: {request.name} {request.answer}")
        for key, ttl in self.cluster.keys().items():
            most = LIFE_MS.get(key[len(PREFIX):].split(":")[0], 75_000)
            if not 0 <= ttl <= most and ttl != -2:
                self.wrong.append(f"key {key} expires in {ttl} ms")
        for name, count in self.cluster.descriptors().items():
            more = MORE_DESCRIPTORS["w" if name.startswith("w") else "api"]
            if count > self.before[name] + more:
                self.wrong.append(f"{name} has {count} descriptors, {self.before[name]} at first")
        self.count_runs()

    def count_runs(self) -> None:
        runs: collections.Counter[str] = collections.Counter()
        for part in list(self.cluster.service.parts):
            if part.startswith("w"):
                for line in self.cluster.service.log_lines(part):
                    if line.get("event") == "job":
                        runs[line["id"]] += 1
        self.wrong += [f"job {job} ended {count} times" for job, count in runs.items()
                       if count > ATTEMPTS]

    def report(self) -> None:
        faults = collections.Counter(one.fault.kind for one in self.applied)
        answers = collections.Counter(request.name for request in self.requests)
        print(f"seed {self.seed}, {self.seconds:.0f} s: {len(self.requests)} requests, "
              f"{len(self.applied)} faults ({self.skipped} skipped)")
        print("  faults: " + ", ".join(f"{kind} {n}" for kind, n in sorted(faults.items())))
        print("  answers: " + ", ".join(f"{name} {n}" for name, n in answers.most_common()))
        if self.wrong:
            for one in self.applied:
                print(f"  {one.began - self.began:7.2f} to {one.ended - self.began:7.2f} s: "
                      f"{one.fault.kind} {one.fault.target}")
            for why in self.wrong:
                print(f"  WRONG {why}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--seconds", type=float, default=60)
    chosen = parser.parse_args()
    print(f"chaos: seed {chosen.seed}", flush=True)
    chaos = Chaos(chosen.seed, chosen.seconds)
    kept: list[str] = []
    try:
        chaos.run()
    except Exception as error: # noqa: BLE001: the processes must be ended in any case
        chaos.wrong.append(f"{type(error).__name__}: {error}")
    finally:
        for name, part in chaos.cluster.service.parts.items():
            kept.append(f"== {name}\n{part.log_text()}")
        chaos.wrong += chaos.cluster.close()
    chaos.report()
    if chaos.wrong:
        path = f"build/chaos-{chosen.seed}.log"
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(kept))
        print(f"  logs: {path}; again: make chaos SEED={chosen.seed} SECONDS={chosen.seconds:.0f}")
    print(f"chaos: {int(not chaos.wrong)} passed, {int(bool(chaos.wrong))} failed, 0 skipped")
    return 1 if chaos.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
