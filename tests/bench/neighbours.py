"""`make neighbours`: what hostile programs cost those who share a worker with them.

One client sends print(1+1) at a steady rate. In turns nothing else runs, and each of the other
slots runs programs of tests/hostile/corpus.toml without a pause. A latency counts from when its
request was due. The p99 may at most double. With all slots taken a request waits for one, whatever
runs in them; so one slot is left to the client.

A turn in which the machine's other programs took more than a tenth of it does not count and is
tried again, for as long as --patience allows; then the others count too, and this is said.

    neighbours.py [--turns N] [--seconds N] [--patience SECONDS]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "hostile"))
import corpus  # noqa: E402
from service import BUILD, Service, wait_until  # noqa: E402

RATE = 50
BAR = 2.0
SETTLE_S = 0.5
OTHERS_SHARE = 0.1
TICKS_PER_S = os.sysconf("SC_CLK_TCK") * (os.cpu_count() or 1)
CLIENTS = 4
SHOWN = ("p50_us", "p90_us", "p99_us")


class Hogs:
    """Processes that send hostile programs, one after the other, until they are stopped."""

    def __init__(self, service: Service, count: int) -> None:
        programs = [case for case in corpus.load() if not case.refused]
        self.pids = []
        for number in range(count):
            pid = os.fork()
            if pid == 0:
                self.send_for_ever(service, random.Random(number).sample(programs, len(programs)))
            self.pids.append(pid)

    @staticmethod
    def send_for_ever(service: Service, programs: list[corpus.Case]) -> None:
        try:
            while True:
                for case in programs:
                    service.post({"code": case.program.decode("utf-8", "surrogateescape"),
                                  "stdin": case.stdin, "timeout_ms": min(case.timeout_ms, 2000)})
        finally:
            os._exit(1)

    def stop(self) -> None:
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def stat_numbers(path: str, after: str) -> list[int]:
    line = pathlib.Path(path).read_text().split("\n")[0]
    return [int(word) for word in line.rsplit(after, 1)[1].split() if word.lstrip("-").isdigit()]


class Others:
    """What share of the machine those took that are not ours, since it was asked last."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.last = self.ticks(), time.monotonic()

    def ticks(self) -> int:
        user, nice, system, _idle, _wait, irq, softirq = stat_numbers("/proc/stat", "cpu ")[:7]
        zygote = self.service.zygote()
        pids = [os.getpid(), *(part.pid for part in self.service.parts.values())]
        pids += [zygote.pid] if zygote else []
        # Of each process and the children that it has waited for: fields 14 to 17.
        ours = sum(sum(stat_numbers(f"/proc/{pid}/stat", ")")[10:14]) for pid in pids)
        return user + nice + system + irq + softirq - ours

    def share(self) -> float:
        before, self.last = self.last, (self.ticks(), time.monotonic())
        return (self.last[0] - before[0]) / ((self.last[1] - before[1]) * TICKS_PER_S)


@dataclasses.dataclass
class Turn:
    quiet: dict[str, float]
    loud: dict[str, float]
    others: float

    def line(self) -> str:
        figures = (f"{name[:3]} {self.quiet[name] / 1000:.2f} -> {self.loud[name] / 1000:.2f} ms"
                   for name in SHOWN)
        return f"  {', '.join(figures)} (others: {self.others:.0%})"


class Bench:
    def __init__(self, service: Service, body: str, hogs: int, seconds: float) -> None:
        self.service = service
        self.body = body
        self.hogs = hogs
        self.seconds = seconds

    def load(self) -> dict[str, float]:
        requests = max(CLIENTS + 1, int(self.seconds * RATE))
        done = subprocess.run([str(BUILD / "tests/bench/load"), str(self.service.port),
                               str(CLIENTS), str(requests), self.body, '"stdout":"2\\n"',
                               str(1000000 // RATE)], capture_output=True, text=True, check=True)
        figures: dict[str, float] = json.loads(done.stdout)
        if figures["errors"]:
            raise SystemExit(f"neighbours: {figures['errors']:.0f} wrong answers")
        return figures

    def turn(self) -> Turn:
        others = Others(self.service)
        quiet = self.load()
        share = others.share()
        running = Hogs(self.service, self.hogs)
        try:
            time.sleep(SETTLE_S)
            loud = self.load()
        finally:
            running.stop()
        wait_until(lambda: not self.service.busy_job(), "the end of the last hostile program")
        return Turn(quiet, loud, max(share, others.share()))

    def turns(self, wanted: int, patience_s: float) -> list[Turn]:
        """Those that count."""
        good: list[Turn] = []
        disturbed: list[Turn] = []
        until = time.monotonic() + patience_s
        while len(good) < wanted and time.monotonic() < until:
            turn = self.turn()
            (good if turn.others <= OTHERS_SHARE else disturbed).append(turn)
            print(turn.line(), flush=True)
        if len(good) == wanted:
            return good
        print(f"  the machine was not ours: {len(good)} turns undisturbed, all are counted")
        return good + disturbed


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--patience", type=float, default=300)
    arguments = parser.parse_args()
    slots = max(2, os.cpu_count() or 2)
    service = Service({**corpus.SETTINGS, "SLOTS": str(slots)})
    try:
        service.start()
        with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
            json.dump({"code": "print(1+1)"}, body)
            body.flush()
            bench = Bench(service, body.name, slots - 1, arguments.seconds)
            bench.load()
            turns = bench.turns(arguments.turns, arguments.patience)
    finally:
        faults = service.close()
    quiet, loud = (statistics.median(side["p99_us"] for side in sides)
                   for sides in ([turn.quiet for turn in turns], [turn.loud for turn in turns]))
    print(f"neighbours: p99 {quiet / 1000:.2f} ms alone, {loud / 1000:.2f} ms beside "
          f"{slots - 1} of {slots} slots with hostile programs: {loud / quiet:.2f} times, "
          f"at most {BAR}")
    print("\n".join(faults))
    return 1 if faults or loud > BAR * quiet else 0


if __name__ == "__main__":
    sys.exit(main())
