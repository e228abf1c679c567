"""Whether what a client got was right, in time, and true."""

from __future__ import annotations

import dataclasses

from cluster import WAIT_MS
from faults import APIS, Fault
from load import Request

MARGIN_S = 2.0         # answer_by - start_by - timeout
LATE_S = 1.0
SUBMIT_S = 7.0         # that a submission may take while Redis or the link to it is hurt
AFTER_S = 8.0          # that a healed fault may still be felt: reconnection, a beat's expiry


@dataclasses.dataclass
class Applied:
    fault: Fault
    began: float
    ended: float = float("inf")

    def touches(self, request: Request, after_s: float) -> bool:
        return self.began <= request.ended and request.began <= self.ended + after_s


def overlap(applied: Applied, request: Request) -> float:
    return max(0.0, min(applied.ended, request.ended) - max(applied.began, request.began))


def to_queue(fault: Fault, api: str) -> bool:
    return fault.target == "redis" or fault.target == api


def late_by(request: Request, applied: list[Applied]) -> float:
    allowed = WAIT_MS / 1000 + request.timeout_ms / 1000 + MARGIN_S + LATE_S
    for one in applied:
        if to_queue(one.fault, request.api) and one.fault.kind.startswith("stop"):
            allowed += overlap(one, request)
    if any(to_queue(one.fault, request.api) and one.touches(request, AFTER_S) for one in applied):
        allowed += SUBMIT_S
    return request.ended - request.began - allowed


def excused(request: Request, applied: list[Applied]) -> bool:
    """Whether a fault explains that it was not run, or its answer was lost."""
    near = [one.fault for one in applied if one.touches(request, AFTER_S)]
    if request.status == 0: # only who is killed may say nothing
        return any(fault.target == request.api and fault.kind in ("kill", "term") for fault in near)
    if request.status == 503:
        return any(to_queue(fault, request.api) for fault in near)
    near = [fault for fault in near if fault.target not in APIS or fault.target == request.api]
    if request.status == 500: # a job process went with its zygote
        return any("zygote" in fault.kind for fault in near)
    if request.status == 502:
        return any("zygote" not in fault.kind for fault in near)
    return request.status == 504 and bool(near)


def wrong(request: Request, applied: list[Applied]) -> str:
    """What is wrong with it; empty: nothing."""
    if request.note == "hung up":
        return ""
    if request.status == -1:
        return "no answer"
    late = late_by(request, applied)
    if late > 0:
        return f"{late:.1f} s too late"
    if request.kind == "invalid" and request.status in (422, 503):
        return ""
    if request.status == 200:
        return "" if request.right(request.answer) else "a wrong answer"
    return "" if excused(request, applied) else "an error for which there is no reason"
