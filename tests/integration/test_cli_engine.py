"""The fallback engine, retort-cli-zygote, against its protocol.

Native Python is in the runtime's place, which lets programs look at their own process;
test_cli_runtime.py has a real runtime.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from cli_zygote import (  # noqa: E402
    ARG,
    ENV,
    FAILED,
    FILE,
    NOTE_EXITED,
    NOTE_HOST_FAILURE,
    READY,
    CliZygote,
    wait_gone,
)

BUILD = Path(os.environ.get("RETORT_BUILD") or ROOT / "build/release")
PROGRAM = BUILD / "retort-cli-zygote"

# `native-runtime run ARGS MODULE -- PYTHON-ARGS`: the same command line, native Python behind it.
NATIVE_RUNTIME = """#!/bin/sh
[ -e "$HOME/arguments" ] || echo "$@" > "$HOME/arguments"
while [ "$1" != "--" ]; do shift; done
shift
exec /usr/bin/python3 "$@"
"""


class Sandbox(unittest.TestCase):
    """A temporary directory, and zygotes that are ended after each test."""

    def setUp(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="retort-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.tmp = self.directory / "tmp"
        self.tmp.mkdir()
        self.module = self.directory / "python.wasm"
        self.module.write_bytes(b"\0asm\1\0\0\0")

    def script(self, text: str, name: str = "runtime") -> Path:
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def start(self, *args: str, env: dict[str, str] | None = None) -> CliZygote:
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(self.tmp), **(env or {})}
        zygote = CliZygote(PROGRAM, *args, env=environment)
        self.addCleanup(self.end, zygote)
        return zygote

    def end(self, zygote: CliZygote) -> None:
        if zygote.process.poll() is None:
            zygote.close()

    def native(self, *args: str) -> CliZygote:
        runtime = self.script(NATIVE_RUNTIME)
        zygote = self.start("--runtime", str(runtime), "--module", str(self.module), *args)
        event = zygote.receive()
        assert event is not None
        self.assertEqual((event.type, event.version, event.text), (READY, 2, ""))
        return zygote

    def failure(self, *args: str) -> str:
        """The sentence of a zygote that cannot start."""
        zygote = self.start(*args)
        event = zygote.receive()
        assert event is not None
        self.assertEqual(event.type, FAILED)
        self.assertIsNone(zygote.receive())
        self.assertEqual(zygote.close(), 1)
        self.assertEqual(list(self.tmp.iterdir()), [])
        return event.text


class Pump(Sandbox):
    """What happens to one job, with native Python as the runtime."""

    def test_output_streams_and_exit_code_arrive(self) -> None:
        outcome = self.native().run("import sys; print('out'); print('err', file=sys.stderr)\n")
        self.assertEqual((outcome.stdout, outcome.stderr), (b"out\n", b"err\n"))
        self.assertEqual((outcome.exit_code, outcome.note), (0, NOTE_EXITED))

    def test_exit_codes_pass_through(self) -> None:
        zygote = self.native()
        for code in (0, 1, 2, 127, 134, 255):
            with self.subTest(code):
                self.assertEqual(zygote.run(f"raise SystemExit({code})").exit_code, code)

    def test_death_by_signal_is_death_by_the_same_signal(self) -> None:
        zygote = self.native()
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number.name):
                outcome = zygote.run(f"import os; os.kill(os.getpid(), {int(number)})")
                self.assertEqual((outcome.signal, outcome.note), (int(number), 0))

    def test_a_runtime_has_no_sockets_no_namespaces_and_nothing_to_trace_with(self) -> None:
        """Calls are made where a real runtime would make them."""
        if "address" in BUILD.name:
            self.skipTest("the sanitizers need more calls")
        outcome = self.native().run(
            "import ctypes, os\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "def errno_of(*call):\n"
            "    ctypes.set_errno(0)\n"
            "    libc.syscall(*(ctypes.c_long(value) for value in call))\n"
            "    return ctypes.get_errno()\n"
            "socket, clone, ptrace, unshare, clone3, new_user = 41, 56, 101, 272, 435, 0x10000000\n"
            "for call in ((socket, 1, 1, 0), (socket, 2, 1, 0), (clone, new_user | 17, 0, 0, 0, 0),\n"
            "             (unshare, new_user), (ptrace, 0, 0, 0, 0), (clone3, 0, 0)):\n"
            "    print(errno_of(*call), end=' ')\n"
            "print([line for line in open('/proc/self/status') if line.startswith('Seccomp:')])\n")
        self.assertEqual(outcome.stdout, b"38 38 38 38 38 38 ['Seccomp:\\t2\\n']\n", outcome.stderr)

    def test_a_runtime_may_have_threads_processes_and_compiled_code(self) -> None:
        outcome = self.native().run(
            "import mmap, subprocess, threading\n"
            "thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()\n"
            "print(subprocess.run(['/bin/sh', '-c', 'echo a | cat'], capture_output=True).stdout)\n"
            "print(len(mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)))\n")
        self.assertEqual(outcome.stdout, b"thread\nb'a\\n'\n4096\n", outcome.stderr)

    def test_stdin_is_what_follows_the_program(self) -> None:
        outcome = self.native().run("import sys; print(input(), repr(sys.stdin.read()))", b"a\nb\n\xc3\xa9")
        self.assertEqual(outcome.stdout.decode(), "a 'b\\né'\n")

    def test_empty_program_and_empty_stdin(self) -> None:
        zygote = self.native()
        self.assertEqual(zygote.run("").exit_code, 0)
        self.assertEqual(zygote.run("import sys; print(repr(sys.stdin.read()))").stdout, b"''\n")

    def test_a_megabyte_of_stdin_that_nobody_reads_does_not_hang(self) -> None:
        job = self.native().fork(input_capacity=2 << 20)
        job.go("print('done')", b"x" * (1 << 20))
        outcome = job.finish()
        self.assertEqual((outcome.stdout, outcome.exit_code), (b"done\n", 0))

    def test_a_megabyte_of_stdin_arrives_whole(self) -> None:
        job = self.native().fork(input_capacity=2 << 20)
        job.go("import sys; data = sys.stdin.buffer.read(); print(len(data), data.count(b'x'))",
               b"x" * (1 << 20))  # fmt: skip
        self.assertEqual(job.finish().stdout, b"1048576 1048576\n")

    def test_output_at_the_limit_below_and_above(self) -> None:
        zygote = self.native()
        for size, kept in ((0, 0), (999, 999), (1000, 1000), (1001, 1000), (1_000_000, 1000)):
            with self.subTest(size):
                outcome = zygote.run(
                    f"import sys; sys.stdout.write('x' * {size}); sys.stderr.write('y' * {size})",
                    output_bytes=1000,
                )
                self.assertEqual((outcome.stdout, outcome.stderr), (b"x" * kept, b"y" * kept))
                self.assertEqual(outcome.written, (size, size))
                self.assertEqual(outcome.exit_code, 0)

    def test_a_hundred_megabytes_of_output_neither_block_nor_stay(self) -> None:
        outcome = self.native().run(
            "import sys\nfor _ in range(100): sys.stdout.write('x' * 1000000)", output_bytes=1000000
        )
        self.assertEqual((len(outcome.stdout), outcome.written[0]), (1000000, 100000000))
        self.assertEqual(outcome.exit_code, 0)

    def test_traceback_names_the_program_and_nothing_of_ours(self) -> None:
        outcome = self.native().run("def f():\n    1 / 0\nf()\n")
        text = outcome.stderr.decode()
        self.assertIn('File "/work/main.py", line 2, in f\n    1 / 0', text)
        self.assertIn("ZeroDivisionError", text)
        self.assertNotIn("<string>", text)
        self.assertEqual(outcome.exit_code, 1)

    def test_arguments_follow_the_program(self) -> None:
        job = self.native().fork()
        for argument in (b"/work/main.py", b"-x", b"two words", "é".encode(), b""):
            job.memory.add(ARG, argument)
        job.memory.add(FILE, b"import sys; print(sys.argv)", b"/work/main.py")
        job.start()
        self.assertEqual(job.finish().stdout.decode(), "['/work/main.py', '-x', 'two words', 'é', '']\n")

    def test_what_it_cannot_do_is_said_and_not_blamed_on_the_program(self) -> None:
        zygote = self.native()
        for kind, name in ((ENV, b""), (FILE, b"/work/data.csv")):
            with self.subTest(kind):
                job = zygote.fork()
                job.memory.add(FILE, b"print(1)", b"/work/main.py")
                job.memory.add(kind, b"A=1", name)
                job.start()
                outcome = job.finish()
                self.assertEqual((outcome.note, outcome.stdout), (NOTE_HOST_FAILURE, b""))
                self.assertIn("cli engine", outcome.text)

    def test_damaged_records_are_refused(self) -> None:
        job = self.native().fork()
        job.memory.add(FILE, b"print(1)", b"/work/main.py")
        job.memory.input_bytes -= 8
        job.start()
        self.assertEqual(job.finish().note, NOTE_HOST_FAILURE)

    def test_the_environment_is_clean(self) -> None:
        zygote = self.native()
        outcome = zygote.run("import os; print(sorted(os.environ))")
        names = set(eval(outcome.stdout))  # what a program of ours printed
        self.assertEqual(names - {"PWD", "SHLVL", "_", "LC_CTYPE"}, {"PATH", "HOME", "TMPDIR", "LANG"})

    def test_no_descriptor_of_ours_reaches_the_runtime(self) -> None:
        outcome = self.native().run("import os; print(sorted(os.listdir('/proc/self/fd')))")
        self.assertEqual(outcome.stdout, b"['0', '1', '2', '3']\n")  # 3: the listing itself

    def test_limits_are_in_force(self) -> None:
        outcome = self.native().run(
            "import resource as r\n"
            "for name in ('CORE', 'FSIZE', 'NOFILE', 'CPU', 'DATA'):\n"
            "    print(name, r.getrlimit(getattr(r, 'RLIMIT_' + name))[0])\n",
            cpu_ms=1001,
            memory_mb=100,
        )
        self.assertEqual(
            outcome.stdout.decode().split("\n"),
            ["CORE 0", f"FSIZE {64 << 20}", "NOFILE 256", "CPU 2", f"DATA {(100 + 1024) << 20}", ""],
        )

    def test_privileges_cannot_come_back(self) -> None:
        outcome = self.native().run("print(open('/proc/self/status').read())")
        self.assertIn(b"NoNewPrivs:\t1\n", outcome.stdout)

    def test_a_file_cannot_grow_past_its_limit(self) -> None:
        outcome = self.native().run(
            "import os\n"
            "fd = os.open(os.environ['HOME'] + '/x', os.O_CREAT | os.O_RDWR)\n"
            "os.truncate(fd, 64 << 20)\n"
            "try:\n    os.truncate(fd, (64 << 20) + 1)\n"
            "except OSError as e:\n    print(e.errno)\n"
        )
        self.assertEqual(outcome.stdout, b"27\n")  # EFBIG

    def test_cpu_time_is_limited_by_the_kernel(self) -> None:
        outcome = self.native().run("while True: pass", cpu_ms=1000)
        self.assertEqual(outcome.signal, signal.SIGXCPU)
        # The kernel counts ticks for the limit, and time for the report.
        self.assertGreaterEqual(outcome.event.cpu_us, 500_000)
        self.assertLess(outcome.event.cpu_us, 2_500_000)

    def test_use_of_the_runtime_is_counted(self) -> None:
        outcome = self.native().run("x = bytearray(64 << 20); print(len(x))")
        self.assertGreater(outcome.event.max_rss_kib, 64 << 10)
        self.assertGreater(outcome.event.minor_faults, 1000)
        self.assertGreater(outcome.event.cpu_us, 1000)

    def test_no_isolated_leaves_out_the_flag(self) -> None:
        code = "import sys; print(sys.flags.isolated)"
        self.assertEqual(self.native().run(code).stdout, b"1\n")
        self.assertEqual(self.native("--no-isolated").run(code).stdout, b"0\n")

    def test_runtime_arguments_are_split_and_filled_in(self) -> None:
        zygote = self.native("--runtime-args", "  -W max={memory_bytes}  --flag ")
        zygote.run("pass", memory_mb=1)
        arguments = next(self.tmp.iterdir()) / "arguments"
        # Written by the trial run: jobs may write no file.
        self.assertEqual(
            arguments.read_text().split(" -I ")[0],
            f"run -W max=4294967295 --flag {self.module} --",
        )

    def test_runtimes_that_hand_the_separator_to_the_guest_get_none(self) -> None:
        runtime = self.script(
            '#!/bin/sh\nwhile [ "${1%.wasm}" = "$1" ]; do shift; done; shift\n'
            'exec /usr/bin/python3 "$@"\n'
        )
        zygote = self.start("--runtime", str(runtime), "--module", str(self.module))
        event = zygote.receive()
        assert event is not None
        self.assertEqual((event.type, event.text), (READY, ""))
        self.assertEqual(zygote.run("print(1)").stdout, b"1\n")

    def test_many_jobs_at_once_are_kept_apart(self) -> None:
        zygote = self.native()
        jobs = [zygote.fork() for _ in range(20)]
        for number, job in enumerate(jobs):
            job.go("print(input())", str(number).encode())
        for number, job in enumerate(jobs):
            self.assertEqual(job.finish().stdout, f"{number}\n".encode())


class Ends(Sandbox):
    """Nothing is left, whoever dies."""

    BUSY = (
        "import os, sys, time\n"
        "child = os.fork()\n"
        "if child: print(os.getpid(), child, flush=True)\n"
        "while True: time.sleep(1)\n"
    )

    def pidfds(self, job) -> list[int]:  # noqa: ANN001
        """The runtime and its child, once the program has told."""
        deadline = time.monotonic() + 60
        while not job.memory.output(0).endswith(b"\n"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        pids = [int(word) for word in job.memory.output(0).split()]
        fds = [os.pidfd_open(pid) for pid in pids]
        for fd in fds:
            self.addCleanup(os.close, fd)
        return fds

    def test_killing_the_job_process_kills_the_whole_tree_and_counts_it(self) -> None:
        job = self.native().fork()
        job.go(self.BUSY)
        fds = self.pidfds(job)
        job.kill()
        outcome = job.finish()
        # EXITED means that nothing is left: no waiting here.
        self.assertEqual([wait_gone(fd, 0) for fd in fds], [True, True])
        self.assertEqual(outcome.signal, signal.SIGKILL)
        self.assertGreater(outcome.event.cpu_us, 5000)

    def test_what_the_runtime_leaves_behind_ends_with_it(self) -> None:
        job = self.native().fork()
        job.go("import os, time\nif os.fork() == 0:\n    os.close(1); os.close(2); time.sleep(1000)\n")
        outcome = job.finish()
        self.assertEqual(outcome.exit_code, 0)

    def test_when_the_worker_goes_everything_goes(self) -> None:
        zygote = self.native()
        job = zygote.fork()
        job.go(self.BUSY)
        fds = self.pidfds(job)
        self.assertEqual(zygote.close(), 0)
        self.assertEqual([wait_gone(fd, 0) for fd in fds], [True, True])
        self.assertEqual(list(self.tmp.iterdir()), [])

    def test_sigterm_ends_it_like_a_worker_that_goes(self) -> None:
        zygote = self.native()
        job = zygote.fork()
        job.go(self.BUSY)
        fds = self.pidfds(job)
        zygote.process.terminate()
        self.assertEqual(zygote.process.wait(timeout=30), 0)
        self.assertEqual([wait_gone(fd, 0) for fd in fds], [True, True])
        self.assertEqual(list(self.tmp.iterdir()), [])

    def test_when_the_zygote_is_killed_the_runtime_goes(self) -> None:
        zygote = self.native()
        job = zygote.fork()
        job.go("import os, time; print(os.getpid(), os.getpid(), flush=True); time.sleep(1000)")
        fds = self.pidfds(job)
        zygote.process.kill()
        zygote.process.wait()
        self.assertTrue(all(wait_gone(fd) for fd in fds))

    def test_the_directory_of_a_killed_zygote_is_swept_by_the_next(self) -> None:
        first, second = self.native(), self.native()
        self.assertEqual(len(list(self.tmp.iterdir())), 2)
        first.process.kill()
        first.process.wait()
        third = self.native()
        self.assertEqual(len(list(self.tmp.iterdir())), 2)
        second.close()
        third.close()
        self.assertEqual(list(self.tmp.iterdir()), [])

    def test_a_job_process_without_a_job_ends_when_its_socket_closes(self) -> None:
        zygote = self.native()
        job = zygote.fork()
        job.socket.close()
        outcome = job.finish()
        self.assertEqual((outcome.exit_code, outcome.note), (0, 0))

    def test_a_runtime_that_vanishes_is_our_failure(self) -> None:
        zygote = self.native()
        (self.directory / "runtime").unlink()
        outcome = zygote.run("print(1)")
        self.assertEqual(outcome.note, NOTE_HOST_FAILURE)
        self.assertIn("No such file", outcome.text)

    def test_a_thousand_jobs_leave_no_process_and_no_descriptor(self) -> None:
        runtime = self.script('#!/bin/sh\necho ready\n')
        zygote = self.start("--runtime", str(runtime), "--module", str(self.module))
        event = zygote.receive()
        assert event is not None
        self.assertEqual(event.type, READY)
        fds = Path(f"/proc/{zygote.process.pid}/fd")
        before = len(list(fds.iterdir()))
        for _ in range(1000):
            self.assertEqual(zygote.run("").stdout, b"ready\n")
        self.assertEqual(len(list(fds.iterdir())), before)
        children = Path(f"/proc/{zygote.process.pid}/task/{zygote.process.pid}/children")
        if children.exists():
            self.assertEqual(children.read_text(), "")


class Refusals(Sandbox):
    """A zygote that cannot start says why in one sentence."""

    def test_no_module_named(self) -> None:
        self.assertIn("--module is missing", self.failure())

    def test_module_that_is_not_there(self) -> None:
        text = self.failure("--runtime", "true", "--module", str(self.directory / "none.wasm"))
        self.assertIn("PYTHON_WASM_PATH", text)
        self.assertIn("No such file", text)

    def test_module_that_is_a_directory(self) -> None:
        text = self.failure("--runtime", "true", "--module", str(self.directory))
        self.assertIn("is not a file", text)

    def test_runtime_that_is_not_there(self) -> None:
        for name in ("no-such-runtime", "/no/such/runtime"):
            with self.subTest(name):
                text = self.failure("--runtime", name, "--module", str(self.module))
                self.assertIn("PYTHON_WASM_RUNTIME", text)
                self.assertIn(name, text)

    def test_runtime_that_fails_is_quoted(self) -> None:
        runtime = self.script("#!/bin/sh\necho 'first line' >&2\necho 'no such magic' >&2\nexit 3\n")
        text = self.failure("--runtime", str(runtime), "--module", str(self.module))
        self.assertIn("code 3", text)
        self.assertIn("no such magic", text)

    def test_runtime_that_does_not_run_python(self) -> None:
        text = self.failure("--runtime", "true", "--module", str(self.module))
        self.assertIn("print('ready') did not write that", text)

    def test_unknown_flag_and_bad_uid(self) -> None:
        self.assertIn("usage", self.failure("--nonsense"))
        for uid in ("0", "-1", "x", "1x", "99999999999"):
            with self.subTest(uid):
                self.assertIn("--uid", self.failure("--uid", uid, "--module", "x"))

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_as_root_it_becomes_the_given_user_and_needs_what_that_user_may_read(self) -> None:
        runtime = self.script(NATIVE_RUNTIME)
        self.tmp.chmod(0o1777)
        args = ("--runtime", str(runtime), "--module", str(self.module), "--uid", "65533")
        self.assertIn("user id 65533 may not", self.failure(*args))
        self.directory.chmod(self.directory.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
        zygote = self.start(*args)
        event = zygote.receive()
        assert event is not None
        self.assertEqual((event.type, event.text), (READY, ""))
        outcome = zygote.run(
            "import os; print(os.getresuid(), os.getresgid(), os.getgroups())\n"
            "print([l for l in open('/proc/self/status') if l.startswith('CapPrm')])"
        )
        ids = "(65533, 65533, 65533)"
        self.assertEqual(
            outcome.stdout.decode(), f"{ids} {ids} []\n['CapPrm:\\t0000000000000000\\n']\n"
        )


if __name__ == "__main__":
    unittest.main()
