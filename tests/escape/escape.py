"""Attacks from inside a job, against a real service whose image has a door (door.h).

    class Something(EscapeTest):
        def test_it_fails(self) -> None:
            self.assert_refused(self.attack(call("socket", 2, 1, 0)), "socket")

An attack is a script of guest/script.h, sent as any program is: API, Redis, worker, zygote, job.
Every answer must be well-formed and bounded, whatever the job did to the memory that it shares with
the worker. After each test a job that does no harm must be answered rightly, by the same worker and
the same zygote.
"""

from __future__ import annotations

import base64
import concurrent.futures
import dataclasses
import functools
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from service import (BUILD, Part, Response, Service, ServiceTest,  # noqa: E402,F401
                     wait_until)

IMAGE = BUILD / "tests/escape/image"
# A check with seeds that takes longer: make escape LONG=1.
LONG = os.environ.get("ESCAPE_LONG") == "1"
OUTPUT_CAP = 20000
MEMORY_MB = 64
WORK_BYTES = 16 << 20
# Files that come back: how many, each, together; and how many of the others are told.
ARTIFACTS, ARTIFACT_BYTES, ARTIFACTS_TOTAL_BYTES, REFUSED_MOST = 4, 2000, 4000, 64
# Two streams, of whose bytes each may become six; names of what did not come back.
ANSWER_CAP = 13 * OUTPUT_CAP + 6 * 1024 * REFUSED_MOST + 2 * ARTIFACTS_TOTAL_BYTES
CLIENTS = 3
HARMLESS = 'say 4711\n'
HARMLESS_OUTPUT = "4711\n"
VERDICTS = {"exited", "timed_out", "cpu_limit", "memory_limit", "crashed"}
REFUSED = "the job process made a system call that is not allowed"

# Errors of calls, as negative results.
EPERM, EFAULT, EINVAL, ENOMEM = -1, -14, -22, -12
SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV = 4, 5, 7, 8, 11

WHERE_MEMORY, WHERE_CODE, WHERE_STACK, WHERE_RESUMED = 1, 2, 3, 4
PAGE = 4096
ALL_ONES = (1 << 64) - 1


@functools.cache
def table() -> dict[str, Any]:
    """The filter's rows and some sizes, from the sandbox's own tables (table.c)."""
    return json.loads(subprocess.run([BUILD / "tests/escape/table"], capture_output=True,
                                     check=True).stdout)


def offset(field: str, index: int = 0) -> int:
    """Of a field of the header of the memory shared with the worker; of its index-th word."""
    return table()["offsets"][field] + 8 * index


@functools.cache
def numbers() -> dict[str, int]:
    """The system calls that this machine's headers know, by name."""
    header = subprocess.run(["gcc", "-E", "-dM", "-x", "c", "-"], input="#include <asm/unistd.h>\n",
                            capture_output=True, text=True, check=True).stdout
    return {name: int(number)
            for name, number in re.findall(r"#define __NR_(\w+) (\d+)$", header, re.MULTILINE)}


def instructions() -> dict[str, int]:
    text = (pathlib.Path(__file__).resolve().parent / "instructions.def").read_text()
    names = re.findall(r"^INSTRUCTION\((\w+),", text, re.MULTILINE)
    return {name: index for index, name in enumerate(names, 1)}


def call(which: str | int, *arguments: int | str, name: str = "r") -> str:
    """A line that makes a call, and one that prints its result. Texts stand in double quotes."""
    number = numbers()[which] if isinstance(which, str) else which
    words = " ".join(str(argument) for argument in arguments)
    return f"{name} = call {number} {words}\nsay {name}\n"


def quiet(which: str, *arguments: int | str) -> str:
    return f"call {numbers()[which]} {' '.join(str(argument) for argument in arguments)}\n"


@dataclasses.dataclass
class Outcome:
    """What the client got: of a verdict, or of a failure of the sandbox (error)."""

    status: int
    body: dict[str, Any]

    @property
    def error(self) -> str:
        return self.body.get("error", {}).get("code", "") if self.status != 200 else ""

    @property
    def verdict(self) -> str:
        return self.body.get("verdict", "")

    @property
    def detail(self) -> str:
        return self.body.get("detail", "")

    @property
    def stdout(self) -> str:
        return self.body.get("stdout", "")

    @property
    def results(self) -> list[int]:
        """What the script said, line by line."""
        return [int(line) for line in self.stdout.split()]

    @property
    def refused(self) -> bool:
        return self.status == 500 and self.error == "sandbox_error" and \
            self.detail.startswith(REFUSED)

    @property
    def crashed(self) -> bool:
        return self.verdict == "crashed"

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.body)[:600]}"


class OrdinaryService(Service):
    """All of its parts are run by an ordinary user. Needs root, to become one."""

    USER = 65533

    def start_part(self, name: str, command: list[str],
                   extra: dict[str, str] | None = None) -> Part:
        for directory in (self.directory, self.directory / "storage"):
            if directory.exists():
                os.chown(directory, self.USER, self.USER)
        return super().start_part(name, ["setpriv", f"--reuid={self.USER}", f"--regid={self.USER}",
                                         "--clear-groups", "--", *command], extra)


