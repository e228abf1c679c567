"""What must hold in every state (STATES) and across every step (STEPS). Each yields sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from world import (EXPIRY_MS, GAP_MS, GRACE_MS, MAX_ATTEMPTS, START_BY, Action, World, job_id,
                   job_index)

FINAL = {"done", "expired", "cancelled", "lost"}


class View:
    """A world's Redis, read."""

    def __init__(self, keys: dict[str, tuple[int, Any]], jobs: int) -> None:
        self.keys = keys
        self.jobs = [self.hash(f"job:{job_id(i)}") for i in range(jobs)]
        self.results = [self.value(f"result:{job_id(i)}") for i in range(jobs)]
        self.queue: list[str] = self.value("queue:python") or []
        self.inflight: dict[str, list[str]] = {
            key[len("inflight:"):]: value for key, (_, value) in keys.items()
            if key.startswith("inflight:")}
        flat = self.value("workers") or []
        self.registry = dict(zip(flat[::2], map(int, flat[1::2])))

    def value(self, key: str) -> Any:
        return self.keys[key][1] if key in self.keys else None

    def hash(self, key: str) -> dict[str, str]:
        flat = self.value(key) or []
        return dict(zip(flat[::2], flat[1::2]))

    def places(self, job: str) -> list[str]:
        """The lists in which the job's element stands."""
        found = ["queue" for element in self.queue if job in element]
        return found + [worker for worker, elements in self.inflight.items()
                        for element in elements if job in element]


# ---- states ----

def every_key_expires(view: View, world: World) -> Iterator[str]:
    for key, (expiry, _) in view.keys.items():
        # BLMOVE sets none: the next claim or comparison does, or a sweep takes the list.
        found = key.startswith("inflight:") and key[len("inflight:"):] in view.registry
        if expiry < 0 and not found:
            yield f"{key} has no expiry"


def a_job_is_where_its_state_says(view: View, world: World) -> Iterator[str]:
    for index, job in enumerate(view.jobs):
        places, state = view.places(job_id(index)), job.get("state")
        if state in ("queued", "running") and len(places) != 1:
            yield f"{job_id(index)} is {state} and in {places}"
        if state == "running" and places != [job["owner"]]:
            yield f"{job_id(index)} is run by {job['owner']} and in {places}"
        if state in ("done", "lost") and places:
            yield f"{job_id(index)} is {state} and in {places}"
        if state in FINAL and "queue" in places:
            yield f"{job_id(index)} is {state} and in the queue"


def what_a_worker_took_can_be_found(view: View, world: World) -> Iterator[str]:
    for worker, elements in view.inflight.items():
        if worker not in view.registry:
            yield f"{worker} has {len(elements)} elements and is in no registry"


def attempts_are_bounded(view: View, world: World) -> Iterator[str]:
    for index, job in enumerate(view.jobs):
        attempts, state = int(job.get("attempts", 0)), job.get("state")
        if not (state == "running") <= attempts <= MAX_ATTEMPTS:
            yield f"{job_id(index)} is {state} with {attempts} attempts"
        if world.clients[index].starts > MAX_ATTEMPTS:
            yield f"{job_id(index)} was started {world.clients[index].starts} times"


def a_final_job_has_its_answer(view: View, world: World) -> Iterator[str]:
    words = {"expired": "queue_timeout", "lost": "worker_lost", "done": "answer "}
    for index, job in enumerate(view.jobs):
        state, result = job.get("state"), view.results[index]
        waits = world.clients[index].stage in ("waiting", "unsure")
        if state in words and waits and words[state] not in (result or ""):
            yield f"{job_id(index)} is {state} with the result {result!r}"
        if state not in FINAL and job and result:
            yield f"{job_id(index)} is {state} and has a result"
        if state in FINAL and f"blob:{job_id(index)}" in view.keys:
            yield f"{job_id(index)} is {state} and has its blob"


def nobody_understood_nothing(view: View, world: World) -> Iterator[str]:
    if "dead" in view.keys:
        yield "there are dead letters"


def clients_are_told_the_truth(view: View, world: World) -> Iterator[str]:
    for index, client in enumerate(world.clients):
        if client.stage == "no":
            yield f"{job_id(index)} was refused"
        if client.answer.startswith("state:") and client.answer[6:] not in ("running",):
            yield f"{job_id(index)} had no result at answer_by: {client.answer}"
        if "queue_timeout" in client.answer and world.now <= START_BY:
            yield f"{job_id(index)} got a queue_timeout before start_by"


STATES = (every_key_expires, a_job_is_where_its_state_says, what_a_worker_took_can_be_found,
          attempts_are_bounded, a_final_job_has_its_answer, nobody_understood_nothing,
          clients_are_told_the_truth)


