"""Runs the C compiler over the units, as many at a time as cores and free memory allow."""
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from .cache import digest
from .errors import Failure

# Why each: position-independent, since base 0 keeps the low addresses; hidden, so that calls
# between units are direct; errno and null checks, because the code is not C that a person wrote;
# no contraction, because wasm rounds every step; stack probes, so that no frame jumps the guard.
BASE_FLAGS = ("-std=gnu11", "-w", "-fpie", "-fvisibility=hidden", "-fno-math-errno",
              "-fno-delete-null-pointer-checks", "-ffp-contract=off", "-fno-stack-protector",
              "-fcf-protection=none", "-fstack-clash-protection")
# The library's copies are faster than what gcc inlines for sizes that it does not know.
LIBCALL_FLAGS = ("-mmemset-strategy=libcall:-1:noalign", "-mmemcpy-strategy=libcall:-1:noalign")
# Moving code out of the evaluation loop costs registers on every opcode for what few need.
DISPATCH_FLAGS = ("-fno-tree-loop-im", "-fno-move-loop-invariants")
INSTRUMENT_FLAGS = ("-fprofile-generate", "-fprofile-update=single")
PROFILE_FLAGS = ("-fprofile-partial-training", "-Wno-missing-profile")

# gcc 12 at -O3 needs about this much; measured on units of CPython (15 MB of C: 0.6 GB).
BYTES_PER_SOURCE_BYTE = 45
BYTES_AT_LEAST = 80 << 20
SECONDS_PER_MEGABYTE = 2.2
# Optimizing all units as one reads summaries first and then parts of the whole.
LTO_BYTES_PER_OBJECT_BYTE = 20
LTO_SECONDS_PER_MEGABYTE = 4


@dataclass(frozen=True)
class Toolchain:
    command: str           # gcc
    root: Path             # of the headers: engine.h and the like are below it
    optimize: str = "-O3"
    extra: tuple = ()      # for every unit, e.g. -fsanitize=address
    dispatch: tuple = DISPATCH_FLAGS
    jobs: int = 2
    lto: bool = False

    def version(self):
        try:
            return subprocess.run([self.command, "--version"], capture_output=True, text=True,
                                  check=True).stdout.splitlines()[0]
        except (OSError, subprocess.CalledProcessError, IndexError):
            raise Failure(f"{self.command} cannot be run; install Debian's package gcc") from None

    def headers(self):
        """Text of every header that units include, for the key of the cache."""
        names = ("aot/runtime/wasm.h", "worker/engine/engine.h", "worker/engine/trap.def",
                 "worker/wasi/functions.h", "worker/wasi/functions.def", "common/err.h",
                 "common/err.def")
        return "".join((self.root / name).read_text() for name in names)


@dataclass
class Job:
    unit: object
    flags: list
    key: str
    process: object = None
    started: float = 0.0
    needs_bytes: int = field(default=0)


