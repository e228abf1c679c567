"""The model's states, and all that can happen in one: actions().

A world is the whole of Redis, the time, and what the processes remember: a claim whose reply is
under way, a job that runs, a finish that is under way or will be repeated, a client that waits.
Everything goes on in any order, also not at all: a process that stands still is one that nothing
happens to while time passes. What goes wrong costs one of a world's `faults`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from redis_model import Command, from_json

BASE_MS = 4_000_000_000_000
STEP_MS = 2600      # of the clock: two of them are past a beat's expiry, the grace and a gap
EXPIRY_MS, GRACE_MS, GAP_MS = 5000, 4000, 3000
WAIT_MS, ANSWER_MS = 6000, 3000
START_BY, ANSWER_BY = BASE_MS + WAIT_MS, BASE_MS + WAIT_MS + ANSWER_MS
END_MS = BASE_MS + 4 * STEP_MS # past answer_by
KEPT_MS = 60000
MAX_ATTEMPTS = 2
MAP = "\x80"
LANGUAGE = "python"


class Job(NamedTuple):
    """What a worker knows of a claim."""
    id: str
    epoch: int
    element: str


class Worker(NamedTuple):
    instance: int                    # 0: dead
    lease: int = 0                   # until then nobody takes over what it has; 0: it has none
    taking: bool = False             # a BLMOVE and a claim are under way to Redis
    reply: Job | None = None         # a claim's reply is under way
    runs: Job | None = None
    sending: tuple[tuple[str, Job], ...] = () # finish or return, under way or to be repeated


class Client(NamedTuple):
    stage: str = "new"               # unsure: the reply to submit was lost; waiting; gone; answered
    answer: str = ""
    starts: int = 0                  # how often its job was started


class World(NamedTuple):
    redis: bytes
    now: int
    faults: int                      # that may still happen
    heard_since: int                 # sweeps have had no gap since then
    swept: int                       # last time
    begun: bool                      # w1 has taken: until then w2 does not, both being alike
    workers: tuple[Worker, ...]
    clients: tuple[Client, ...]

    def registry(self) -> list[str]:
        """Workers, each with its last beat behind it."""
        return next((value for key, _, value in from_json(self.redis) if key == "m:workers"), [])

    def registered(self, name: str) -> bool:
        return name in self.registry()[::2]

    def stale(self) -> bool:
        """Whether a sweep has something to do."""
        return any(int(beat) < self.now - EXPIRY_MS for beat in self.registry()[1::2])

    def with_worker(self, index: int, **changes: Any) -> World:
        workers = list(self.workers)
        workers[index] = workers[index]._replace(**changes)
        return self._replace(workers=tuple(workers))

    def with_client(self, index: int, **changes: Any) -> World:
        clients = list(self.clients)
        clients[index] = clients[index]._replace(**changes)
        return self._replace(clients=tuple(clients))


@dataclasses.dataclass
class Action:
    """then: the world afterwards, of the world with Redis as it is after the commands."""
    name: str
    commands: list[Command]
    then: Callable[[World, list[Any]], World] = lambda world, replies: world
    faults: int = 0
    job: Job | None = None           # that a worker speaks about
    worker: str = ""                 # who speaks


def worker_id(index: int) -> str:
    return f"w{index + 1}"


def job_id(index: int) -> str:
    return f"j{index + 1}"


def job_index(job: str) -> int:
    return int(job[1:]) - 1


def about(worker: Worker) -> str:
    return f'{{"instance":"{worker.instance}"}}'


SWEEP = ["reap", "sweep", str(EXPIRY_MS), LANGUAGE + ","]


def submit(index: int, again: bool) -> Command:
    return ["submit", job_id(index), LANGUAGE, "10", str(WAIT_MS), str(ANSWER_MS), "0",
            "01"[again], MAP, "blob", str(MAX_ATTEMPTS)]


def cancel(index: int, mode: str) -> Command:
    return ["cancel", job_id(index), LANGUAGE, mode, MAP]


def ask(index: int) -> Command:
    return ["GET", f"m:result:{job_id(index)}"]


def tidy(index: int) -> Command:
    return ["UNLINK", f"m:result:{job_id(index)}", f"m:job:{job_id(index)}"]


# ---- clients ----

def client_actions(world: World, index: int) -> Iterator[Action]:
    client, job = world.clients[index], job_id(index)
    if client.stage == "new" and world.now == BASE_MS:
        yield Action(f"submit {job}", [submit(index, False)],
                     lambda w, r: w.with_client(index, stage="waiting" if r[0][0] == 1 else "no"))
        yield Action(f"submit {job}, reply lost", [submit(index, False)],
                     lambda w, r: w.with_client(index, stage="unsure"), faults=1)
    elif client.stage == "unsure":
        yield Action(f"submit {job} again", [submit(index, True)],
                     lambda w, r: w.with_client(index, stage="waiting" if r[0][0] == 1 else "no"))
    elif client.stage == "waiting":
        yield from waiting_actions(world, index)


def waiting_actions(world: World, index: int) -> Iterator[Action]:
    job = job_id(index)

    def answered(w: World, replies: list[Any]) -> World:
        return w.with_client(index, stage="answered", answer=replies[0])

    def told(w: World, replies: list[Any]) -> World:
        return w.with_client(index, stage="answered", answer=replies[1] or "state:" + replies[0])

    if f'"m:result:{job}"'.encode() in world.redis:
        yield Action(f"the client of {job} reads its answer", [ask(index), tidy(index)], answered)
        yield Action(f"the client of {job} reads its answer, and its API dies", [ask(index)],
                     answered, faults=1)
    if world.now >= START_BY + 100:
        yield Action(f"the client of {job} asks at start_by", [cancel(index, "start_by")])
    if world.now >= ANSWER_BY:
        yield Action(f"the client of {job} asks at answer_by",
                     [cancel(index, "answer_by"), ask(index)], told)
    gone = Action(f"the client of {job} hangs up", [cancel(index, "hangup")],
                  lambda w, r: w.with_client(index, stage="gone"), faults=1)
    yield gone
    yield dataclasses.replace(gone, name=f"the client of {job} and its API die", commands=[])


# ---- workers ----

def beat(worker: Worker, name: str, check: bool) -> Command:
    known = [job for _, job in worker.sending] + [worker.runs]
    return ["reap", "beat", name, about(worker), str(EXPIRY_MS), "01"[check],
            "".join(f"{job.id}:{job.epoch}," for job in known if job), str(GRACE_MS)]


def take(name: str) -> list[Command]:
    return [["LMOVE", f"m:queue:{LANGUAGE}", f"m:inflight:{name}", "RIGHT", "LEFT"],
            ["claim", name, LANGUAGE]]


def claimed(reply: Any) -> Job | None:
    return Job(reply[4], reply[1], reply[5]) if isinstance(reply, list) else None


def deliver(world: World, index: int, job: Job | None) -> World:
    """A claim's reply has come. Called with room and a lease."""
    if not job:
        return world
    at = job_index(job.id)
    world = world.with_worker(index, runs=job)
    return world.with_client(at, starts=world.clients[at].starts + 1)


