"""Runs the hostile corpus: each program through retort-run and through a service over HTTP.

    run.py [--ways run,http] [--rounds N] [--match WORD] [--verbose]

After each program the same service runs one that is not hostile; after all of them, nothing may be
left: no process, no descriptor of the worker, no key without an expiry, no file. Ends with a line
of counts; a count is one program in one way in one round.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import ctypes
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import corpus  # noqa: E402
from corpus import Case, Outcome  # noqa: E402
from service import (BUILD, IMAGE, REPOSITORY, SANITIZED, Service, descendants,  # noqa: E402
                     wait_until)

AT_ONCE = 2
WORKER_GROWTH_KIB = 16 << 10
PROCESS_TIMEOUT_S = 90
PR_SET_CHILD_SUBREAPER = 36


class Way:
    """One way into the sandbox. outcome() runs a program to its end."""

    name = ""

    def outcome(self, case: Case, program: bytes) -> Outcome:
        raise NotImplementedError

    def check_alive(self) -> None:
        """Raises when the next program would not be answered right."""

    def leftovers(self) -> list[str]:
        return []

    def close(self) -> list[str]:
        return []


class RunWay(Way):
    """retort-run --json: a zygote of its own for each program."""

    name = "run"

    def __init__(self, directory: pathlib.Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self.environment = environment

    def outcome(self, case: Case, program: bytes) -> Outcome:
        main = tempfile.NamedTemporaryFile(dir=self.directory, suffix=".py")
        with main:
            main.write(program)
            main.flush()
            done = subprocess.run(
                [str(BUILD / "retort-run"), "--json", f"--image={IMAGE}",
                 f"--max-exec-timeout-ms={case.timeout_ms}", main.name],
                input=case.stdin.encode(), capture_output=True, cwd=self.directory,
                env=self.environment, timeout=PROCESS_TIMEOUT_S)
        if done.stderr or done.stdout.count(b"\n") != 1:
            raise AssertionError(f"retort-run: {done.returncode} {done.stderr[-500:]!r}")
        return Outcome.of(json.loads(done.stdout))


def descriptors_of(pid: int) -> int:
    """How many it has; of a hidden process, to who is not root, how many it has had room for."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(status.split("FDSize:")[1].split()[0])


