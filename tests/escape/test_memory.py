"""Memory: nothing becomes executable, and what can be touched is bounded by the kernel alone.

RLIMIT_DATA counts private writable memory, so no allowed call may make memory that it does not
count, or take some out of the count while its pages stay.
"""

from __future__ import annotations

import concurrent.futures
import pathlib
import re

from escape import (EINVAL, ENOMEM, EPERM, MEMORY_MB, OUTPUT_CAP, PAGE, SIGSEGV, WORK_BYTES,
                    EscapeTest, call, offset, quiet, table, wait_until)

MIB = 1 << 20
GIB = 1 << 30
LIMIT = MEMORY_MB * MIB
# Beside linear memory: the guest's files with their tables, the host's own data.
DATA = LIMIT + 2 * WORK_BYTES + table()["host_data_bytes"]
STACK = table()["stack_bytes"]
# Pages of files (the program's, the image's) and what is mapped of them.
FILES = 16 * MIB
RESERVED_FROM, RESERVED_END = 0x10000, 8 * GIB + 0x10000
# Beyond what the guest has: reserved, not accessible.
FREE = 1 * GIB
RW = 3
PROT = {"NONE": 0, "READ": 1, "WRITE": 2, "EXEC": 4, "SEM": 8, "GROWSDOWN": 0x01000000,
        "GROWSUP": 0x02000000}
MAP = {"SHARED": 1, "PRIVATE": 2, "SHARED_VALIDATE": 3, "FIXED": 0x10, "ANONYMOUS": 0x20,
       "32BIT": 0x40, "GROWSDOWN": 0x100, "LOCKED": 0x2000, "NORESERVE": 0x4000,
       "POPULATE": 0x8000, "NONBLOCK": 0x10000, "STACK": 0x20000, "HUGETLB": 0x40000,
       "SYNC": 0x80000, "FIXED_NOREPLACE": 0x100000}
PLAIN = MAP["PRIVATE"] | MAP["ANONYMOUS"]
TARGETS = {"code": "t = where 2\nt = page t\n", "stack": "t = where 3\nt = page t\n",
           "linear memory": "t = buffer 4096\n", "shared memory": "t = header\n",
           "reservation": f"t = is {FREE}\n"}


