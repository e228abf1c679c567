"""The queue's scripts in every order, and that the model finds faults which are put into them.

MODEL_SECONDS bounds each exploration (default 3 s; `make model` takes 15 minutes). What
was not explored is not known: the number of states is printed.
"""

from __future__ import annotations

import os
import unittest

from explore import Broken, Explorer
from mutations import MUTATIONS, Mutation
from redis_model import ScriptMachine, read_parts

SECONDS = float(os.environ.get("MODEL_SECONDS") or 3)
FIND_SECONDS = 90.0
KINDS = {
    "workers that die": "dies",
    "an operator": "evict|requeue|cancel",
    "lost and late replies": "reply lost|reply is lost|reply on its way|connection dies",
    "late commands": "on its way$|on its way to",
    "clients that go": "hangs up|API die",
    "workers that leave": "leaves|return",
}


class Model(unittest.TestCase):
    timeout_s = 4000

    def explore(self, jobs: int, faults: int, kinds: str = "", least: float = 0) -> None:
        with ScriptMachine() as machine:
            explorer = Explorer(machine, jobs, faults, kinds)
            explorer.explore(max(SECONDS, least))
        print(f"[{explorer.summary()}] ", end="", flush=True)
        self.assertGreater(explorer.steps, 500)

    def test_one_job_and_no_fault(self) -> None:
        self.explore(1, 0, least=20)

    def test_two_jobs_and_no_fault(self) -> None:
        self.explore(2, 0)

    def test_two_faults_of_any_kind(self) -> None:
        self.explore(1, 2)


class Finds(unittest.TestCase):
    timeout_s = 110

    def find(self, mutation: Mutation) -> None:
        parts = read_parts()
        self.assertEqual(parts[mutation.file].count(mutation.old), 1, mutation.old)
        parts[mutation.file] = parts[mutation.file].replace(mutation.old, mutation.new)
        with ScriptMachine(parts) as machine:
            explorer = Explorer(machine, 1, mutation.faults, mutation.kinds)
            with self.assertRaises(Broken) as caught:
                explorer.explore(FIND_SECONDS)
        self.assertIn(mutation.says, str(caught.exception).split("\n  1. ")[0])


def add_tests() -> None:
    def explore_kind(kinds: str):  # type: ignore[no-untyped-def]
        return lambda self: self.explore(1, 1, kinds)

    def find(mutation: Mutation):  # type: ignore[no-untyped-def]
        return lambda self: self.find(mutation)

    for name, kinds in KINDS.items():
        setattr(Model, "test_one_fault_" + name.replace(" ", "_"), explore_kind(kinds))
    for mutation in MUTATIONS:
        setattr(Finds, "test_" + mutation.name.replace(" ", "_"), find(mutation))


add_tests()
