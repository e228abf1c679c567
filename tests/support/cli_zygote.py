"""A worker's side of the zygote protocol, for tests of retort-cli-zygote alone.

Mirrors worker/zygote_protocol.h and worker/job_memory.h.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

REQUEST = struct.Struct("=II")
EVENT = struct.Struct("=IIIiiiIIQQQQ256s")
RECORD = struct.Struct("=IIQ")
FORK = 1
READY, FORKED, EXITED, FAILED = 1, 2, 3, 4
ARG, ENV, FILE, DIR, STDIN = 1, 2, 3, 4, 5
NOTE_NONE, NOTE_EXITED, NOTE_TRAP, NOTE_HOST_FAILURE = 0, 1, 2, 3
HEADER_BYTES = 4096
CONTROL_FD = 3
EVENT_TIMEOUT_S = 120.0


@dataclass
class Event:
    type: int
    serial: int
    version: int
    pid: int
    status: int
    sys_errno: int
    boot_us: int
    cpu_us: int
    max_rss_kib: int
    minor_faults: int
    text: str
    pidfd: int = -1


class JobMemory:
    """The memfd that a worker shares with one job process."""

    def __init__(self, input_capacity: int = 1 << 20, output_capacity: int = 1 << 20) -> None:
        self.output_capacity = output_capacity
        self.output_offset = (
            HEADER_BYTES + input_capacity,
            HEADER_BYTES + input_capacity + output_capacity,
        )
        total = self.output_offset[1] + output_capacity
        self.fd = os.memfd_create("job", os.MFD_CLOEXEC)
        os.ftruncate(self.fd, total)
        self.map = mmap.mmap(self.fd, total)
        struct.pack_into(
            "=IIQQQQQQ", self.map, 0, 3, 0, total, HEADER_BYTES, input_capacity,
            *self.output_offset, output_capacity,
        )  # fmt: skip
        self.input_bytes = 0

    def add(self, kind: int, data: bytes, name: bytes = b"") -> None:
        record = RECORD.pack(kind, len(name), len(data)) + name + data
        record += b"\0" * (-len(record) % 8)
        at = HEADER_BYTES + self.input_bytes
        self.map[at : at + len(record)] = record
        self.input_bytes += len(record)

    def set_limits(self, output_bytes: int, memory_bytes: int, cpu_us: int) -> None:
        struct.pack_into(
            "=QQQQ", self.map, 72, self.input_bytes, output_bytes, memory_bytes, cpu_us
        )

    def output(self, stream: int) -> bytes:
        kept = struct.unpack_from("=Q", self.map, 136 + 16 * stream)[0]
        at = self.output_offset[stream]
        return self.map[at : at + kept]

    def written(self, stream: int) -> int:
        return int(struct.unpack_from("=Q", self.map, 144 + 16 * stream)[0])

    def note(self) -> int:
        return int(struct.unpack_from("=I", self.map, 168)[0])

    def text(self) -> str:
        return self.map[216 : 216 + 256].split(b"\0")[0].decode()

    def close(self) -> None:
        self.map.close()
        os.close(self.fd)


@dataclass
class Outcome:
    event: Event
    stdout: bytes
    stderr: bytes
    written: tuple[int, int]
    note: int
    text: str

    @property
    def exit_code(self) -> int | None:
        return os.WEXITSTATUS(self.event.status) if os.WIFEXITED(self.event.status) else None

    @property
    def signal(self) -> int | None:
        return os.WTERMSIG(self.event.status) if os.WIFSIGNALED(self.event.status) else None


class Job:
    """One job process: forked, waiting for its program."""

    def __init__(self, zygote: CliZygote, serial: int, memory: JobMemory) -> None:
        self.zygote, self.serial, self.memory = zygote, serial, memory
        self.socket, theirs = socket.socketpair()
        with theirs:
            zygote.send(FORK, serial, [theirs.fileno(), memory.fd])
        self.forked = zygote.expect(FORKED, serial)

    def go(self, code: str, stdin: bytes = b"", **limits: int) -> None:
        self.memory.add(ARG, b"/work/main.py")
        self.memory.add(FILE, code.encode(), b"/work/main.py")
        self.memory.add(STDIN, stdin)
        self.start(**limits)

    def start(self, output_bytes: int = 1 << 20, memory_mb: int = 256, cpu_ms: int = 20000) -> None:
        self.memory.set_limits(output_bytes, memory_mb << 20, cpu_ms * 1000)
        self.socket.send(b"g")

    def kill(self) -> None:
        signal.pidfd_send_signal(self.forked.pidfd, signal.SIGKILL)

    def finish(self) -> Outcome:
        event = self.zygote.expect(EXITED, self.serial)
        memory = self.memory
        outcome = Outcome(
            event,
            memory.output(0),
            memory.output(1),
            (memory.written(0), memory.written(1)),
            memory.note(),
            memory.text(),
        )
        self.socket.close()
        os.close(self.forked.pidfd)
        memory.close()
        return outcome


class CliZygote:
    """retort-cli-zygote as a child process."""

    def __init__(self, program: Path, *args: str, env: dict[str, str] | None = None) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(EVENT_TIMEOUT_S)
        self.serial = 0
        self.kept: list[Event] = []
        with theirs:
            self.process = subprocess.Popen(
                # A shell moves the socket to descriptor 3, whatever number it has here.
                ["/bin/sh", "-c", 'exec "$@" 3<&0 </dev/null', "sh", str(program), "--zygote", *args],
                stdin=theirs.fileno(),
                env=env,
            )

    def send(self, kind: int, serial: int, fds: list[int]) -> None:
        socket.send_fds(self.control, [REQUEST.pack(kind, serial)], fds)

    def receive(self) -> Event | None:
        """The next event; None when the zygote is gone."""
        try:
            data, fds, _, _ = socket.recv_fds(self.control, EVENT.size, 2)
        except ConnectionResetError:
            return None
        if not data:
            return None
        fields = EVENT.unpack(data)
        event = Event(*fields[:6], *fields[8:12], text=fields[12].split(b"\0")[0].decode())
        event.pidfd = fds[0] if fds else -1
        return event

    def expect(self, kind: int, serial: int) -> Event:
        for event in self.kept:
            if (event.type, event.serial) == (kind, serial):
                self.kept.remove(event)
                return event
        while event := self.receive():
            if (event.type, event.serial) == (kind, serial):
                return event
            self.kept.append(event)
        raise AssertionError(f"the zygote ended; event {kind} of {serial} did not come")

    def fork(self, **capacities: int) -> Job:
        self.serial += 1
        return Job(self, self.serial, JobMemory(**capacities))

    def run(self, code: str, stdin: bytes = b"", **limits: int) -> Outcome:
        job = self.fork()
        job.go(code, stdin, **limits)
        return job.finish()

    def close(self) -> int:
        self.control.close()
        return self.process.wait(timeout=30)


def wait_gone(pidfd: int, timeout_s: float = 30.0) -> bool:
    """Whether the process of pidfd ends within that time."""
    return bool(select.select([pidfd], [], [], timeout_s)[0])