def finish(name: str, what: str, job: Job) -> Command:
    if what == "finish":
        return ["finish", name, job.id, str(job.epoch), job.element,
                f"answer {name} {job.epoch}", ""]
    return ["reap", what, name, job.id, str(job.epoch), job.element]


def beat_actions(world: World, index: int) -> Iterator[Action]:
    worker, name = world.workers[index], worker_id(index)

    def beaten(w: World, replies: list[Any]) -> World:
        return note_beat(w, index, replies[0])

    if f'"m:inflight:{name}"'.encode() in world.redis or not worker.lease:
        yield Action(f"{name} beats and compares", [beat(worker, name, True)], beaten, worker=name)


def take_actions(world: World, index: int) -> Iterator[Action]:
    worker, name = world.workers[index], worker_id(index)
    yield Action(f"{name} takes", take(name),
                 lambda w, r: deliver(w, index, claimed(r[1])), worker=name)
    yield Action(f"{name} takes, the reply on its way", take(name),
                 lambda w, r: w.with_worker(index, reply=claimed(r[1])), faults=1, worker=name)
    yield Action(f"{name} takes, on its way to Redis", [],
                 lambda w, r: w.with_worker(index, taking=True), faults=1)
    if world.registered(name): # docs/PROTOCOL.md says what else
        yield Action(f"{name} takes, and the connection dies between BLMOVE and claim",
                     take(name)[:1], faults=1, worker=name)


