"""The manifest corpus.toml: reading it, and judging how a program ended against it."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import service  # noqa: E402

MANIFEST = pathlib.Path(__file__).resolve().parent / "corpus.toml"
LEAST_CASES = 160

CPU_LIMIT_S = 1
MEMORY_LIMIT_MB = 96
OUTPUT_BYTES = 65536
TIMEOUT_MS = 20000
ARTIFACTS, ARTIFACT_BYTES, ARTIFACTS_TOTAL_BYTES = 8, 65536, 131072
SETTINGS = {"CPU_TIME_LIMIT_SEC": str(CPU_LIMIT_S), "MEMORY_LIMIT_MB": str(MEMORY_LIMIT_MB),
            "MAX_OUTPUT_BYTES": str(OUTPUT_BYTES), "MAX_EXEC_TIMEOUT_MS": str(TIMEOUT_MS),
            "MAX_ARTIFACTS": str(ARTIFACTS), "MAX_ARTIFACT_BYTES": str(ARTIFACT_BYTES),
            "MAX_ARTIFACTS_TOTAL_BYTES": str(ARTIFACTS_TOTAL_BYTES)}
# Beyond the limits: making the process, and the processor's other work between a limit and its kill.
CPU_SLACK_MS = 150
WALL_SLACK_MS = 2000
# The interpreter's and the host's own pages, and the files of a job: 64 MiB at most.
RESIDENT_SLACK_MB = 96

ADDRESS = re.compile(r"0x[0-9a-f]+")


@dataclasses.dataclass
class Case:
    name: str
    attacks: str
    prelude: str = ""
    code: str = ""
    make: str = ""
    stdin: str = ""
    timeout_ms: int = TIMEOUT_MS
    verdict: list[str] = dataclasses.field(default_factory=lambda: ["exited"])
    exit: list[Any] = dataclasses.field(default_factory=list)
    stdout: str | None = None
    out: list[str] = dataclasses.field(default_factory=list)
    err: list[str] = dataclasses.field(default_factory=list)
    detail: str | None = None
    cut: list[str] = dataclasses.field(default_factory=list)
    artifacts: list[str | int] = dataclasses.field(default_factory=list)
    left_out: list[str | int] = dataclasses.field(default_factory=list)
    lacks: list[str] = dataclasses.field(default_factory=list)
    native: bool = False
    twice: bool = False
    then: str = ""
    then_stdout: str = ""
    refused: int = 0
    reason: str = ""

    @property
    def program(self) -> bytes:
        made = eval(self.make) if self.make else self.code
        return made if isinstance(made, bytes) else made.encode()


@dataclasses.dataclass
class Outcome:
    """How a program ended, from whichever way it took."""

    verdict: str | None
    exit_code: int | None
    stdout: str
    stderr: str
    dropped: dict[str, int]
    detail: str
    exec_ms: float
    cpu_ms: float
    memory_peak_bytes: int
    artifacts: list[str]  # names
    left_out: list[str]  # "name: reason"
    left_out_count: int
    error: str = ""

    @staticmethod
    def of(answer: dict[str, Any]) -> Outcome:
        """From the JSON of retort-run or of POST /v1/execute, which have the same members."""
        return Outcome(answer["verdict"], answer["exit_code"], answer["stdout"], answer["stderr"],
                       {name: answer[name + "_dropped_bytes"] for name in ("stdout", "stderr")},
                       answer.get("detail", ""), answer["exec_ms"], answer["cpu_ms"],
                       answer["memory_peak_bytes"],
                       [artifact["name"] for artifact in answer.get("artifacts", [])],
                       [f"{left['name']}: {left['reason']}"
                        for left in answer.get("artifacts_refused", [])],
                       answer.get("artifacts_refused_count", 0), answer.get("error") or "")

    @staticmethod
    def of_error(text: str) -> Outcome:
        return Outcome(None, None, "", "", {"stdout": 0, "stderr": 0}, "", 0, 0, 0, [], [], 0, text)

    def short(self) -> str:
        return (f"{self.error or self.verdict} exit {self.exit_code} ({self.detail}), "
                f"{self.exec_ms:.0f} ms, {self.cpu_ms:.0f} ms of CPU, "
                f"{self.memory_peak_bytes >> 20} MiB\n    stdout {self.stdout[:600]!r}"
                f"\n    stderr {self.stderr[-900:]!r}")


def as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def load() -> list[Case]:
    """Every case of the manifest. Raises ValueError for what is not well-formed."""
    fields = {field.name: field for field in dataclasses.fields(Case)}
    cases = []
    manifest = tomllib.loads(MANIFEST.read_text("utf-8"))
    preludes = manifest.pop("preludes")
    for theme, entries in manifest.items():
        for name, entry in entries.items():
            full = f"{theme}.{name}"
            unknown = set(entry) - set(fields)
            if unknown or "attacks" not in entry:
                raise ValueError(f"{full}: unknown {sorted(unknown)}, or no word on what it attacks")
            if len(as_list(entry.get("verdict", ""))) > 1 and "reason" not in entry:
                raise ValueError(f"{full}: several verdicts, and no reason")
            lists = {key: as_list(value) if fields[key].type.startswith("list") else value
                     for key, value in entry.items()}
            case = Case(name=full, **lists)
            if case.prelude:
                case.code = preludes[case.prelude] + case.code
                case.then = case.then and preludes[case.prelude] + case.then
            cases.append(case)
    if len(cases) < LEAST_CASES:
        raise ValueError(f"{len(cases)} cases; at least {LEAST_CASES} are wanted")
    return cases


def limits_overstepped(case: Case, outcome: Outcome) -> Iterator[str]:
    if outcome.cpu_ms > CPU_LIMIT_S * 1000 + CPU_SLACK_MS:
        yield f"took {outcome.cpu_ms:.0f} ms of CPU time"
    if outcome.exec_ms > case.timeout_ms + WALL_SLACK_MS:
        yield f"took {outcome.exec_ms:.0f} ms"
    if outcome.memory_peak_bytes > (MEMORY_LIMIT_MB + RESIDENT_SLACK_MB) << 20:
        yield f"took {outcome.memory_peak_bytes >> 20} MiB"
    for stream, text in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        # U+FFFD stands for each bad byte, and takes three.
        if len(text.encode("utf-8", "surrogatepass")) > 3 * OUTPUT_BYTES:
            yield f"{stream} has {len(text)} characters"
        if (outcome.dropped[stream] > 0) != (stream in case.cut) and case.cut != ["any"]:
            yield f"{outcome.dropped[stream]} bytes of {stream} were dropped"


def wrong_end(case: Case, outcome: Outcome) -> Iterator[str]:
    if outcome.verdict not in case.verdict:
        yield f"the verdict is {outcome.error or outcome.verdict}, not {' or '.join(case.verdict)}"
        return
    codes: dict[str | None, list[int | None]] = {"exited": [0], "memory_limit": [1]}
    allowed = codes.get(outcome.verdict, [None])
    if allowed != [None]:
        allowed = [*case.exit] or allowed
    if outcome.exit_code not in allowed and case.exit != ["any"]:
        yield f"the exit code is {outcome.exit_code}, not {allowed}"
    if case.detail is not None and not re.search(case.detail, outcome.detail):
        yield f"the detail is {outcome.detail!r}"


def wrong_text(name: str, text: str, exact: str | None, patterns: list[str]) -> Iterator[str]:
    if exact is not None and text != exact:
        yield f"{name} is not {exact[:300]!r}"
    if exact is None and not patterns and text:
        yield f"{name} is not empty"
    for pattern in patterns:
        if not re.search(pattern, text, re.MULTILINE):
            yield f"{name} has nothing like {pattern!r}"


def wrong_files(case: Case, outcome: Outcome) -> Iterator[str]:
    """What came back of /work/outputs, and what did not: names, or how many."""
    for what, expected, names, count in (
            ("artifacts", case.artifacts, outcome.artifacts, len(outcome.artifacts)),
            ("left out", case.left_out, outcome.left_out, outcome.left_out_count)):
        if expected not in ([count], sorted(names)):
            yield f"{what}: {count}, {names[:10]}"


def unlike_native(case: Case, outcome: Outcome, library: str) -> Iterator[str]:
    """The same program under Debian's interpreter: only for those that do no harm there."""
    expected = service.native(case.program.decode(), case.stdin)
    theirs = expected.stderr.decode().replace("/usr/lib/python3.11", library)
    allowed = [*case.exit] or [expected.returncode]
    if outcome.exit_code not in allowed:
        yield f"the exit code is {outcome.exit_code}, natively {expected.returncode}"
    if outcome.stdout != expected.stdout.decode("utf-8", "replace"):
        yield f"stdout is natively {expected.stdout!r}"
    if ADDRESS.sub("0x", outcome.stderr) != ADDRESS.sub("0x", theirs):
        yield f"stderr is natively {theirs!r}"


def faults(case: Case, outcome: Outcome, forbidden: list[str], library: str) -> list[str]:
    """What is wrong with how it ended, one sentence each. forbidden: words of the host's."""
    found = [*limits_overstepped(case, outcome), *wrong_files(case, outcome)]
    if case.native:
        if outcome.verdict not in case.verdict:
            found.append(f"the verdict is {outcome.error or outcome.verdict}")
        found += unlike_native(case, outcome, library)
    else:
        found += wrong_end(case, outcome)
        found += wrong_text("stdout", outcome.stdout, case.stdout, case.out)
        found += wrong_text("stderr", outcome.stderr, None, case.err)
    for word in [*forbidden, *case.lacks]:
        if word in outcome.stdout or word in outcome.stderr or word in outcome.detail:
            found.append(f"the output has {word!r}")
    return found
