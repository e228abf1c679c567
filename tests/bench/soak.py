"""`make soak SECONDS=1800`: does anything grow or slow down in a long time at 70 % load.

Jobs sleep 50 ms, so 70 % of what the slots can do is a steady state and not a queue. Beside them a
few of every other kind: files and artifacts, exceptions, timeouts, requests that are not valid,
clients that hang up. The time is cut into windows (minutes; a sixth when that is less), memory,
descriptors and keys are sampled every 10 s (six times a window at least), and the last window is
held against the second, the first being for warming up. Writes build/soak.json.

    soak.py [--seconds N]
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import statistics
import sys
import tempfile
import threading
import time
from typing import Any

from verdicts import Verdicts, load, memory_kib

from service import Service, descendants

SLOTS = 4
SHARE = 0.7
CLIENTS = 64
SETTINGS = {"SLOTS": str(SLOTS + 1), "API_PROCESSES": "2"}  # one slot is for the other kinds
EXPECTED = '"stdout":"slept\\n"'
PROGRAM = "import time; time.sleep(0.05); print('slept')"
OTHER_KINDS_PER_S = 4
# What may come and go: a connection to Redis, pages of an allocator, keys of jobs that were given
# up, which expire; windows shorter than that do not reach the steady state.
DESCRIPTORS_SLACK = 16
KEYS_SLACK = 50
KEYS_SLACK_SHORT = 300
P99_TIMES = 1.2
P99_TIMES_SHORT = 3  # of some hundred samples, on a machine that others use too
MEMORY_SLACK_KIB = 1024
MEMORY_SLACK_SHARE = 0.05


class OtherKinds(threading.Thread):
    """One after the other, at a low rate; what was answered wrongly."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service = service
        self.faults: list[str] = []
        self.sent = 0
        self.ended = threading.Event()

    def run(self) -> None:
        kinds = [self.files, self.exception, self.timeout, self.invalid, self.hang_up]
        chance = random.Random(1)
        while not self.ended.wait(1 / OTHER_KINDS_PER_S):
            kind = chance.choice(kinds)
            self.sent += 1
            try:
                if not kind():
                    self.faults.append(f"{kind.__name__}: a wrong answer")
            except Exception as error:  # noqa: BLE001: the run goes on and tells at its end
                self.faults.append(f"{kind.__name__}: {error!r}")

    def files(self) -> bool:
        content = "x" * 100_000
        answer = self.service.execute("import shutil; shutil.copy('a', 'outputs/b')",
                                      files=[{"name": "a", "content": content}])
        return bool(answer.artifacts[0]["size"] == len(content))

    def exception(self) -> bool:
        return bool(self.service.execute("1/0").exit_code == 1)

    def timeout(self) -> bool:
        answer = self.service.execute("import time; time.sleep(9)", timeout_ms=100)
        return bool(answer.verdict == "timed_out")

    def invalid(self) -> bool:
        return self.service.post({"code": 1}).status == 422

    def hang_up(self) -> bool:
        self.service.hang_up_after_sending("import time; time.sleep(0.1)").close()
        return True


class Sampler(threading.Thread):
    """Of each process memory and descriptors; of Redis keys and memory."""

    def __init__(self, service: Service, every_s: float) -> None:
        super().__init__()
        self.pids = {name: part.pid for name, part in service.parts.items()}
        for number, child in enumerate(descendants(self.pids["api"])):
            self.pids[f"api {number + 1}"] = child.pid
        zygote = service.zygote()
        assert zygote is not None
        self.pids["zygote"] = zygote.pid
        self.service = service
        self.every_s = every_s
        self.samples: list[dict[str, Any]] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while True:
            self.samples.append(self.sample())
            if self.ended.wait(self.every_s):
                return

    def sample(self) -> dict[str, Any]:
        info = self.service.redis("INFO", "memory").decode()
        used = next(int(line.split(":")[1]) for line in info.splitlines()
                    if line.startswith("used_memory:"))
        return {"at": time.monotonic(),
                "memory_kib": {name: memory_kib(pid) for name, pid in self.pids.items()}
                | {"redis's keys": used / 1024},
                "descriptors": self.descriptors(),
                "keys": {"redis": self.service.redis("DBSIZE")}}


    def descriptors(self) -> dict[str, int]:
        """Clients connect to either API process: they count together."""
        found: dict[str, int] = {}
        for name, pid in self.pids.items():
            part = name.split()[0]
            found[part] = found.get(part, 0) + len(os.listdir(f"/proc/{pid}/fd"))
        return found


