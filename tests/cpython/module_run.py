"""One module of CPython's test suite, run to its end in as many sandbox jobs as that takes.

A job that dies (a crash, a limit) has named the method that ran: that one is settled, and the rest
of the module is run in a new job.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
RECORD = "\x1eretort "
Plan = dict[str, object]  # what driver.py reads
Record = dict[str, object]  # what it reports
# A job that dies without a word about any method is a bug here; do not go on for ever.
JOBS_MAX = 40
OUTPUT_BYTES = 32 << 20
CLASS_FIXTURE = re.compile(r"(setUpClass|setUpModule|tearDownClass|tearDownModule) \((.*)\)$")


@dataclass(frozen=True)
class Outcome:
    status: str  # passed, skipped, failed, error, expected failure
    message: str = ""
    seconds: float = 0.0


@dataclass
class ModuleRun:
    name: str
    methods: dict[str, Outcome | None] = field(default_factory=dict)  # in the order of the plan
    module: Outcome | None = None  # when the module as a whole was skipped or could not be run
    jobs: int = 0
    retried: set[str] = field(default_factory=set)
    fixtures: dict[str, Outcome] = field(default_factory=dict)

    def pending(self) -> list[str]:
        return [name for name, outcome in self.methods.items() if outcome is None]

    def as_json(self) -> dict[str, object]:
        def pack(outcome: Outcome | None) -> list[object] | None:
            return [outcome.status, outcome.message, outcome.seconds] if outcome else None
        return {"name": self.name, "module": pack(self.module), "jobs": self.jobs,
                "methods": {name: pack(outcome) for name, outcome in self.methods.items()}}


@dataclass(frozen=True)
class Limits:
    seconds: int = 300
    memory_mb: int = 1024


class Sandbox:
    """Runs driver.py by retort-run with an image that has the tests in its tree."""

    def __init__(self, retort_run: str, image: str, limits: Limits) -> None:
        self.limits = limits
        self.command = [
            retort_run, "--image", image, "--max-exec-timeout-ms", str(limits.seconds * 1000),
            "--cpu-time-limit-sec", str(limits.seconds), "--memory-limit-mb",
            str(limits.memory_mb), "--max-output-bytes", str(OUTPUT_BYTES)]

    def run(self, module: str, plan: Plan) -> tuple[list[Record], str]:
        """The records of one job, and how it ended."""
        with tempfile.TemporaryDirectory() as directory:
            (pathlib.Path(directory) / "plan.json").write_text(json.dumps(plan))
            finished = subprocess.run(
                [*self.command, "--dir", f"{directory}::/plan", str(HERE / "driver.py"), module,
                 "/plan/plan.json"],
                stdin=subprocess.DEVNULL, capture_output=True, check=False,
                timeout=self.limits.seconds + 60)
        last = finished.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        return list(records(finished.stdout)), f"status {finished.returncode}: {' '.join(last)}"


class Native:
    """The same by this machine's python3.11, to compare with. Not confined in any way."""

    def __init__(self, library: str, limits: Limits) -> None:
        self.library = library
        self.limits = limits

    def run(self, module: str, plan: Plan) -> tuple[list[Record], str]:
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "plan.json"
            file.write_text(json.dumps(plan))
            try:
                finished = subprocess.run(
                    ["/usr/bin/python3.11", "-s", "-P", "-B", str(HERE / "driver.py"), module,
                     str(file)],
                    cwd=directory, env={"PYTHONPATH": self.library, "PATH": "/usr/bin:/bin"},
                    stdin=subprocess.DEVNULL, capture_output=True, check=False,
                    timeout=self.limits.seconds)
            except subprocess.TimeoutExpired as expired:
                return list(records(expired.stdout or b"")), "status 124: timed out"
        return list(records(finished.stdout)), f"status {finished.returncode}"


def records(output: bytes) -> Iterator[Record]:
    for line in output.decode("utf-8", "replace").split("\n"):
        if line.startswith(RECORD):
            try:
                yield json.loads(line[len(RECORD):])
            except ValueError:
                continue  # cut short by the end of the job


def run_module(runner: Sandbox | Native, name: str) -> ModuleRun:
    run = ModuleRun(name)
    while run.jobs < JOBS_MAX:
        run.jobs += 1
        done = [method for method, outcome in run.methods.items() if outcome is not None]
        got, ending = runner.run(name, {"done": done})
        if not take(run, got, ending) or not run.pending():
            break
    settle_rest(run)
    return run


def list_methods(runner: Sandbox | Native, name: str) -> int:
    """How many methods a module has; 0 when it cannot be imported there either."""
    got, _ = runner.run(name, {"list": True})
    return sum(len(record["ids"]) for record in got  # type: ignore[arg-type]
               if record["kind"] == "plan")


def take(run: ModuleRun, got: list[Record], ending: str) -> bool:
    """Enters a job's records. True when another job is to run what is left."""
    running, settled, ended = None, 0, False
    for record in got:
        kind = record["kind"]
        if kind == "plan":
            for name in record["ids"]:  # type: ignore[attr-defined]
                run.methods.setdefault(name, None)
        elif kind == "start":
            running = str(record["id"])
            run.methods.setdefault(running, None)
        elif kind == "stop":
            run.methods[str(record["id"])] = outcome_of(record)
            running, settled = None, settled + 1
        elif kind == "fixture":
            run.fixtures[str(record["id"])] = outcome_of(record)
        elif kind == "module":
            ending = str(record["message"])
            if not run.methods:
                run.module = outcome_of(record)
        elif kind == "end":
            ended = True
    if running is not None:
        blame(run, running, ending, settled)
        return True
    if ended and not any(record["kind"] == "module" for record in got):
        return False
    if not run.methods:
        run.module = run.module or Outcome("error", ending)
        return False
    return settled > 0


def outcome_of(record: Record) -> Outcome:
    return Outcome(str(record["status"]), str(record["message"]),
                   float(record.get("seconds", 0.0)))  # type: ignore[arg-type]


def blame(run: ModuleRun, method: str, ending: str, settled: int) -> None:
    """The method that ran when the job ended is what ended it, if it had the time to be that."""
    if "124" in ending and settled and method not in run.retried:
        run.retried.add(method)  # it may only have been the last of many
        return
    run.methods[method] = Outcome("error", f"the job ended: {ending}")


def settle_rest(run: ModuleRun) -> None:
    """Methods that never started share the fate of what should have prepared them."""
    for name, outcome in run.fixtures.items():
        match = CLASS_FIXTURE.match(name)
        prefix = match[2] + "." if match else name
        for method in run.pending():
            if method.startswith(prefix):
                run.methods[method] = outcome
        if match is None or match[1].startswith("tearDown"):
            run.methods[name] = outcome
    for method in run.pending():
        run.methods[method] = Outcome("error", "was not run")