def reply_actions(world: World, index: int) -> Iterator[Action]:
    """A claim's reply, which is late, comes or is lost."""
    worker, name = world.workers[index], worker_id(index)
    job = worker.reply
    assert job is not None
    yield Action(f"the reply to {name}'s claim is lost", [],
                 lambda w, r: w.with_worker(index, reply=None))
    if not worker.instance:
        return
    if worker.lease and not worker.runs:
        yield Action(f"{name} gets its reply", [],
                     lambda w, r: deliver(w.with_worker(index, reply=None), index, job))
    else:
        yield Action(f"{name} gets its reply and releases", [finish(name, "release", job)],
                     lambda w, r: w.with_worker(index, reply=None), job=job, worker=name)


def run_actions(world: World, index: int) -> Iterator[Action]:
    worker, name = world.workers[index], worker_id(index)
    job = worker.runs
    assert job is not None
    sending = worker.sending
    for what, price in (("finish", 0), ("return", 1)):
        yield Action(f"{name}: {what} {job.id}", [finish(name, what, job)],
                     lambda w, r: w.with_worker(index, runs=None), price, job, name)
        late = {"runs": None, "sending": sending + ((what, job),)}
        yield Action(f"{name}: {what} {job.id}, on its way", [],
                     lambda w, r, late=late: w.with_worker(index, **late), price + 1)


def sending_actions(world: World, index: int) -> Iterator[Action]:
    worker, name = world.workers[index], worker_id(index)
    for what, job in worker.sending:
        rest = tuple(entry for entry in worker.sending if entry != (what, job))
        action = Action(f"{name}: the late {what} {job.id}", [finish(name, what, job)],
                        lambda w, r, rest=rest: w.with_worker(index, sending=rest), 0, job, name)
        yield action
        if worker.instance:
            yield dataclasses.replace(action, name=action.name + ", its reply is lost",
                                      then=lambda w, r: w, faults=1)


def end_actions(world: World, index: int) -> Iterator[Action]:
    """Ends of a worker; what is on its way to Redis still gets there, or not."""
    name = worker_id(index)
    dead = {"instance": 0, "lease": 0, "runs": None, "reply": None}
    yield Action(f"{name} dies", [],
                 lambda w, r: w.with_worker(index, **dead, taking=False, sending=()), 1)
    if world.workers[index].taking or world.workers[index].sending:
        yield Action(f"{name} dies, what it sent does not", [],
                     lambda w, r: w.with_worker(index, **dead), 1)
    yield Action(f"{name} leaves", [["reap", "leave", name]],
                 lambda w, r: w.with_worker(index, **dead), 1, worker=name)


def worker_actions(world: World, index: int) -> Iterator[Action]:
    worker, name = world.workers[index], worker_id(index)
    if worker.taking:
        yield Action(f"{name}'s taking reaches Redis", take(name),
                     lambda w, r: w.with_worker(index, taking=False, reply=claimed(r[1])),
                     worker=name)
    if worker.reply:
        yield from reply_actions(world, index)
    yield from sending_actions(world, index)
    if not worker.instance:
        yield Action(f"{name} starts again", [],
                     lambda w, r: w.with_worker(index, instance=2))
        return
    yield from beat_actions(world, index)
    free = not (worker.taking or worker.reply or worker.runs)
    if worker.lease and free and (index == 0 or world.begun):
        for action in take_actions(world, index):
            yield dataclasses.replace(action, then=lambda w, r, then=action.then:
                                      then(w, r)._replace(begun=True))
    if worker.runs:
        yield from run_actions(world, index)
    yield from end_actions(world, index)


# ---- everybody ----

def note_sweep(world: World) -> World:
    gap = world.now - world.swept > GAP_MS
    since = world.now if gap else world.heard_since
    return world._replace(swept=world.now, heard_since=max(since, world.now - EXPIRY_MS))