class Compiler:
    def __init__(self, toolchain, cache, progress):
        self.toolchain = toolchain
        self.cache = cache
        self.progress = progress
        self.identity = digest(toolchain.version(), toolchain.headers())

    def compile(self, source, mode, profile=None):
        """Object paths. mode: "plain", "instrument" or "use" (with profile: a directory)."""
        jobs = [self._job(source, unit, mode, profile) for unit in source.units]
        if not self.toolchain.lto or mode == "instrument":
            return self._compile(source, jobs, mode)
        merged = self.cache.path("objects", digest(*(job.key for job in jobs)), ".o")
        if not merged.exists():
            self._merge(self._compile(source, jobs, mode), merged, profile)
        return [merged]

    def _merge(self, objects, target, profile):
        """Optimizes all units as one and leaves one plain object: later links are quick."""
        scratch = self.cache.scratch("objects")
        flags = [*BASE_FLAGS, self.toolchain.optimize, *LIBCALL_FLAGS, *self.toolchain.extra]
        flags += [*PROFILE_FLAGS, "-fprofile-use"] if profile else []
        size = sum(path.stat().st_size for path in objects)
        self._expect_memory(BYTES_AT_LEAST + size * LTO_BYTES_PER_OBJECT_BYTE, "the whole module")
        command = [self.toolchain.command, *flags, f"-flto={self.toolchain.jobs}", "-r",
                   "-flinker-output=nolto-rel", "-frandom-seed=retort", "-o", "merged.o",
                   *map(str, objects)]
        try:
            with self.progress.step("optimizing across units",
                                    size / 1e6 * LTO_SECONDS_PER_MEGABYTE / self.toolchain.jobs):
                done = subprocess.run(command, cwd=scratch, capture_output=True, text=True,
                                      check=False)
            if done.returncode != 0:
                raise Failure(complaint("optimizing across units", done.returncode, done.stderr))
            self.cache.keep(scratch / "merged.o", target)
        finally:
            shutil.rmtree(scratch)

    def _compile(self, source, jobs, mode):
        objects = [self.cache.path("objects", job.key, ".o") for job in jobs]
        todo = [job for job, path in zip(jobs, objects) if not path.exists()]
        if not todo:
            return objects
        todo.sort(key=lambda job: -job.needs_bytes)
        scratch = self.cache.scratch("objects")
        try:
            source.write(scratch)
            what = {"plain": "compiling", "instrument": "compiling for the training run",
                    "use": "compiling with the profile"}[mode]
            with self.progress.step(f"{what}: {len(todo)} of {len(jobs)} units",
                                    self._usual_seconds(todo)):
                self._run(todo, scratch)
        finally:
            shutil.rmtree(scratch)
        return objects

    def _usual_seconds(self, todo):
        megabytes = sum(len(job.unit.text) for job in todo) / 1e6
        return megabytes * SECONDS_PER_MEGABYTE / min(self.toolchain.jobs, len(todo))

    def _job(self, source, unit, mode, profile):
        flags = list(BASE_FLAGS) + [self.toolchain.optimize] + list(LIBCALL_FLAGS)
        if unit.is_dispatch:
            flags += self.toolchain.dispatch
        flags += self.toolchain.extra
        if self.toolchain.lto and mode != "instrument" and unit.suffix == ".c":
            flags += ["-flto", f"-frandom-seed={unit.name}"]
        counts = b""
        if mode == "instrument" and unit.suffix == ".c":
            flags += INSTRUMENT_FLAGS
        if mode == "use" and unit.suffix == ".c":
            flags += PROFILE_FLAGS
            file = profile / f"{unit.name}.gcda"
            if file.exists():
                counts = file.read_bytes()
                flags.append(f"-fprofile-use={file}")
        named = [f for f in flags if not f.startswith("-fprofile-use=")]
        extra = source.data if unit.suffix == ".S" else b""
        key = digest(self.identity, " ".join(named), unit.name, source.header, unit.text, extra,
                     counts)
        return Job(unit, flags, key,
                   needs_bytes=BYTES_AT_LEAST + len(unit.text) * BYTES_PER_SOURCE_BYTE)

    def _run(self, todo, directory):
        waiting, running, finished = list(todo), [], 0
        try:
            while waiting or running:
                while waiting and len(running) < self.toolchain.jobs \
                        and self._memory_allows(waiting[0], running):
                    job = waiting.pop(0)
                    self._start(job, directory)
                    running.append(job)
                time.sleep(0.01)
                for job in [j for j in running if j.process.poll() is not None]:
                    running.remove(job)
                    finished += 1
                    self._finish(job, directory, f"{finished}/{len(todo)}")
        finally:
            for job in running:
                job.process.kill()
                job.process.wait()

    def _memory_allows(self, job, running):
        # What running jobs will still take is not in MemAvailable yet: count half of it.
        free = available_bytes() - sum(r.needs_bytes for r in running) // 2
        if not running:
            self._expect_memory(job.needs_bytes, job.unit.name)
        return free >= job.needs_bytes

    @staticmethod
    def _expect_memory(needed, what):
        free = available_bytes()
        if free < needed:
            raise Failure(f"the compiler needs about {needed >> 20} MiB for {what} and "
                          f"{free >> 20} MiB are free; free some memory, or use more units "
                          "(--units)")

    def _start(self, job, directory):
        name = job.unit.name
        command = [self.toolchain.command, *job.flags, "-I", str(self.toolchain.root), "-I", ".",
                   "-c", job.unit.file_name, "-o", name + ".o"]
        log = open(directory / f"{name}.log", "wb")
        with log:
            job.process = subprocess.Popen(command, cwd=directory, stdout=log,
                                           stderr=subprocess.STDOUT)
        job.started = time.monotonic()

    def _finish(self, job, directory, count):
        if job.process.returncode != 0:
            log = (directory / f"{job.unit.name}.log").read_text(errors="replace")
            raise Failure(complaint(job.unit.name, job.process.returncode, log))
        self.cache.keep(directory / f"{job.unit.name}.o",
                        self.cache.path("objects", job.key, ".o"))
        took = time.monotonic() - job.started
        if took >= 2:
            self.progress.say(f"  [{count}] {job.unit.name} in {took:.0f} s")


def complaint(what, status, output):
    """The sentence for a compiler that failed."""
    errors = [line for line in output.splitlines() if "error" in line.lower()]
    if status in (-9, 137) or any("Killed" in line for line in errors):
        return f"the compiler was killed ({what}): most likely memory ran out"
    return f"the compiler failed ({what}): {(errors or [output])[0][:300]}"


def available_bytes():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
