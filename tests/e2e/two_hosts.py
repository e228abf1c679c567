"""Two worker hosts against one: throughput of jobs that sleep 100 ms, in network namespaces.

    two_hosts.py [--at-least 1.9]

The slots of a host are its limit (SLOTS jobs at once), the processors are not. More clients than
slots keep the queue filled; one host and two take turns. Prints the ratio, and fails below the bound.
run.py's namespaces are made first: this program starts itself again in them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import docker_run  # noqa: E402
from netns import Netns  # noqa: E402

SLOTS = 4
CLIENTS = 4 * SLOTS
ROUNDS = 3
WARM_S = 1.0
MEASURED_S = 5.0
BODY = json.dumps({"code": "import time; time.sleep(0.1)"})


def client(address: tuple[str, int], until: float, ended: list[float]) -> None:
    """One request after the other on one connection; when each was answered."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    while time.monotonic() < until:
        connection.request("POST", "/v1/execute", BODY, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        ended.append(time.monotonic())
    connection.close()


def throughput(fleet: Netns) -> float:
    """Jobs per second once the queue is filled."""
    began = time.monotonic() + WARM_S
    until = began + MEASURED_S
    ended: list[float] = []
    clients = [threading.Thread(target=client, args=(fleet.address("api"), until, ended))
               for _ in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return sum(began <= moment < until for moment in ended) / MEASURED_S


def measure() -> tuple[float, float]:
    """Medians of one host and of two."""
    fleet = Netns({"SLOTS": str(SLOTS)})
    rates: dict[int, list[float]] = {1: [], 2: []}
    try:
        fleet.start(2)
        for _ in range(ROUNDS):
            fleet.wait_ready()
            rates[2].append(throughput(fleet))
            assert fleet.stop("worker2") == 0
            rates[1].append(throughput(fleet))
            fleet.begin("worker2")
        fleet.wait_ready()
    except BaseException:
        print(fleet.tails())
        raise
    finally:
        faults = fleet.close()
    assert not faults, faults
    return statistics.median(rates[1]), statistics.median(rates[2])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--at-least", type=float, default=1.9)
    bound = parser.parse_args().at_least
    if os.environ.get("TWO_HOSTS_INSIDE") != "1":
        return subprocess.run([*docker_run.NAMESPACES, sys.executable, *sys.argv], check=False,
                              env={**os.environ, "TWO_HOSTS_INSIDE": "1"}, timeout=180).returncode
    one, two = measure()
    print(f"one worker host {one:.1f} jobs/s, two {two:.1f} jobs/s ({SLOTS} slots each, "
          f"{10 * SLOTS} jobs/s at best): {two / one:.2f} times (at least {bound})")
    return 0 if two / one >= bound else 1


if __name__ == "__main__":
    sys.exit(main())
