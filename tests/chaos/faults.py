"""What goes wrong, when, to whom: all of it follows from the seed."""

from __future__ import annotations

import dataclasses
import random

APIS = ("api1", "api2")
WORKERS = ("w1", "w2", "w3")
LINKS = APIS + WORKERS
MODES = ("cut", "reset", "halfopen", "delay", "slow")


@dataclasses.dataclass
class Fault:
    at: float         # seconds from the beginning
    kind: str
    target: str
    lasts: float      # then it is healed

    def __str__(self) -> str:
        return f"{self.kind} {self.target} for {self.lasts:.2f} s"

    @property
    def to_worker(self) -> bool:
        return self.target in WORKERS or self.target == "redis"


# kind, targets, how often, how long
KINDS: tuple[tuple[str, tuple[str, ...], int, tuple[float, float]], ...] = (
    ("kill", WORKERS, 4, (0.2, 4.0)),
    ("kill", APIS, 2, (0.2, 2.0)),
    ("kill", ("redis",), 1, (0.1, 1.5)),
    ("kill zygote", WORKERS, 3, (0.0, 0.0)),
    ("stop", WORKERS, 3, (0.2, 3.0)),
    ("stop long", WORKERS, 3, (5.5, 8.0)),
    ("stop zygote", WORKERS, 1, (0.2, 2.0)),
    ("stop", APIS, 2, (0.2, 2.0)),
    ("stop", ("redis",), 1, (0.2, 3.5)),
    ("term", WORKERS, 3, (0.2, 3.0)),
    ("term", APIS, 2, (0.2, 2.0)),
    ("drain", WORKERS, 2, (0.2, 2.0)),
    ("requeue", WORKERS, 3, (0.0, 0.0)),
    ("link", LINKS, 9, (0.3, 7.0)),
)


def plan(seed: int, seconds: float) -> list[Fault]:
    chance = random.Random(seed)
    found: list[Fault] = []
    at = 2.0
    while at < seconds:
        kind, targets, _, (least, most) = chance.choices(KINDS, [row[2] for row in KINDS])[0]
        name = f"link {chance.choice(MODES)}" if kind == "link" else kind
        found.append(Fault(at, name, chance.choice(targets), chance.uniform(least, most)))
        at += chance.uniform(0.3, 2.0)
    return found