def run_windows(service: Service, body: pathlib.Path, seconds: float,
                verdicts: Verdicts) -> list[dict[str, Any]]:
    capacity = load(service.port, SLOTS, SLOTS * 60, body, EXPECTED)["per_second"]
    rate = SHARE * capacity
    length = min(60.0, seconds / 6)
    verdicts.say(f"{capacity:.1f} jobs/s at capacity; {rate:.1f} jobs/s for {seconds:.0f} s in "
                 f"windows of {length:.0f} s")
    windows = []
    for _ in range(max(3, round(seconds / length))):
        began = time.monotonic()
        figures = load(service.port, CLIENTS, round(rate * length), body, EXPECTED, rate)
        windows.append(figures | {"began": began, "ended": time.monotonic()})
    return windows


def middle(samples: list[dict[str, Any]], window: dict[str, Any], what: str, name: str) -> float:
    return statistics.median(sample[what][name] for sample in samples
                             if window["began"] <= sample["at"] <= window["ended"])


def judge(verdicts: Verdicts, windows: list[dict[str, Any]], samples: list[dict[str, Any]]) -> None:
    second, last = windows[1], windows[-1]
    short = last["ended"] - last["began"] < 50
    for what, unit in (("memory_kib", " KiB"), ("descriptors", ""), ("keys", "")):
        for name in samples[0][what]:
            before, after = (middle(samples, window, what, name) for window in (second, last))
            slack = {"memory_kib": MEMORY_SLACK_KIB + before * MEMORY_SLACK_SHARE,
                     "descriptors": DESCRIPTORS_SLACK,
                     "keys": KEYS_SLACK_SHORT if short else KEYS_SLACK}[what]
            verdicts.at_most(f"{what.split('_')[0]} of {name}, growth from {before:.0f}{unit}",
                             after - before, round(slack), unit)
    verdicts.say(f"p50 {second['p50_us'] / 1000:.1f} ms, then {last['p50_us'] / 1000:.1f} ms; "
                 f"p99 {second['p99_us'] / 1000:.1f} ms, then {last['p99_us'] / 1000:.1f} ms")
    verdicts.at_most("p99 of the last window, of the second's",
                     last["p99_us"] / second["p99_us"], P99_TIMES_SHORT if short else P99_TIMES)
    verdicts.at_most("answers that were not right", sum(window["errors"] for window in windows), 0)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1800)
    arguments = parser.parse_args()
    verdicts = Verdicts("soak")
    service = Service(SETTINGS)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        json.dump({"code": PROGRAM}, body)
        body.flush()
        try:
            service.start()
            sampler = Sampler(service, min(10.0, arguments.seconds / 36))
            others = OtherKinds(service)
            sampler.start()
            others.start()
            try:
                windows = run_windows(service, pathlib.Path(body.name), arguments.seconds, verdicts)
            finally:
                for thread in (others, sampler):
                    thread.ended.set()
                    thread.join()
        finally:
            faults = service.close()
    verdicts.figures |= {"windows": windows, "samples": sampler.samples, "others": others.sent}
    judge(verdicts, windows, sampler.samples)
    verdicts.at_most(f"wrong answers of {others.sent} other requests", len(others.faults), 0)
    return verdicts.close(faults + others.faults[:5])


if __name__ == "__main__":
    sys.exit(main())