class HttpWay(Way):
    """POST /v1/execute of one service that runs the whole corpus."""

    name = "http"

    def __init__(self, environment: dict[str, str]) -> None:
        self.service = Service({**environment, **corpus.SETTINGS, "SLOTS": str(AT_ONCE)})
        try:
            self.service.start()
            self.before = self.state()
            self.resident_before_kib = self.resident_kib()
        except BaseException:
            self.service.stop(1)
            raise

    def post(self, case: Case, program: bytes) -> tuple[int, bytes]:
        response = self.service.post({"code": program.decode("utf-8", "surrogateescape"),
                                      "stdin": case.stdin, "timeout_ms": case.timeout_ms})
        return response.status, response.body

    def outcome(self, case: Case, program: bytes) -> Outcome:
        status, body = self.post(case, program)
        if status != 200:
            return Outcome.of_error(f"{status} {body[:300]!r}")
        return Outcome.of(json.loads(body))

    def check_alive(self) -> None:
        answer = self.service.execute("print(1+1)")
        ending = (answer.stdout, answer.stderr, answer.exit_code, answer.verdict)
        if ending != ("2\n", "", 0, "exited"):
            raise AssertionError(f"print(1+1) afterwards: {ending}")

    def state(self) -> dict[str, object]:
        """What an idle service consists of."""
        worker = self.service.parts["worker"].pid
        zygote = self.service.zygote()
        permanent = [key for key in self.service.keys() if self.service.redis("TTL", key) == -1]
        return {"the worker's descriptors": descriptors_of(worker),
                "the worker's children": len([p for p in descendants(worker) if p.parent == worker]),
                "job processes": len(self.service.jobs()),
                "the zygote": zygote.pid if zygote else None,
                "keys without an expiry": permanent,
                "files": sorted(p.name for p in self.service.directory.iterdir())}

    def resident_kib(self) -> int:
        status = pathlib.Path(f"/proc/{self.service.parts['worker'].pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def leftovers(self) -> list[str]:
        grown_kib = self.resident_kib() - self.resident_before_kib
        if grown_kib > WORKER_GROWTH_KIB and not SANITIZED:
            return [f"the worker has grown by {grown_kib} KiB"]
        try:
            wait_until(lambda: self.state() == self.before, "the state of before")
        except AssertionError:
            now = self.state()
            return [f"{what}: {self.before[what]} before, {now[what]} afterwards"
                    for what in now if now[what] != self.before[what]]
        return []

    def close(self) -> list[str]:
        return self.service.close()


class Run:
    """Cases by ways by rounds, some at once, and the report."""

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.passed = self.failed = self.skipped = 0
        self.canary = "canary-" + secrets.token_hex(8)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-hostile-"))
        tempfile.tempdir = str(self.directory)
        os.environ["TMPDIR"] = str(self.directory)
        os.environ["RETORT_CANARY"] = self.canary
        # A checkout at /work/main has a name that every traceback begins with.
        checkout = str(REPOSITORY)
        if "/work/main.py".startswith(checkout):
            checkout += "/"
        self.forbidden = [self.canary, "RETORT_CANARY", checkout, str(self.directory),
                          socket.gethostname() + "\n"]

    def make_way(self, name: str) -> Way:
        if name == "http":
            return HttpWay({})
        return RunWay(self.directory, {**os.environ, **corpus.SETTINGS})

    def library(self, way: Way) -> str:
        program = b"import json; print(json.__file__[:-17])"
        return way.outcome(Case("library", ""), program).stdout.strip()

    def judge(self, way: Way, case: Case, library: str) -> list[str]:
        try:
            program = case.program
            if case.refused and isinstance(way, HttpWay):
                status, body = way.post(case, program)
                return [] if status == case.refused else [f"status {status}: {body[:300]!r}"]
            outcome = way.outcome(case, program)
            found = corpus.faults(case, outcome, self.forbidden, library)
            if case.twice:
                again = way.outcome(case, program)
                same = set(outcome.stdout.splitlines()) & set(again.stdout.splitlines())
                found += [f"two jobs both print {line!r}" for line in same]
            if case.then:
                second = way.outcome(case, case.then.encode()).stdout
                if second != case.then_stdout:
                    found.append(f"the program afterwards prints {second[:300]!r}")
            way.check_alive()
        except (AssertionError, subprocess.TimeoutExpired, OSError, ValueError) as error:
            return [f"{type(error).__name__}: {error}"]
        if found or self.verbose:
            found.append(outcome.short())
        return found

    def report(self, name: str, found: list[str], seconds: float) -> None:
        bad = [line for line in found if self.verbose is False or "\n    stdout" not in line]
        self.passed += not bad
        self.failed += bool(bad)
        if bad or self.verbose:
            print(f"  {'FAIL' if bad else 'ok':5} {name} ({seconds:.1f} s)", flush=True)
            for line in found:
                print(f"        {line}", flush=True)

    def round(self, way: Way, cases: list[Case], label: str) -> None:
        library = self.library(way)
        began = time.monotonic()

        def one(case: Case) -> tuple[Case, list[str], float]:
            started = time.monotonic()
            return case, self.judge(way, case, library), time.monotonic() - started

        before = self.failed
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE + 1) as pool:
            for case, found, seconds in pool.map(one, cases):
                self.report(f"{label} {case.name}", found, seconds)
        left = way.leftovers() + self.left_here(way)
        self.report(f"{label} nothing is left behind", left, 0)
        print(f"  {'FAIL' if self.failed > before else 'ok':5} {label}: {len(cases)} programs in "
              f"{time.monotonic() - began:.0f} s", flush=True)

    def left_here(self, way: Way) -> list[str]:
        """Files beside the service's own directory, processes that lost their parent to us."""
        own = {way.service.directory} if isinstance(way, HttpWay) else set()
        found = [f"the file {path} is left" for path in self.directory.iterdir() if path not in own]
        if isinstance(way, RunWay):
            found += [f"process {p.pid} ({p.name}) is left" for p in descendants(os.getpid())]
        return found

    def close(self) -> None:
        shutil.rmtree(self.directory)


def chosen(word: str) -> list[Case]:
    return [case for case in corpus.load() if word in case.name]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ways", default="run,http")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--match", default="")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()

    # Whatever loses its parent becomes a child of ours, and is seen.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    cases = chosen(arguments.match)
    run = Run(arguments.verbose)
    for name in arguments.ways.split(","):
        way = run.make_way(name)
        try:
            for number in range(1, arguments.rounds + 1):
                run.round(way, cases, f"{name} {number}")
        finally:
            for fault in way.close():
                run.report(f"{name} ends", [fault], 0)
    run.close()
    print(f"hostile: {run.passed} passed, {run.failed} failed, {run.skipped} skipped")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
