"""The training run: what the module does with typical programs, counted, for gcc.

The instrumented program is linked with runtime/train_main.c in place of the sandbox, runs each
training program in the same WASI host, and writes its counts when the guest exits.
"""
import os
import shutil
import subprocess

from .cache import digest
from .errors import Failure

TIMEOUT_S = 600


def profile(cache, progress, program, plan, key_parts):
    """The directory with one .gcda file per unit, from the cache or from a training run.

    program: function that returns the path of the instrumented program (called when needed).
    plan: Plan. key_parts: whatever else the counts depend on.
    """
    key = digest(*key_parts, *plan.identity())
    kept = cache.path("profiles", key)
    if kept.exists():
        return kept
    path = program()
    made = cache.scratch("profiles")
    try:
        with progress.step(f"training run: {len(plan.runs)} programs"):
            for number, run in enumerate(plan.runs, 1):
                _train(path, made, plan, run, f"{number}/{len(plan.runs)}", progress)
        if not any(made.glob("*.gcda")):
            raise Failure("the training run left no counts")
        cache.keep(made, kept)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return kept


class Plan:
    """What to run: argv of the guest, its tree, and per run a file or arguments."""

    def __init__(self, argv, env, tree, tree_digest, reads_job_device, files, argument_lists):
        self.argv = tuple(argv)
        self.env = tuple(env)
        self.tree = tree
        self.tree_digest = tree_digest
        self.reads_job_device = reads_job_device
        self.runs = [("file", path) for path in files]
        self.runs += [("args", arguments) for arguments in argument_lists]

    def identity(self):
        yield from ("argv", *self.argv, "env", *self.env, self.tree_digest, self.reads_job_device)
        for kind, value in self.runs:
            yield kind
            yield value.read_bytes() if kind == "file" else "\0".join(value)

    def command(self, program, run):
        kind, value = run
        command = [str(program), "--tree", str(self.tree)]
        for setting in self.env:
            command += ["--env", setting]
        if self.reads_job_device:
            command.append("--bootstrap")
        if kind == "file":
            command += ["--file", f"/work/main.py={value}"]
        command += ["--", *self.argv]
        return command + list(value) if kind == "args" else command


def _train(program, directory, plan, run, count, progress):
    # libgcov writes to PREFIX/NAME.gcda once all directories of the path are stripped, and adds
    # to the counts that are there.
    environment = dict(os.environ, GCOV_PREFIX=str(directory), GCOV_PREFIX_STRIP="100")
    name = run[1].name if run[0] == "file" else " ".join(run[1])
    progress.say(f"  [{count}] {name}")
    try:
        done = subprocess.run(plan.command(program, run), env=environment, timeout=TIMEOUT_S,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"training program {name} did not end in {TIMEOUT_S} s") from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise Failure(f"training program {name} ended with {done.returncode}: {lines[-1][:300]}")