class EscapeTest(ServiceTest):
    settings = {"IMAGE": str(IMAGE), "MAX_OUTPUT_BYTES": str(OUTPUT_CAP), "SLOTS": "3",
                "MEMORY_LIMIT_MB": str(MEMORY_MB), "MAX_EXEC_TIMEOUT_MS": "60000",
                "MAX_WORK_BYTES": str(WORK_BYTES), "MAX_WORK_FILES": "100",
                "MAX_ARTIFACTS": str(ARTIFACTS), "MAX_ARTIFACT_BYTES": str(ARTIFACT_BYTES),
                "MAX_ARTIFACTS_TOTAL_BYTES": str(ARTIFACTS_TOTAL_BYTES)}
    service_class: type[Service] = Service
    timeout_s = 1800 if LONG else 120
    zygote_pid: int

    @classmethod
    def setUpClass(cls) -> None:
        cls.service = cls.service_class(cls.settings)
        try:
            cls.service.start()
        except BaseException:
            cls.service.stop(1)
            raise
        cls.seen_ids: set[str] = set()
        zygote = cls.service.zygote()
        assert zygote is not None
        cls.zygote_pid = zygote.pid

    @classmethod
    def tearDownClass(cls) -> None:
        lines = cls.service.parts["worker"].log_text().splitlines()
        super().tearDownClass()
        for line in lines:
            json.loads(line)  # an attack can neither break a line of the log nor forge one

    def tearDown(self) -> None:
        outcome = self.attack(HARMLESS)
        self.assertEqual((outcome.verdict, outcome.stdout), ("exited", HARMLESS_OUTPUT), outcome)
        zygote = self.service.zygote()
        self.assertTrue(zygote is not None and zygote.pid == self.zygote_pid, "another zygote")

    # ---- attacking ----

    def attack(self, script: str, connection: http.client.HTTPConnection | None = None,
               **members: Any) -> Outcome:
        response = self.service.post({"code": script, **members}, connection=connection)
        return self.check_answer(response)

    def attack_all(self, scripts: Iterable[tuple[str, str]],
                   **members: Any) -> Iterator[tuple[str, Outcome]]:
        """Runs named scripts, several at a time; yields in their order."""
        queue = list(scripts)

        def run(part: list[tuple[str, str]]) -> list[tuple[str, Outcome]]:
            connection = self.service.connect(timeout_s=250)
            try:
                return [(name, self.attack(script, connection, **members)) for name, script in part]
            finally:
                connection.close()

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            parts = list(pool.map(run, [queue[i::CLIENTS] for i in range(CLIENTS)]))
        for i in range(len(queue)):
            yield parts[i % CLIENTS][i // CLIENTS]

    def check_answer(self, response: Response) -> Outcome:
        """Bounded, well-formed, and of this job alone."""
        self.assertLess(len(response.body), ANSWER_CAP)
        outcome = Outcome(response.status, json.loads(response.body.decode("utf-8")))
        body = outcome.body
        if response.status != 200:
            self.assertEqual((response.status, outcome.error), (500, "sandbox_error"), outcome)
            self.assertLess(len(outcome.detail), 400)
            return outcome
        self.assertIn(outcome.verdict, VERDICTS)
        for stream in ("stdout", "stderr"):
            # Each byte that is none of UTF-8 becomes three.
            self.assertLessEqual(len(body[stream]), OUTPUT_CAP)
            self.assertGreaterEqual(body[stream + "_dropped_bytes"], 0)
        self.assertTrue(body["exit_code"] is None or 0 <= body["exit_code"] <= 255, outcome)
        self.check_artifacts(body)
        self.assertNotIn(body["id"], self.seen_ids)
        self.seen_ids.add(body["id"])
        return outcome

    def check_artifacts(self, body: dict[str, Any]) -> None:
        found = body.get("artifacts", [])
        sizes = [len(base64.b64decode(one["content_base64"], validate=True)) for one in found]
        self.assertEqual(sizes, [one["size"] for one in found])
        self.assertLessEqual(len(found), ARTIFACTS)
        self.assertLessEqual(max(sizes, default=0), ARTIFACT_BYTES)
        self.assertLessEqual(sum(sizes), ARTIFACTS_TOTAL_BYTES)
        self.assertEqual(len({one["name"] for one in found}), len(found))
        for one in found:
            parts = one["name"].split("/")
            self.assertTrue(one["name"].isprintable() and not {"", ".", ".."} & set(parts), one)
        self.assertLessEqual(len(body.get("artifacts_refused", [])), REFUSED_MOST)

    # ---- what became of it ----

    def assert_refused(self, outcome: Outcome, name: str | None = None) -> None:
        """Died of a system call; of that one, if a name is given."""
        self.assertTrue(outcome.refused, outcome)
        if name is not None:
            self.assertEqual(outcome.detail, f"{REFUSED}: {name}")

    def assert_crashed(self, outcome: Outcome, *signals: int) -> None:
        self.assertTrue(outcome.crashed, outcome)
        if signals:
            self.assertTrue(any(f"signal {number}:" in outcome.detail or
                                "trap: " in outcome.detail for number in signals), outcome)

    def assert_results(self, outcome: Outcome, *results: int) -> None:
        self.assertEqual(outcome.verdict, "exited", outcome)
        self.assertEqual(outcome.results, list(results), outcome)

    def assert_all_refused(self, scripts: Iterable[tuple[str, str]]) -> None:
        """Each dies of the call that its script makes first; a case each."""
        for name, outcome in self.attack_all(scripts):
            with self.subTest(name):
                self.assert_refused(outcome)