def tick(world: World, replies: list[Any]) -> World:
    now = world.now + STEP_MS
    workers = tuple(worker._replace(lease=worker.lease if worker.lease > now else 0)
                    for worker in world.workers)
    return world._replace(now=now, workers=workers)


def note_beat(world: World, index: int, reply: Any) -> World:
    """reply: false when the worker's name is taken."""
    if not reply:
        return world
    return note_sweep(world.with_worker(index, lease=world.now + EXPIRY_MS))


def clock_actions(world: World) -> Iterator[Action]:
    """Time passes, for everybody or not: a worker that does not beat stands still."""
    clock = ["CLOCK", world.now + STEP_MS]
    yield Action("time passes", [clock], tick)
    yield Action("time passes, sweep", [clock, SWEEP], lambda w, r: note_sweep(tick(w, r)))
    living = [i for i, worker in enumerate(world.workers) if worker.instance]
    for indexes in [[i] for i in living] + ([living] if len(living) > 1 else []):
        beats = [beat(world.workers[i], worker_id(i), False) for i in indexes]

        def then(w: World, replies: list[Any], indexes: list[int] = indexes) -> World:
            w = tick(w, replies)
            for index, reply in zip(indexes, replies[1:]):
                w = note_beat(w, index, reply)
            return w
        names = " and ".join(worker_id(i) for i in indexes)
        yield Action(f"time passes, {names} beats", [clock, *beats], then)


def common_actions(world: World) -> Iterator[Action]:
    if world.now < END_MS:
        yield from clock_actions(world)
    if world.stale():
        yield Action("sweep", [SWEEP], lambda w, r: note_sweep(w))
    for index in range(len(world.clients)):
        job = job_id(index)
        yield Action(f"requeue {job}", [["reap", "requeue", job]], faults=1)
        yield Action(f"cancel {job}", [["cancel", job, "", "cancel", ""]], faults=1)
    for index in range(len(world.workers)):
        yield Action(f"evict {worker_id(index)}", [["reap", "evict", worker_id(index)]], faults=1)


def actions(world: World, faults: re.Pattern[str]) -> list[Action]:
    """faults: what is in the names of those that cost and may happen."""
    found = list(common_actions(world))
    for index in range(len(world.clients)):
        found += client_actions(world, index)
    for index in range(len(world.workers)):
        found += worker_actions(world, index)
    return [action for action in found
            if action.faults == 0 or action.faults <= world.faults and faults.search(action.name)]


def epilogue(world: World) -> list[Command]:
    """From now on no worker does anything; clients and sweeps go on, and time."""
    commands: list[Command] = []
    for now in range(world.now, END_MS + 4 * STEP_MS, STEP_MS):
        commands += [["CLOCK", now], SWEEP]
        for index, client in enumerate(world.clients):
            if client.stage == "waiting" and now >= START_BY + 100:
                commands.append(cancel(index, "start_by"))
    for index, client in enumerate(world.clients):
        if client.stage == "waiting":
            commands += [ask(index), tidy(index)]
    return commands + [["CLOCK", END_MS + 4 * STEP_MS + KEPT_MS]]


def first_world(jobs: int, faults: int) -> tuple[int, list[Command], World]:
    """The commands that make its Redis, from an empty one: both workers have just beaten, and
    somebody has swept for long."""
    workers = tuple(Worker(instance=1, lease=BASE_MS + EXPIRY_MS) for _ in range(2))
    quiet = str(BASE_MS)
    commands: list[Command] = [["HSET", "m:sweeps", "last", quiet, "quiet_until", quiet]]
    commands += [beat(worker, worker_id(i), False) for i, worker in enumerate(workers)]
    world = World(b"[]", BASE_MS, faults, BASE_MS - EXPIRY_MS, BASE_MS, False, workers,
                  tuple(Client() for _ in range(jobs)))
    return BASE_MS, commands, world


def rows(redis: bytes) -> dict[str, tuple[int, Any]]:
    """Keys without their prefix, with their expiry and value."""
    return {key[2:]: (expiry, value) for key, expiry, value in from_json(redis)}
