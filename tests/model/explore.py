"""Breadth first through all worlds that can be reached, each once; the first that breaks an
invariant is printed with the shortest way to it.

    explore.py [--jobs 1] [--faults 2] [--seconds 60]
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

from invariants import STATES, STEPS, Step, View, everything_ended
from redis_model import ScriptMachine, from_json
from world import World, actions, epilogue, first_world, rows

BATCH = 24


class Broken(Exception):
    """An invariant does not hold; says how the world came there."""


def digest(value: Any) -> bytes:
    return hashlib.blake2b(repr(value).encode(), digest_size=12).digest()


class Explorer:
    def __init__(self, machine: ScriptMachine, jobs: int, faults: int,
                 kinds: str = "") -> None:
        self.machine = machine
        self.jobs = jobs
        self.kinds = re.compile(kinds)
        now, commands, world = first_world(jobs, faults)
        redis = machine.run(b"[]", now, commands)[1]
        self.first = world._replace(redis=redis)
        self.parents: dict[bytes, tuple[bytes, str] | None] = {digest(self.first): None}
        self.ended: set[bytes] = set()
        self.steps = 0
        self.depth = 0
        self.complete = False

    def summary(self) -> str:
        return (f"{len(self.parents)} states, {self.steps} steps, depth {self.depth}, "
                f"{'all' if self.complete else 'not all'} of them")

    def view(self, redis: bytes) -> View:
        return View(rows(redis), self.jobs)

    def way(self, key: bytes) -> list[str]:
        names: list[str] = []
        entry = self.parents[key]
        while entry is not None:
            key, name = entry
            names.append(name)
            entry = self.parents[key]
        return names[::-1]

    def broken(self, key: bytes, last: list[str], why: list[str], view: View) -> Broken:
        lines = [f"  {number}. {name}" for number, name in enumerate(self.way(key) + last, 1)]
        state = [f"    {name}: {value}" for name, (_, value) in sorted(view.keys.items())]
        return Broken("\n".join(why + lines + ["  Redis afterwards:"] + state))

    def prepare(self, level: list[tuple[bytes, World]]) -> list[Any]:
        """For each world its actions, and whether its end is to be seen."""
        prepared = []
        for key, world in level:
            end_key = digest((world.redis, world.now, [c.stage for c in world.clients]))
            ends = end_key not in self.ended
            self.ended.add(end_key)
            prepared.append((key, world, actions(world, self.kinds), ends))
        return prepared

    def send(self, prepared: list[Any]) -> None:
        self.machine.send([
            (world.redis, world.now,
             [a.commands for a in found] + ([epilogue(world)] if ends else []))
            for _, world, found, ends in prepared])

    def receive(self, prepared: list[Any]) -> Iterator[tuple[bytes, World]]:
        answers = iter(list(self.machine.receive()))
        for key, world, found, ends in prepared:
            before = self.view(world.redis)
            for action in found:
                replies, redis = next(answers)
                replies = replies if isinstance(replies, list) else []
                after = before if redis == world.redis else self.view(redis)
                self.steps += 1
                step = Step(before, after, world, action, replies)
                why = [text for check in STEPS for text in check(step)]
                then = action.then(world._replace(redis=redis,
                                                  faults=world.faults - action.faults), replies)
                new_key = digest(then)
                new = new_key not in self.parents
                if new and not why:
                    why = [text for check in STATES for text in check(after, then)]
                if why:
                    raise self.broken(key, [action.name], why, after)
                if new:
                    self.parents[new_key] = (key, action.name)
                    yield new_key, then
            if ends:
                replies, redis = next(answers)
                last = self.view(redis)
                why = list(everything_ended(last, replies))
                waiting = sum(c.stage == "waiting" for c in world.clients)
                asked = replies[-1 - 2 * waiting:-1:2]
                why += ["a client was not answered" for answer in asked if not answer]
                if why:
                    raise self.broken(key, ["all workers stop, time passes"], why, last)

    def explore(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        level = [(digest(self.first), self.first)]
        while level:
            following: list[tuple[bytes, World]] = []
            under_way: list[Any] = []
            for start in range(0, len(level), BATCH):
                prepared = self.prepare(level[start:start + BATCH])
                self.send(prepared)
                if under_way:
                    following += self.receive(under_way)
                under_way = prepared
                if time.monotonic() > deadline:
                    list(self.receive(under_way))
                    return
            following += self.receive(under_way)
            level = following
            self.depth += 1
        self.complete = True


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--faults", type=int, default=2)
    parser.add_argument("--kinds", default="", help="of faults: a regular expression")
    parser.add_argument("--seconds", type=float, default=600)
    chosen = parser.parse_args()
    began = time.monotonic()
    with ScriptMachine() as machine:
        explorer = Explorer(machine, chosen.jobs, chosen.faults, chosen.kinds)
        try:
            explorer.explore(chosen.seconds)
        except Broken as broken:
            print(broken)
            return 1
        finally:
            print(f"{chosen.jobs} jobs, {chosen.faults} faults: {explorer.summary()}, "
                  f"{time.monotonic() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
