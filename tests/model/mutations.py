"""Faults put into the scripts, one at a time, that the model must find. Each is a text that stands
exactly once in its file, what replaces it, and how wide the model has to look."""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    name: str
    file: str
    old: str
    new: str
    says: str            # of the invariant that breaks
    faults: int = 0
    kinds: str = ""


MUTATIONS = (
    Mutation("finish does not look at the epoch", "finish",
             "or was[3] ~= epoch", "", "changed", 1, "finish j1, on its way|requeue"),
    Mutation("a refused finish takes the element away", "finish",
             "if was[2] ~= worker and was[1] ~= 'queued' then", "if true then",
             "and in []", 2, "finish j1, on its way|requeue"),
    Mutation("a refused finish takes away what has just been moved", "finish",
             "if was[2] ~= worker and was[1] ~= 'queued' then", "if was[2] ~= worker then",
             "is queued and in []", 3, "finish j1, on its way|requeue|connection dies"),
    Mutation("finish answers what is lost", "finish",
             "was[1] ~= 'running' then", "false then", "changed", 2, "evict|requeue"),
    Mutation("finish leaves the element", "finish",
             "redis.call('LREM', prefix .. 'inflight:' .. worker, 1, element)\nredis.call('SET'",
             "redis.call('SET'", "is done and in"),
    Mutation("putting back leaves the element", "ownership",
             "local function put_back(worker, id, language, element)\n"
             "    redis.call('LREM', inflight_of(worker), 1, element)",
             "local function put_back(worker, id, language, element)", "in ['queue'", 1, "requeue"),
    Mutation("attempts without end", "ownership",
             "(tonumber(job.attempts) or most) >= most", "false", "attempts", 1, "evict"),
    Mutation("put back after start_by", "ownership",
             "or now_us() > job.start_by * 1000 then", "then", "after start_by"),
    Mutation("no quiet time after a gap", "reap",
             "return now_ms >= quiet_until", "return true", "was taken from it"),
    Mutation("taken over without a look at the beat", "reap",
             "integer(now / 1000 - expiry_ms), 'WITHSCORES'", "'+inf', 'WITHSCORES'", "was taken from it"),
    Mutation("a comparison without a grace", "reap",
             "or now - job.claimed < grace_ms * 1000", "", "was taken from it",
             1, "reply on its way"),
    Mutation("a comparison that does not know", "reap",
             "string.find(known, id, 1, true)", "false", "was taken from it"),
    Mutation("the fenced give back", "reap",
             "if not owns(job, worker, epoch) then", "if not job then", "changed",
             2, "return j1|requeue|reply on its way"),
    Mutation("a claim after start_by", "claim",
             "if now > (tonumber(was[3]) or 0) * 1000 then", "if false then", "after start_by"),
    Mutation("a claim with the old epoch", "claim",
             "(tonumber(was[6]) or 0) + 1", "(tonumber(was[6]) or 0)", "epoch"),
    Mutation("a claim outside the registry", "claim",
             "redis.call('ZADD', prefix .. 'workers', 'NX', integer(now / 1000), worker)", "0",
             "is in no registry", 1, "evict"),
    Mutation("a claim of what runs", "claim",
             "if was[1] ~= 'queued' then", "if was[1] == 'done' then", "epoch", 1,
             "reply on its way"),
    Mutation("an answer for ever", "common",
             "result, 'PXAT', keep_until(answer_by))", "result)", "no expiry"),
    Mutation("a submission again begins anew", "submit",
             "if known and known[1] and ARGV[8] == '1' then", "if false then", "was refused", 1,
             "submit j1, reply lost"),
    Mutation("a hang-up leaves the element", "cancel",
             "    remove_from_queue()\n    if", "    if", "and in the queue", 1, "hangs up"),
)