# ---- steps ----

class Step:
    def __init__(self, before: View, after: View, world: World, action: Action,
                 replies: list[Any]) -> None:
        """world: before."""
        self.before, self.after, self.world = before, after, world
        self.action, self.replies = action, replies

    def pairs(self) -> Iterator[tuple[int, dict[str, str], dict[str, str]]]:
        for index, was in enumerate(self.before.jobs):
            if was and self.after.jobs[index]:
                yield index, was, self.after.jobs[index]


def same(was: dict[str, str], now: dict[str, str]) -> bool:
    """But for the age of a claim."""
    return {**was, "claimed": ""} == {**now, "claimed": ""}


def answers_stay(step: Step) -> Iterator[str]:
    for index, was, now in step.pairs():
        before, after = step.before.results[index], step.after.results[index]
        if before and before != after:
            yield f"the answer of {job_id(index)} became {after!r} after {before!r}"
        if was["state"] in FINAL and not same(was, now):
            yield f"{job_id(index)} was {was['state']} and changed: {now}"
        if was["state"] in FINAL and not before and after:
            yield f"{job_id(index)} got an answer after its end: {after!r}"


def epochs_grow(step: Step) -> Iterator[str]:
    for index, was, now in step.pairs():
        grown = int(now["epoch"]) - int(was["epoch"])
        claimed = was["state"] == "queued" and now["state"] == "running"
        if grown != int(claimed):
            yield f"the epoch of {job_id(index)} grew by {grown}"


def nothing_starts_late(step: Step) -> Iterator[str]:
    for index, was, now in step.pairs():
        started = was["state"] == "queued" and now["state"] == "running"
        again = (was["state"] == "running" and now["state"] == "queued"
                 and was["attempts"] == now["attempts"])
        if (started or again) and step.world.now > START_BY:
            yield f"{job_id(index)} went from {was['state']} to {now['state']} after start_by"


def the_fenced_change_nothing(step: Step) -> Iterator[str]:
    job, action = step.action.job, step.action
    if not job or not action.commands:
        return
    index = job_index(job.id)
    record = step.before.jobs[index]
    owns = record.get("owner") == action.worker and record.get("epoch") == str(job.epoch)
    if record and record["state"] == "done" and owns and action.commands[0][0] == "finish":
        if step.replies[0] != 1:
            yield f"{job.id} is done, and who did it is told {step.replies[0]}"
    elif record and not (owns and record["state"] == "running"):
        changed = [what for what in ("jobs", "results", "queue")
                   if getattr(step.before, what) != getattr(step.after, what)]
        others = [name for name, elements in step.before.inflight.items()
                  if name != action.worker and step.after.inflight.get(name) != elements]
        if changed or others or step.replies[0] != 0:
            yield f"{action.worker} does not own {job.id} and changed {changed + others}"


def who_lives_keeps_its_jobs(step: Step) -> Iterator[str]:
    """What sweeps and comparisons leave alone."""
    world, now_ms = step.world, step.world.now
    commands = list(step.action.commands)
    if commands and commands[0][0] == "CLOCK":
        now_ms = commands.pop(0)[1]
    if not commands or commands[0][:2] not in (["reap", "sweep"], ["reap", "beat"]):
        return
    heard_for = now_ms - world.heard_since if now_ms - world.swept <= GAP_MS else 0
    compares = commands[0][2] if step.action.worker else ""
    for index, was, now in step.pairs():
        owner = was["owner"]
        if was["state"] != "running" or same(was, now):
            continue
        if owner == compares:
            young = now_ms - int(was["claimed"]) / 1000 < GRACE_MS
            if young or f"{job_id(index)}:" in commands[0][6]:
                yield f"{owner} has {job_id(index)}, and it was taken from it"
        elif (step.before.registry.get(owner, 0) >= now_ms - EXPIRY_MS or owner == commands[0][2]
              or heard_for < EXPIRY_MS):
            yield f"{owner} is heard, or may be, and {job_id(index)} was taken from it"


STEPS = (answers_stay, epochs_grow, nothing_starts_late, the_fenced_change_nothing,
         who_lives_keeps_its_jobs)


# ---- the end ----

def everything_ended(view: View, replies: list[Any]) -> Iterator[str]:
    """Of an epilogue: the answers are its last replies but one, each before its UNLINK."""
    left = sorted(key for key in view.keys if key != "sweeps")
    if view.queue or any(view.inflight.values()):
        yield f"when all was over: queue {view.queue}, in flight {view.inflight}"
    elif left:
        yield f"when all was over there were {left}"
