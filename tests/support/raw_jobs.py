"""Jobs given to the queue beside the API, with its own script: of languages that HTTP does not have.

    jobs = RawJobs(service)
    job = jobs.submit("twin", "print(1)")
    wait_until(lambda: jobs.state(job) == "done", "it has run")
"""

from __future__ import annotations

import secrets
import struct
import time

from service import REPOSITORY, Service, wait_until

SCRIPTS = REPOSITORY / "common/queue_scripts"
LIMITS = {"timeout_ms": 5000, "cpu_ms": 2000, "memory_mb": 128, "output_bytes": 1000}


def packed(value: str | bytes | int) -> bytes:
    """msgpack, each in one of its longer forms."""
    if isinstance(value, int):
        return b"\xce" + struct.pack(">I", value)
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    data = value.encode()
    return b"\xdb" + struct.pack(">I", len(data)) + data


def packed_job(language: str, code: str) -> bytes:
    members: dict[str, str | bytes | int] = {"language": language, **LIMITS,
                                             "code": code.encode(), "input": b""}
    return bytes([0x80 + len(members)]) + b"".join(
        packed(name) + packed(value) for name, value in members.items())


class RawJobs:
    def __init__(self, service: Service, prefix: str = "retort:") -> None:
        self.service, self.prefix = service, prefix
        self.script = "".join((SCRIPTS / name).read_text() for name in ("common.lua", "submit.lua"))

    def submit(self, language: str, code: str, wait_ms: int = 20000) -> str:
        job = secrets.token_hex(16)
        answer = self.service.redis("EVAL", self.script, "0", self.prefix, job, language, "0",
                                    str(wait_ms), "7000", "0", "0", packed_job(language, code), "")
        assert answer[0] == 1, answer
        return job

    def state(self, job: str) -> str:
        return (self.service.redis("HGET", f"{self.prefix}job:{job}", "state") or b"").decode()

    def result(self, job: str) -> bytes:
        return self.service.redis("GET", f"{self.prefix}result:{job}") or b""

    def wait_done(self, job: str, timeout_s: float = 15) -> float:
        """Seconds that it took from now."""
        began = time.monotonic()
        wait_until(lambda: self.state(job) == "done", f"job {job} is done", timeout_s)
        return time.monotonic() - began
