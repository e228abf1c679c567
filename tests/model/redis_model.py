"""A private Redis that runs the queue's scripts, their text unchanged, on given states (step.lua).

    with ScriptMachine() as machine:
        machine.send([(state, now_ms, [[["sweep", ...]], ...]), ...])
        for replies, state in machine.receive(): ...

States are bytes, equal exactly when all of Redis is. Text in JSON is Latin-1: a byte a character.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "deploy")]
from service import Redis, wait_until  # noqa: E402
from stack import redis_server  # noqa: E402

SCRIPTS = ROOT / "common/queue_scripts"
PARTS = {"submit": ("common", "submit"), "claim": ("common", "ownership", "claim"),
         "finish": ("common", "finish"), "cancel": ("common", "cancel"),
         "reap": ("common", "ownership", "reap")}

Command = list[Any]
Batch = list[tuple[bytes, int, list[list[Command]]]]


def read_parts() -> dict[str, str]:
    names = {part for parts in PARTS.values() for part in parts}
    return {name: (SCRIPTS / f"{name}.lua").read_text() for name in names}


def to_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("latin-1")


def from_json(text: bytes) -> Any:
    return json.loads(text.decode("latin-1"))


def connected(path: pathlib.Path) -> Redis | None:
    try:
        return Redis(path)
    except OSError:
        return None


class ScriptMachine:
    def __init__(self, parts: dict[str, str] | None = None) -> None:
        """parts: the scripts' texts by file, when they are not those of the tree."""
        texts = parts or read_parts()
        functions = "\n".join(
            f"scripts.{name} = function(redis, ARGV)\n" + "".join(map(texts.__getitem__, files))
            + "\nend" for name, files in PARTS.items())
        step = pathlib.Path(__file__).with_name("step.lua").read_text()
        self.text = step.replace("\nSCRIPTS\n", "\n" + functions + "\n")
        self.sequences = 0

    def __enter__(self) -> ScriptMachine:
        self.directory = tempfile.TemporaryDirectory(prefix="retort-model-")
        path = pathlib.Path(self.directory.name) / "redis.sock"
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", redis_server(path.parent), "--port", "0",
             "--unixsocket", str(path), "--save", "", "--dir", str(path.parent)],
            stdout=subprocess.DEVNULL)
        self.redis = wait_until(lambda: connected(path), "Redis listens")
        self.redis.connection.settimeout(60)
        self.sha = self.redis.command("SCRIPT", "LOAD", self.text)
        return self

    def __exit__(self, *unused: object) -> None:
        self.redis.close()
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()

    def send(self, batch: Batch) -> None:
        words = [b"EVALSHA", self.sha, b"0"]
        for state, now_ms, sequences in batch:
            words += [state, b"%d" % now_ms, to_json(sequences)]
        self.redis.connection.sendall(b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(word), word) for word in words))

    def receive(self) -> Iterator[tuple[Any, bytes]]:
        answer = self.redis.read_reply()
        self.sequences += len(answer) // 2
        for i in range(0, len(answer), 2):
            yield from_json(answer[i]), answer[i + 1]

    def run(self, state: bytes, now_ms: int, sequence: list[Command]) -> tuple[Any, bytes]:
        self.send([(state, now_ms, [sequence])])
        return next(iter(list(self.receive())))
