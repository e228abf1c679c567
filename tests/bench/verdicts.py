"""Figures against their bars, for the programs of tests/bench: one line each, and a JSON file."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from service import BUILD, REPOSITORY  # noqa: E402


class Verdicts:
    def __init__(self, name: str) -> None:
        self.name = name
        self.figures: dict[str, Any] = {"processors": os.cpu_count(), "load": os.getloadavg()}
        self.missed: list[str] = []

    def at_most(self, sentence: str, value: float, bar: float, unit: str = "") -> None:
        self.judge(sentence, value, value <= bar, f"at most {bar:g}{unit}", unit)

    def at_least(self, sentence: str, value: float, bar: float, unit: str = "") -> None:
        self.judge(sentence, value, value >= bar, f"at least {bar:g}{unit}", unit)

    def judge(self, sentence: str, value: float, good: bool, bar: str, unit: str) -> None:
        line = f"{sentence}: {value:.4g}{unit} ({bar}): {'reached' if good else 'MISSED'}"
        print(f"{self.name}: {line}", flush=True)
        self.figures.setdefault("verdicts", []).append(line)
        if not good:
            self.missed.append(line)

    def say(self, text: str) -> None:
        print(f"{self.name}: {text}", flush=True)

    def close(self, faults: list[str]) -> int:
        """Writes build/NAME.json; the exit status."""
        for fault in faults:
            print(f"{self.name}: {fault}", flush=True)
        output = REPOSITORY / f"build/{self.name}.json"
        output.write_text(json.dumps(self.figures, indent=1) + "\n")
        print(f"{self.name}: figures in {output.relative_to(REPOSITORY)}")
        return 1 if self.missed or faults else 0


def load(port: int, clients: int, requests: int, body: pathlib.Path, expected: str,
         per_second: float = 0) -> dict[str, Any]:
    """tests/bench/load; per_second: open loop."""
    period = [str(round(1e6 / per_second))] if per_second else []
    done = subprocess.run([str(BUILD / "tests/bench/load"), str(port), str(clients),
                           str(max(requests, clients + 1)), str(body), expected, *period],
                          stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def memory_kib(pid: int) -> int:
    """What is the process's of the memory: PSS, or the resident set where that may not be read."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    except OSError:
        pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024
