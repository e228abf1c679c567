"""Every end that a job can give itself, and every end that it tries not to have."""

from __future__ import annotations

from escape import (ALL_ONES, OUTPUT_CAP, SIGFPE, SIGILL, SIGTRAP, EscapeTest, Outcome, call,
                    instructions, offset, quiet)

CPU_LIMIT_MS = 100
# RLIMIT_CPU stands behind the exact timer, in whole seconds (worker/sandbox/rlimits.def).
CPU_BOUND_MS = 2000 + 600
BLOCK_ALL = f"b = buffer 64\nput b 8 -1\n{quiet('rt_sigprocmask', 2, 'b', 0, 8)}"
TIMER_OFF = f"t = buffer 64\n{quiet('timer_settime', 0, 0, 't', 0)}"
FOR_EVER = f"s = buffer 16\nput s 8 1000000\nrepeat 1000000 {quiet('clock_nanosleep', 1, 0, 's', 0)}"


class Instructions(EscapeTest):
    SIGNALS = {"int3": SIGTRAP, "int1": SIGTRAP, "ud2": SIGILL, "divide": SIGFPE}
    # To the hypervisor, if there is one, which answers them in kernel mode only.
    HYPERVISOR = ("vmcall", "vmmcall")

    def assert_ended(self, name: str, outcome: Outcome) -> None:
        if name in self.HYPERVISOR and outcome.verdict == "exited":
            return
        # A processor may know one of another maker's as a call of the 32-bit interface.
        self.assertTrue(outcome.crashed or outcome.refused, outcome)
        self.assertEqual(outcome.stdout, "")

    def test_each_ends_the_job(self) -> None:
        scripts = [(name, f"instruction {number}\nsay 1\n")
                   for name, number in instructions().items()]
        for name, outcome in self.attack_all(scripts):
            with self.subTest(name):
                self.assert_ended(name, outcome)
                if name in self.SIGNALS:
                    self.assertIn(f"signal {self.SIGNALS[name]}:", outcome.detail)

    def test_each_ends_it_with_all_signals_blocked(self) -> None:
        scripts = [(name, f"{BLOCK_ALL}instruction {number}\nsay 1\n")
                   for name, number in instructions().items()]
        for name, outcome in self.attack_all(scripts):
            with self.subTest(name):
                self.assert_ended(name, outcome)


class Exits(EscapeTest):
    def test_the_kernels_word_is_the_exit_code(self) -> None:
        for code, seen in ((0, 0), (1, 1), (255, 255), (256, 0), (-1, 255)):
            with self.subTest(code):
                self.assertEqual(self.attack(f"exit {code}\n").body["exit_code"], seen)

    def test_an_exit_that_is_not_the_guests_is_told_apart(self) -> None:
        for code in (0, 1, 125, 255):
            with self.subTest(code):
                outcome = self.attack(quiet("exit_group", code))
                self.assertEqual(outcome.detail, f"the job process ended with code {code} before "
                                                 "the program did")

    def test_a_refused_call_ends_it_with_all_signals_blocked(self) -> None:
        self.assert_refused(self.attack(BLOCK_ALL + call("socket", 2, 1, 0)))

    def test_output_before_the_end_is_kept(self) -> None:
        for end in ("trap\n", "instruction 1\n", "jump 0\n", f"say 2\n{quiet('exit_group', 0)}"):
            with self.subTest(end):
                outcome = self.attack("say 1\n" + end)
                if outcome.status == 200:
                    self.assertEqual(outcome.results[0], 1)


class Time(EscapeTest):
    # Seconds of CPU time may be minutes on a busy machine.
    settings = {**EscapeTest.settings, "MAX_EXEC_TIMEOUT_MS": "200000"}
    timeout_s = 600

    def test_cpu_time_ends_whatever_is_done_about_it(self) -> None:
        """Its signal blocked and the timer off."""
        scripts = [("nothing", "spin\n"), ("both", BLOCK_ALL + TIMER_OFF + "spin\n"),
                   ("in the kernel", BLOCK_ALL + TIMER_OFF + "g = buffer 65536\nrepeat -1 " +
                    quiet("getrandom", "g", 65536, 0))]
        for name, outcome in self.attack_all(scripts, limits={"cpu_ms": CPU_LIMIT_MS}):
            with self.subTest(name):
                self.assertEqual(outcome.verdict, "cpu_limit", outcome)
                self.assertLessEqual(outcome.body["cpu_ms"], CPU_BOUND_MS)

    def test_wall_clock_ends_whatever_is_done_about_it(self) -> None:
        scripts = [("sleeps", FOR_EVER), ("sleeps, blocked", BLOCK_ALL + FOR_EVER),
                   ("waits for its socket", "b = buffer 64\n" + quiet("read", 0, "b", 64)),
                   ("waits, blocked", BLOCK_ALL + "b = buffer 64\n" + quiet("read", 0, "b", 64)),
                   ("spins, blocked", BLOCK_ALL + TIMER_OFF + "spin\n"),
                   ("sleeps until", "b = buffer 16\nput b 8 -1\nput b+8 8 0\n" + FOR_EVER)]
        for name, outcome in self.attack_all(scripts, timeout_ms=400):
            with self.subTest(name):
                self.assertEqual(outcome.verdict, "timed_out", outcome)
                self.assertGreaterEqual(outcome.body["duration_ms"], 400)

    def test_a_storm_of_its_own_timer_ends_it_alone(self) -> None:
        for flags in (0, 1, -1):
            with self.subTest(flags):
                outcome = self.attack("t = buffer 64\nput t+8 8 1\nput t+24 8 1\n" +
                                      quiet("timer_settime", 0, flags, "t", 0) + "spin\n")
                self.assertEqual(outcome.verdict, "cpu_limit", outcome)

    def test_other_timers_do_not_exist(self) -> None:
        for number in (16, 1000, -1):
            with self.subTest(number):
                self.assert_results(self.attack(
                    "t = buffer 64\nput t+24 8 1\n" + call("timer_settime", number, 0, "t", 0)),
                    -22)


