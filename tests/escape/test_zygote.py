"""A zygote that serves has a filter of its own; what it refuses ends the zygote, and is named.

The guest asks for a call when it boots, which the zygote makes when it waits for requests (door.c).
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator
from typing import Any

from boot import BootTest
from escape import ALL_ONES, CLIENTS, LONG, numbers, table

CLONE_NEWUSER, CLONE_VM, CLONE_THREAD, CLONE_PARENT, SIGCHLD = 0x10000000, 0x100, 0x10000, 0x8000, 17
PROBES = (335, 336)
NUMBER_END = 480
# The call, its arguments: what somebody would do who could make the zygote make a call.
ATTACKS: list[tuple[str, tuple[int | str, ...]]] = [
    ("openat", (-100, '"/etc/passwd"', 0)), ("openat", (5, '"self/mem"', 2)),
    ("memfd_create", ('"x"', 0)), ("open_by_handle_at", (3, 0, 0)), ("io_uring_setup", (8, 0)),
    ("socket", (1, 1, 0)), ("socket", (2, 1, 0)), ("socket", (16, 3, 0)), ("connect", (3, 0, 16)),
    ("accept4", (3, 0, 0, 0)), ("setsockopt", (3, 1, 7, 0, 4)), ("write", (3, '"x"', 1)),
    ("sendto", (4, '"x"', 1, 0, 0, 0)), ("sendmsg", (4, 0, 0)), ("recvmsg", (0, 0, 0)),
    ("execve", ('"/bin/sh"', 0, 0)), ("execveat", (4, '""', 0, 0, 0x1000)), ("fork", ()),
    ("vfork", ()), ("clone", (SIGCHLD, 0, 0, 0, 0)), ("clone", (CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)),
    ("clone", (CLONE_VM | CLONE_THREAD | 0x800, 0, 0, 0, 0)), ("clone", (CLONE_PARENT, 0, 0, 0, 0)),
    ("clone3", (0, 88)), ("unshare", (CLONE_NEWUSER,)), ("unshare", (0x20000,)), ("setns", (3, 0)),
    ("kill", (-1, 9)), ("kill", (2, 9)), ("tgkill", (1, 1, 9)), ("rt_sigqueueinfo", (2, 9, 0)),
    ("pidfd_send_signal", (3, 15, 0, 0)), ("pidfd_send_signal", (3, 0, 0, 0)),
    ("pidfd_open", (1, 2048)), ("pidfd_getfd", (3, 0, 0)), ("ptrace", (16, 2, 0, 0)),
    ("process_vm_readv", (2, 0, 1, 0, 1, 0)), ("process_vm_writev", (2, 0, 1, 0, 1, 0)),
    ("mount", (0, '"/"', 0, 0x20, 0)), ("umount2", ('"/"', 2)), ("pivot_root", ('"."', '"."')),
    ("chroot", ('"/"',)), ("setresuid", (0, 0, 0)), ("setgroups", (0, 0)), ("capset", (0, 0)),
    ("prctl", (4, 1, 0, 0, 0)), ("prctl", (1, 15, 0, 0, 0)), ("prctl", (0x59616d61, -1, 0, 0, 0)),
    ("prctl", (22, 1, 0, 0, 0)), ("seccomp", (1, 0, 0)), ("personality", (0x400000,)),
    ("mmap", (0, 4096, 7, 0x22, -1, 0)), ("mmap", (0, 4096, 5, 2, 4, 0)),
    ("mmap", (0, 4096, 3, 0x22, -1, 0)), ("mmap", (0, 4096, 3, 0x21, -1, 0)),
    ("mprotect", (0x10000, 4096, 5)), ("mprotect", (0x10000, 4096, 7)), ("mremap", (0, 0, 4096, 1, 0)),
    ("brk", (0,)), ("prlimit64", (2, 0, 0, 0)), ("rt_sigaction", (31, 0, 0, 8)),
    ("sigaltstack", (0, 0)), ("setitimer", (0, 0, 0)), ("bpf", (0, 0, 0)), ("keyctl", (0, -3)),
    ("userfaultfd", (0,)), ("perf_event_open", (0, 0, -1, -1, 0)), ("reboot", (0xfee1dead, 0, 0)),
    ("dup2", (3, 1)), ("dup", (3,)), ("fcntl", (3, 0, 0)), ("shmget", (0, 4096, 0o1600)),
]


class Serving(BootTest):
    def later(self, number: int, arguments: tuple[int | str, ...]) -> tuple[str, str]:
        words = " ".join(str(argument) for argument in arguments)
        return self.run_at_boot(f"later {number} {words}\n", "a = answer\nsay a\n")

    def later_all(self, calls: list[tuple[int, tuple[int | str, ...]]]) -> Iterator[tuple[str, str]]:
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            yield from pool.map(lambda one: self.later(*one), calls)

    def assert_refused(self, said: str, job: str, name: str = "") -> None:
        """The zygote is gone before it served anybody, and the worker knows of what."""
        self.assertEqual(job, "")
        self.assertIn(f"made a system call that is not allowed: {name}", said)

    def test_a_call_that_it_needs_is_made(self) -> None:
        """Otherwise the cases below prove nothing."""
        for name, arguments, result in (("getpid", (), 1), ("clock_gettime", (0, 8), -14),
                                        ("wait4", (-1, 0, 1, 0), -10)):
            with self.subTest(name):
                self.assertEqual(self.later(numbers()[name], arguments), ("", f"{result}\n"))

    def test_what_it_does_not_need_ends_it(self) -> None:
        calls = [(numbers()[name], arguments) for name, arguments in ATTACKS]
        for (name, arguments), (said, job) in zip(ATTACKS, self.later_all(calls)):
            with self.subTest(f"{name} {arguments}"):
                self.assert_refused(said, job, name)

    def test_numbers_outside_of_its_table(self) -> None:
        """All of them with LONG=1."""
        inside = {rule["number"] for rule in table()["zygote_rules"]} | set(PROBES)
        outside = [number for number in range(NUMBER_END) if number not in inside]
        tried = outside if LONG else outside[::5]
        for number, (said, job) in zip(tried, self.later_all([(number, ()) for number in tried])):
            with self.subTest(number):
                self.assert_refused(said, job)

    def broken(self) -> Iterator[tuple[dict[str, Any], list[int]]]:
        """Each row of its own with one checked argument wrong, in its lowest bit that is looked at."""
        for rule in table()["zygote_rules"]:
            for check in rule["checks"]:
                arguments = [ALL_ONES] * 6
                for other in rule["checks"]:
                    arguments[other["argument"]] = other["value"]
                arguments[check["argument"]] ^= check["mask"] & -check["mask"]
                if not any(other["number"] == rule["number"] and
                           all(arguments[c["argument"]] & c["mask"] == c["value"]
                               for c in other["checks"]) for other in table()["zygote_rules"]):
                    yield rule, arguments

    def test_arguments_that_break_a_check(self) -> None:
        cases = list(self.broken())
        self.assertGreater(len(cases), 10)
        outcomes = self.later_all([(rule["number"], tuple(arguments)) for rule, arguments in cases])
        for (rule, arguments), (said, job) in zip(cases, outcomes):
            with self.subTest(f"{rule['name']} {arguments}"):
                self.assert_refused(said, job, rule["name"])
