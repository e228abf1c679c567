"""The filters of worker and API, where they run: calls are made in the daemons' own processes."""

from __future__ import annotations

import errno
import json
import mmap
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from foreign_call import Stopped
from service import BUILD, IMAGE, SANITIZED, ServiceTest, descendants, wait_until

IS_ROOT = os.geteuid() == 0
ORDINARY = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"] if IS_ROOT else []

# x86-64, as the filters.
SYS = {"mmap": 9, "mprotect": 10, "getpid": 39, "socket": 41, "execve": 59, "kill": 62, "ptrace": 101,
       "personality": 135, "mount": 165, "init_module": 175, "openat": 257, "unshare": 272,
       "perf_event_open": 298, "setns": 308, "process_vm_readv": 310, "kcmp": 312, "bpf": 321,
       "execveat": 322, "userfaultfd": 323, "io_uring_setup": 425, "keyctl": 250, "clone3": 435}
INVALID = 2 ** 64 - 1
AT_FDCWD = 2 ** 64 - 100

# (call, arguments): none of them would do anything if it were made.
NOBODY = [("ptrace", INVALID), ("process_vm_readv", INVALID), ("kcmp", INVALID), ("bpf", INVALID),
          ("keyctl", INVALID), ("init_module", INVALID), ("perf_event_open", INVALID),
          ("setns", INVALID), ("userfaultfd", INVALID), ("io_uring_setup", 0, INVALID),
          ("personality", INVALID), ("clone3", INVALID, 0),
          ("socket", socket.AF_NETLINK, socket.SOCK_RAW), ("socket", socket.AF_PACKET, INVALID),
          ("mmap", 0, 4096, mmap.PROT_READ | mmap.PROT_EXEC, INVALID, INVALID),
          ("mprotect", 1, 4096, mmap.PROT_EXEC), ("execve", INVALID),
          ("unshare", INVALID), ("mount", INVALID, INVALID, INVALID, 0),
          ("kill", 2 ** 31 - 1, signal.SIGTERM)]
NOT_THE_API = [("execveat", INVALID, INVALID, INVALID, INVALID, 0x1000), ("unshare", 0),
               ("kill", 2 ** 31 - 1, signal.SIGKILL),
               ("openat", AT_FDCWD, INVALID, os.O_WRONLY | os.O_CREAT)]


def status(pid: int | str, name: str) -> str:
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{name}:[ \t]*(.*?)[ \t]*$", text, re.MULTILINE)
    assert found, f"{name} in {text}"
    return found.group(1)


class Running(ServiceTest):
    def pid(self, part: str) -> int:
        return self.service.parts[part].pid

    def test_each_has_one_filter_of_its_own_and_no_way_to_privileges(self) -> None:
        for part in ("api", "worker"):
            with self.subTest(part):
                self.assertEqual(status(self.pid(part), "Seccomp"), "2")
                self.assertEqual(int(status(self.pid(part), "Seccomp_filters")),
                                 int(status("self", "Seccomp_filters")) + 1)
                self.assertEqual(status(self.pid(part), "NoNewPrivs"), "1")

    def refused(self, part: str, calls: list[tuple[str | int, ...]]) -> None:
        with Stopped(self.pid(part)) as process:
            self.assertEqual(process.call(SYS["getpid"]), self.pid(part))
            for name, *arguments in calls:
                with self.subTest(part, call=name, arguments=arguments):
                    result = process.call(SYS[str(name)], *(int(value) for value in arguments))
                    self.assertEqual(result, -errno.ENOSYS)

    @unittest.skipUnless(IS_ROOT, "only root may look")
    def test_a_call_outside_of_the_table_fails_in_the_running_process(self) -> None:
        if SANITIZED:
            self.skipTest("the sanitizers need more calls")
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")
        self.refused("worker", NOBODY)
        self.refused("api", NOBODY + NOT_THE_API)
        self.assertEqual(self.service.execute("print(2)").stdout, "2\n")

    @unittest.skipUnless(IS_ROOT, "only root may look")
    def test_a_call_of_the_table_is_made_in_the_running_process(self) -> None:
        for part in ("api", "worker"):
            with self.subTest(part), Stopped(self.pid(part)) as process:
                self.assertEqual(process.call(SYS["socket"], socket.AF_INET, INVALID),
                                 -errno.EINVAL)
                self.assertEqual(process.call(SYS["openat"], AT_FDCWD, INVALID, os.O_RDONLY),
                                 -errno.EFAULT)
        self.assertEqual(self.service.execute("print(3)").stdout, "3\n")


class OfAnOrdinaryUser(unittest.TestCase):
    """Without a Redis: that is waited for when all is set up."""

    def start(self, program: str, event: str) -> int:
        log = tempfile.TemporaryFile("w+")
        process = subprocess.Popen(
            [*ORDINARY, str(BUILD / program)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={"PATH": os.environ["PATH"], "IMAGE": str(IMAGE), "PORT": "0",
                 "REDIS_URL": "unix:///nowhere/redis.sock"})

        def end() -> None:
            process.kill()
            process.wait()
            log.close()

        def said() -> bool:
            log.seek(0)
            lines = [json.loads(line) for line in log.read().splitlines() if line.startswith("{")]
            return any(line["event"] == event for line in lines)

        self.addCleanup(end)
        wait_until(said, f"{event} in the log of {program}", 60)
        return process.pid

    def test_jobs_of_a_hidden_worker_go_first_when_the_host_runs_out_of_memory(self) -> None:
        """What it starts writes to a file of its own in /proc, which is root's of a hidden one."""
        pid = self.start("retort-worker", "started")
        score = [pathlib.Path(f"/proc/{zygote.pid}/oom_score_adj")
                 for zygote in wait_until(lambda: descendants(pid), "a zygote")][0]
        wait_until(lambda: score.read_text() == "1000\n", "to go first", 5)

    def test_daemons_have_a_filter_and_are_hidden_from_others_of_their_user(self) -> None:
        """The kernel gives the files of a process that must not be dumped to root."""
        for program, event in (("retort-api", "listening"), ("retort-worker", "started")):
            with self.subTest(program):
                pid = self.start(program, event)
                wait_until(lambda: status(pid, "Seccomp") == "2", "a filter")
                self.assertNotEqual(status(pid, "Uid").split()[0], "0")
                if not SANITIZED:
                    self.assertEqual(pathlib.Path(f"/proc/{pid}/maps").stat().st_uid, 0)


if __name__ == "__main__":
    unittest.main()