class Frames(EscapeTest):
    """rt_sigreturn takes registers, mask and signal stack from memory: whatever they are."""

    SP, IP, FLAGS, CS, SS, FP, MASK = 160, 168, 176, 184, 190, 224, 296

    def frame(self, *changes: tuple[int, int, int | str]) -> str:
        """A sound one that goes on in code which makes a refused call, then changed."""
        good = ((self.SP, 8, "sp"), (self.IP, 8, "ip"), (self.FLAGS, 8, 0x202),
                (self.CS, 2, 0x33), (self.SS, 2, 0x2b))
        return ("f = buffer 4096\ns = where 3\ns = page s\nsp = is s+-8\nip = where 4\n" +
                "".join(f"put f+{at} {size} {value}\n" for at, size, value in (*good, *changes)) +
                "sigreturn f\n")

    def test_what_is_refused_stays_refused(self) -> None:
        for name, change in (("nothing blocked", (self.MASK, 8, 0)),
                             ("all blocked", (self.MASK, 8, ALL_ONES)),
                             ("SIGSYS blocked", (self.MASK, 8, 1 << 30)),
                             ("no flags", (self.FLAGS, 8, 0)),
                             ("all flags but TF", (self.FLAGS, 8, ALL_ONES & ~0x40100)),
                             ("rights of the kernel's", (self.FLAGS, 8, 0x3202)),
                             ("code of the kernel's", (self.CS, 2, 0x10)),
                             ("the kernel's instructions", (self.IP, 8, 0xffffffff81000000)),
                             ("not canonical", (self.IP, 8, 1 << 63)),
                             ("no code", (self.IP, 8, 0)),
                             ("code of 32 bits", (self.CS, 2, 0x23)),
                             ("no segment", (self.CS, 2, 0)),
                             ("a bad stack segment", (self.SS, 2, 0xffff)),
                             ("no stack", (self.SP, 8, 0)),
                             ("a stack of the kernel's", (self.SP, 8, 0xffffffff80000000)),
                             ("floating point state from nowhere", (self.FP, 8, 8)),
                             ("floating point state of the kernel's", (self.FP, 8, 1 << 63)),
                             ("floating point state of garbage", (self.FP, 8, "f")),
                             ("a signal stack of nothing", (16, 8, 4096)),
                             ("a signal stack turned off", (24, 4, 2)),
                             ("a signal stack of bad flags", (24, 4, 0xffffffff)),
                             ("a tiny signal stack", (32, 8, 1)),
                             ("unknown flags of the frame", (0, 8, ALL_ONES))):
            with self.subTest(name):
                outcome = self.attack(self.frame(change))
                self.assertTrue(outcome.refused or outcome.crashed, outcome)

    def test_a_sound_frame_goes_on_where_it_says(self) -> None:
        """Otherwise the cases above prove nothing."""
        self.assert_refused(self.attack(self.frame()), "socket")


class Output(EscapeTest):
    def flood(self, counters: int, end: str) -> Outcome:
        """Both streams full, and counters that tell of more."""
        return self.attack(
            f"h = header\na = get h+{offset('output_offset')} 8\n"
            f"b = get h+{offset('output_offset', 1)} 8\nc = get h+{offset('output_capacity')} 8\n"
            "fill h+a c 0x61\nfill h+b c 0x62\n" +
            "".join(f"put h+{offset('output', i)} 8 {counters}\n" for i in range(4)) + end)

    def test_a_flood_is_cut(self) -> None:
        for counters in (OUTPUT_CAP, OUTPUT_CAP + 1, 1 << 32, 1 << 63, ALL_ONES):
            for end in ("trap\n", quiet("exit_group", 0), "instruction 1\n"):
                with self.subTest(f"{counters} {end}"):
                    outcome = self.flood(counters, end)
                    if outcome.status == 200:
                        self.assertEqual(outcome.stdout, "a" * OUTPUT_CAP)
                        self.assertEqual(outcome.body["stderr"], "b" * OUTPUT_CAP)

    def test_no_more_is_kept_than_the_job_itself_may(self) -> None:
        """The memory has room for the most that a job may keep."""
        outcome = self.attack(
            f"h = header\nput h+{offset('output')} 8 {OUTPUT_CAP}\n"
            f"put h+{offset('output', 1)} 8 {OUTPUT_CAP}\ntrap\n", limits={"output_bytes": 10})
        self.assertEqual((len(outcome.stdout), outcome.body["stdout_dropped_bytes"]),
                         (10, OUTPUT_CAP - 10))

    def test_writing_past_the_shared_memory(self) -> None:
        """What lies behind it is nobody else's: the job's own, or nothing."""
        for size in (1, 4096, 1 << 16, 1 << 24, 1 << 32):
            with self.subTest(size):
                outcome = self.attack(f"h = header\nn = get h+8 8\nt = is h+n\nfill t {size} 0x41\n"
                                      "say 1\n")
                self.assertTrue(outcome.status == 200 or outcome.refused, outcome)