class Bounds(EscapeTest):
    def test_one_call_over_the_whole_reservation(self) -> None:
        length = RESERVED_END - RESERVED_FROM
        for size in (length, length // 2, length // 4, DATA):
            with self.subTest(size):
                outcome = self.attack(call("mprotect", RESERVED_FROM, size, RW) +
                                      call("mprotect", RESERVED_END - size, size, RW))
                self.assert_results(outcome, ENOMEM, ENOMEM)

    def claimed(self, step: int) -> int:
        """Bytes that are granted by steps of that size, all of them written to."""
        outcome = self.attack(f"n = claim {FREE} {step} {8 * GIB // step}\nsay n\n")
        self.assertEqual(outcome.verdict, "exited", outcome)
        self.assertLessEqual(outcome.body["memory_peak_bytes"], DATA + STACK + FILES)
        return outcome.results[0] * step

    def test_memory_taken_bit_by_bit(self) -> None:
        for step in (16 * MIB, MIB, 16 * PAGE):
            with self.subTest(step):
                claimed = self.claimed(step)
                self.assertLessEqual(claimed, DATA)
                self.assertGreater(claimed, LIMIT)  # or it proves nothing

    def test_everything_that_can_be_had_at_once(self) -> None:
        """Linear memory, the stack down to its end, the memory shared with the worker."""
        outcome = self.attack(
            f"n = claim {FREE} {MIB} 100000\nn = claim {3 * GIB} {PAGE} 100000\n"
            f"s = where {3}\ns = page s\nn = touch s+-4096 {STACK // PAGE - 64} -4096\n"
            f"h = header\nt = get h+{offset('total_bytes')} 8\nn = fill h+4096 t+-4096 65\n"
            "say 1\n")
        shared = 4096 + 2 * MIB + 2 * OUTPUT_CAP
        self.assertEqual(outcome.verdict, "exited", outcome)
        self.assertLessEqual(outcome.body["memory_peak_bytes"], DATA + STACK + shared + FILES)
        self.assertGreater(outcome.body["memory_peak_bytes"], LIMIT + STACK)

    def test_the_stack_ends(self) -> None:
        outcome = self.attack(f"s = where 3\nn = touch s {2 * STACK // PAGE} -4096\n")
        self.assert_crashed(outcome, SIGSEGV)
        self.assertLessEqual(outcome.body["memory_peak_bytes"], STACK + FILES)

    def page_table_kib(self) -> int:
        """Of the job process that has most."""
        found = [0]
        for job in self.service.jobs():
            try:
                status = pathlib.Path(f"/proc/{job.pid}/status").read_text()
            except OSError:
                continue
            found += [int(kib) for kib in re.findall(r"VmPTE:\s+(\d+) kB", status)]
        return max(found)

    def test_page_tables_are_bounded(self) -> None:
        """No limit of the kernel counts them; there is nothing to spread them with."""
        script = f"n = stripes {FREE} 3000 {2 * MIB}\nb = buffer 16\nput b 8 60\n"
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            attack = pool.submit(self.attack, script + quiet("clock_nanosleep", 1, 0, "b", 0),
                                 timeout_ms=1500)
            kib = wait_until(lambda: self.page_table_kib() > 8000 and self.page_table_kib(),
                             "a job with many page tables")
            self.assertEqual(attack.result().verdict, "timed_out")
        self.assertLess(kib, 64 * 1024)

    def test_many_small_areas(self) -> None:
        outcome = self.attack(f"n = stripes {FREE} 100000 {2 * PAGE}\nsay n\n")
        self.assertEqual(outcome.verdict, "exited", outcome)
        self.assertLessEqual(outcome.results[0] * PAGE, DATA)
        self.assertLess(outcome.body["memory_peak_bytes"], DATA + FILES)

    def test_a_limit_can_be_lowered_and_not_raised(self) -> None:
        for name, resource in (("CPU", 0), ("DATA", 2), ("AS", 9)):
            with self.subTest(name):
                outcome = self.attack(
                    "b = buffer 16\nput b 8 -1\nput b+8 8 -1\n" +
                    call("prlimit64", 0, resource, "b", 0) +
                    "put b 8 1\nput b+8 8 1\n" + call("prlimit64", 0, resource, "b", 0) +
                    "put b 8 2\nput b+8 8 2\n" + call("prlimit64", 0, resource, "b", 0))
                self.assert_results(outcome, EPERM, 0, EPERM)

    def test_memory_given_back_is_not_counted_twice(self) -> None:
        """DONTNEED frees pages and keeps them in the count."""
        rounds = "".join(f"n = claim {FREE + i * 64 * MIB} {MIB} 64\n" +
                         quiet("madvise", FREE + i * 64 * MIB, 64 * MIB, 4) for i in range(8))
        outcome = self.attack(rounds + "say n\n")
        self.assert_results(outcome, 0)
        self.assertLessEqual(outcome.body["memory_peak_bytes"], DATA + FILES)


class Calls(EscapeTest):
    def test_nothing_can_be_mapped(self) -> None:
        scripts = [(f"{prot} {flags:#x} {address:#x}",
                    call("mmap", address, 4096, prot, flags, fd, 0))
                   for prot in range(8)
                   for flags in (PLAIN, *(PLAIN | bit for bit in MAP.values()),
                                 MAP["SHARED"] | MAP["ANONYMOUS"])
                   for address, fd in ((0, -1),)]
        scripts += [(f"descriptor {fd}", call("mmap", 0, 4096, RW, kind, fd, 0))
                    for fd in (0, 1, 2, 3) for kind in (1, 2, 3)]
        self.assert_all_refused(scripts)

    def test_nothing_can_be_enlarged_moved_or_taken_away(self) -> None:
        scripts = []
        for name, target in TARGETS.items():
            scripts += [
                (f"mremap {name}, flags {flags}",
                 target + call("mremap", "t", old, GIB, flags, FREE))
                for flags in range(8) for old in (0, PAGE)]
            scripts += [(f"munmap {name}", target + call("munmap", "t", PAGE)),
                        (f"remap_file_pages {name}",
                         target + call("remap_file_pages", "t", PAGE, 0, 0, 0)),
                        (f"mseal {name}", target + call(462, "t", PAGE, 0)),
                        (f"mlock {name}", target + call("mlock", "t", PAGE)),
                        (f"mlock2 {name}", target + call("mlock2", "t", PAGE, 1)),
                        (f"mincore {name}", target + call("mincore", "t", PAGE, "t")),
                        (f"mbind {name}", target + call("mbind", "t", PAGE, 1, 0, 0, 0)),
                        (f"msync {name}", target + call("msync", "t", PAGE, 4))]
        scripts += [("brk", call("brk", 0)), ("brk upwards", call("brk", 1 << 46)),
                    ("mlockall", call("mlockall", 7)), ("pkey_alloc", call("pkey_alloc", 0, 0)),
                    ("map_shadow_stack", call(453, 0, 65536, 1))]
        self.assert_all_refused(scripts)

    def test_memory_becomes_nothing_but_readable_and_writable(self) -> None:
        rights = [right for right in range(16) if right != RW]
        rights += [bit | rest for bit in (PROT["GROWSDOWN"], PROT["GROWSUP"], 1 << 31, 1 << 32)
                   for rest in (0, RW, 7)]
        scripts = [(f"mprotect {name} {right:#x}", target + call("mprotect", "t", PAGE, right))
                   for name, target in TARGETS.items() for right in rights]
        scripts += [(f"pkey_mprotect {name} {right:#x}",
                     target + call("pkey_mprotect", "t", PAGE, right, key))
                    for name, target in TARGETS.items() for right in (RW, 5, 7) for key in (0, -1)]
        self.assert_all_refused(scripts)

    def test_no_advice_but_that_memory_is_not_needed(self) -> None:
        scripts = [(f"{name} {advice}", target + call("madvise", "t", PAGE, advice))
                   for name, target in TARGETS.items()
                   for advice in (*range(4), *range(5, 26), 100, 101, 102, 103, -1)]
        self.assert_all_refused(scripts)

    def test_giving_back_ones_own_memory_hurts_nobody_else(self) -> None:
        for name, target in TARGETS.items():
            with self.subTest(name):
                outcome = self.attack(target + call("madvise", "t", PAGE, 4))
                # Without its stack it may try to complain, which is refused.
                self.assertTrue(outcome.status == 200 or outcome.refused, outcome)


class Execution(EscapeTest):
    RET = "put t 1 0xc3\n"

    def test_what_can_be_written_cannot_be_executed(self) -> None:
        for name, target in TARGETS.items():
            if name in ("code", "reservation"):
                continue
            with self.subTest(name):
                self.assert_crashed(self.attack(target + self.RET + "jump t\nsay 1\n"), SIGSEGV)
        granted = f"t = is {FREE}\n{quiet('mprotect', FREE, PAGE, RW)}"
        self.assert_crashed(self.attack(granted + self.RET + "jump t\nsay 1\n"), SIGSEGV)

    def test_code_made_writable_is_code_no_longer(self) -> None:
        """Its page can be changed then, and not made executable again."""
        writable = TARGETS["code"] + call("mprotect", "t", PAGE, RW)
        self.assert_crashed(self.attack(writable + self.RET + "jump t\nsay 1\n"), SIGSEGV)
        for right in (5, 7, 4):
            with self.subTest(right):
                # The door itself may lie in the page: then it is gone with the first call.
                outcome = self.attack(writable + self.RET + call("mprotect", "t", PAGE, right))
                self.assertTrue(outcome.refused or outcome.crashed, outcome)

    def test_addresses_that_are_nobodys(self) -> None:
        for address in (0, 1, 0xffff, FREE, RESERVED_END, 1 << 46, (1 << 47) - 1, 1 << 47,
                        1 << 63, (1 << 64) - 1, 0xffffffff80000000):
            with self.subTest(hex(address)):
                self.assert_crashed(self.attack(f"jump {address}\nsay 1\n"), SIGSEGV)
                self.assert_crashed(self.attack(f"n = get {address} 1\nsay n\n"), SIGSEGV)
                self.assert_crashed(self.attack(f"put {address} 1 1\nsay 1\n"), SIGSEGV)

    def test_calls_answer_for_addresses_that_are_nobodys(self) -> None:
        for address in (0xffff, RESERVED_END, 1 << 46, 1 << 63, 0xffffffff80000000):
            with self.subTest(hex(address)):
                outcome = self.attack(call("clock_gettime", 0, address) +
                                      call("getrandom", address, 8, 0) +
                                      call("mprotect", address - address % PAGE, PAGE, RW))
                self.assertEqual(outcome.results[:2], [-14, -14])
                self.assertIn(outcome.results[2], (ENOMEM, EINVAL))
