"""What a job process is, seen from outside: with what an escaped program would find itself."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import pathlib
import re
import subprocess
import unittest
from collections.abc import Iterator

from escape import BUILD, IMAGE, EscapeTest, call, quiet, wait_until

SLEEP = "b = buffer 16\nput b 8 60\n" + quiet("clock_nanosleep", 1, 0, "b", 0)
AS_ROOT = os.geteuid() == 0


def status_of(pid: int) -> dict[str, str]:
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


class Outside(EscapeTest):
    @contextlib.contextmanager
    def sleeping_job(self) -> Iterator[int]:
        """The process of a job that runs, and sleeps."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            before = {job.pid for job in self.service.jobs()}
            # Bigger than the waiting ones by what it claims.
            future = pool.submit(self.attack, "n = claim 0x40000000 0x1000000 1\n" + SLEEP,
                                 timeout_ms=1500)
            del before

            def resident() -> int:
                for job in self.service.jobs():
                    with contextlib.suppress(OSError):
                        if int(status_of(job.pid).get("VmRSS", "0 kB").split()[0]) > 16000:
                            return job.pid
                return 0
            yield wait_until(resident, "the job that sleeps")
            self.assertEqual(future.result().verdict, "timed_out")

    def test_rights_and_filter(self) -> None:
        with self.sleeping_job() as pid:
            status = status_of(pid)
        for name, value in (("Seccomp", "2"), ("NoNewPrivs", "1"), ("Threads", "1")):
            with self.subTest(name):
                self.assertEqual(status[name], value)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            with self.subTest(name):
                self.assertEqual(int(status[name], 16), 0)
        self.assertNotIn("0", status["Uid"].split())
        self.assertNotIn("0", status["Gid"].split())

    def test_limits(self) -> None:
        with self.sleeping_job() as pid:
            text = pathlib.Path(f"/proc/{pid}/limits").read_text()
        for name in ("core file size", "file size", "processes", "locked memory"):
            with self.subTest(name):
                self.assertRegex(text, rf"Max {name} +0 +0 ")
        self.assertRegex(text, r"Max open files +1 +1 ")
        for name in ("cpu time", "data size", "stack size", "address space"):
            with self.subTest(name):
                self.assertRegex(text, rf"Max {name} +(\d+) +\1 ")

    @unittest.skipUnless(AS_ROOT, "only root may look into a job process from outside")
    def test_memory(self) -> None:
        """Nothing is writable and executable, one area is shared: with the worker alone."""
        with self.sleeping_job() as pid:
            areas = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
        shared = [line for line in areas if line.split()[1].endswith("s")]
        self.assertEqual(len(shared), 1, shared)
        self.assertIn("memfd:retort-job", shared[0])
        for line in areas:
            self.assertFalse("w" in line.split()[1] and "x" in line.split()[1], line)

    @unittest.skipUnless(AS_ROOT, "only root may look into a job process from outside")
    def test_descriptors(self) -> None:
        with self.sleeping_job() as pid:
            found = {int(name): os.readlink(f"/proc/{pid}/fd/{name}")
                     for name in os.listdir(f"/proc/{pid}/fd")}
        self.assertEqual(list(found), [0])
        self.assertTrue(found[0].startswith("socket:"), found)

    @unittest.skipUnless(AS_ROOT, "only root may look into a job process from outside")
    def test_no_environment_and_no_path_of_the_host(self) -> None:
        with self.sleeping_job() as pid:
            self.assertEqual(pathlib.Path(f"/proc/{pid}/environ").read_bytes(), b"")

    def test_other_processes_of_its_user_cannot_look(self) -> None:
        """Not even those with the same user id, were there any."""
        with self.sleeping_job() as pid:
            owner = os.stat(f"/proc/{pid}/mem")
            self.assertEqual(owner.st_uid, 0)


class Program(unittest.TestCase):
    """The program file of an image, by its headers."""

    def test_no_segment_is_writable_and_executable(self) -> None:
        done = subprocess.run(["readelf", "-lW", IMAGE / "program"], capture_output=True, text=True,
                              check=True)
        segments = re.findall(r"^  (LOAD|GNU_STACK).*? ([R ][W ][E ]) 0x", done.stdout,
                              re.MULTILINE)
        self.assertGreater(len(segments), 3, done.stdout)
        for kind, rights in segments:
            with self.subTest(kind):
                self.assertFalse("W" in rights and "E" in rights, done.stdout)
        self.assertIn("GNU_STACK", dict(segments))


class RetortRun(EscapeTest):
    """The same sandbox without Redis and HTTP; as root, and as an ordinary user."""

    ORDINARY = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"]

    def run_it(self, script: str, prefix: list[str]) -> str:
        path = self.service.directory / "attack"
        path.write_text(script)
        done = subprocess.run([*prefix, BUILD / "retort-run", "--image", IMAGE, "-"],
                              stdin=open(path, "rb"), capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def assert_contained(self, prefix: list[str]) -> None:
        for name, arguments in (("openat", (-100, '"/etc/passwd"', 0)), ("kill", (-1, 9)),
                                ("socket", (2, 1, 0)), ("fork", ()), ("execve", (0, 0, 0)),
                                ("mmap", (0, 4096, 7, 34, -1, 0)), ("ptrace", (16, 1, 0, 0))):
            with self.subTest(name):
                self.assertIn(f"not allowed: {name})",
                              self.run_it(call(name, *arguments), prefix))

    def test_as_who_runs_the_tests(self) -> None:
        self.assert_contained([])

    def test_as_an_ordinary_user(self) -> None:
        self.assert_contained(self.ORDINARY if AS_ROOT else [])
