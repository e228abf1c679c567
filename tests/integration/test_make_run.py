"""deploy/run.sh, what `make run` runs: it starts, the printed line works, Ctrl-C leaves nothing."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from service import BUILD, IMAGE, REPOSITORY, descendants, processes, wait_until

# Building has been done when tests run; with it the script only looks.
START_S = 2.0


class Run:
    """The script in a session of its own, with a private place for its temporary files."""

    def __init__(self, **settings: str) -> None:
        self.temporary = tempfile.TemporaryDirectory(prefix="retort-make-run-")
        self.output = pathlib.Path(self.temporary.name) / "output"
        scratch = pathlib.Path(self.temporary.name) / "tmp"
        scratch.mkdir()
        self.scratch = scratch
        environment = {**os.environ, "TMPDIR": str(scratch), "PORT": "0", "IMAGE": str(IMAGE),
                       "RETORT_BUILD": str(BUILD), "STEP_LOGS": f"{scratch}/../log", **settings}
        environment.pop("MAKEFLAGS", None)
        self.began = time.monotonic()
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([str(REPOSITORY / "deploy/run.sh")], env=environment,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            start_new_session=True)

    def text(self) -> str:
        return self.output.read_text("utf-8")

    def wait_ready(self) -> float:
        def ready() -> bool:
            assert self.process.poll() is None, self.text()
            return "Ctrl-C stops it." in self.text()
        wait_until(ready, "the service to get ready", 60)
        return time.monotonic() - self.began

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.temporary.cleanup()


class MakeRun(unittest.TestCase):
    def start(self, **settings: str) -> Run:
        run = Run(**settings)
        self.addCleanup(run.close)
        return run

    def assert_nothing_left(self, run: Run, pids: list[int]) -> None:
        # Whom nobody waits for any more is the init process's to bury.
        alive = {p.pid for p in processes().values() if p.state != "Z"}
        self.assertEqual([pid for pid in pids if pid in alive], [])
        self.assertEqual(list(run.scratch.iterdir()), [])

    def test_it_starts_fast_the_printed_line_works_and_ctrl_c_leaves_nothing(self) -> None:
        run = self.start()
        took = run.wait_ready()
        line = re.search(r"^  (curl .*\\\n.*)$", run.text(), re.MULTILINE)
        assert line is not None, run.text()
        answer = subprocess.run(line.group(1), shell=True, capture_output=True, timeout=30)
        self.assertIn(b'"stdout":"2\\n"', answer.stdout)
        pids = [p.pid for p in descendants(run.process.pid)] + [run.process.pid]
        self.assertGreaterEqual(len(pids), 5)
        os.killpg(run.process.pid, signal.SIGINT)
        self.assertEqual(run.process.wait(30), 0, run.text())
        self.assert_nothing_left(run, pids)
        self.assertLess(took, START_S, run.text())

    def test_sigterm_leaves_nothing_either(self) -> None:
        run = self.start()
        run.wait_ready()
        pids = [p.pid for p in descendants(run.process.pid)]
        run.process.send_signal(signal.SIGTERM)
        self.assertEqual(run.process.wait(30), 0, run.text())
        self.assert_nothing_left(run, pids)

    def test_a_signal_during_the_start_leaves_nothing(self) -> None:
        run = self.start()
        wait_until(lambda: list(run.scratch.glob("retort-*")), "its directory", 30)
        os.killpg(run.process.pid, signal.SIGINT)
        self.assertIn(run.process.wait(30), (0, 130), run.text())
        self.assert_nothing_left(run, [])

    def test_a_part_that_dies_ends_the_others_and_is_named(self) -> None:
        for name in ("redis-server", "retort-worker", "retort-api"):
            with self.subTest(name):
                run = self.start()
                run.wait_ready()
                below = descendants(run.process.pid)
                victim = next(p for p in below if p.name == name)
                os.kill(victim.pid, signal.SIGKILL)
                self.assertEqual(run.process.wait(30), 1, run.text())
                self.assertIn(f"{name.split('-')[-1] if name != 'redis-server' else 'redis'} "
                              "was killed by SIGKILL", run.text())
                self.assert_nothing_left(run, [p.pid for p in below])

    def test_a_port_in_use_is_one_sentence_at_once(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            run = self.start(PORT=str(port))
            self.assertEqual(run.process.wait(10), 1)
        self.assertRegex(run.text(), rf"^retort: port {port} of 127.0.0.1 is in use.*\n$")

    def test_a_bad_setting_is_told(self) -> None:
        run = self.start(MAX_OUTPUT_BYTES="many")
        self.assertEqual(run.process.wait(30), 1)
        self.assertIn("MAX_OUTPUT_BYTES", run.text())
        self.assert_nothing_left(run, [])

    def test_two_run_side_by_side(self) -> None:
        first, second = self.start(), self.start()
        first.wait_ready()
        second.wait_ready()


class Steps(unittest.TestCase):
    """deploy/steps.sh: what long steps show."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="retort-steps-")
        self.addCleanup(directory.cleanup)
        self.logs = directory.name

    def step(self, command: str) -> subprocess.CompletedProcess[str]:
        script = f"set -euo pipefail; source deploy/steps.sh; step 'the title' '1 s' {command}"
        return subprocess.run(["bash", "-c", script], cwd=REPOSITORY, text=True,
                              capture_output=True, timeout=30,
                              env={**os.environ, "STEP_LOGS": self.logs})

    def test_a_step_with_nothing_to_do_is_silent(self) -> None:
        done = self.step("echo quick")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_a_long_step_says_how_long_it_takes_and_took(self) -> None:
        done = self.step("sleep 2")
        self.assertRegex(done.stdout, r"^the title: usually 1 s\n.*the title: done in [23] s\n$")

    def test_a_step_that_fails_shows_the_end_of_its_output(self) -> None:
        done = self.step("bash -c 'echo boom; exit 3'")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "  boom\nretort: the title failed; the whole output is in "
                                      f"{self.logs}/the-title.log\n")

    def test_a_compiler_without_memory_is_told_as_that(self) -> None:
        done = self.step("bash -c 'echo gcc: fatal error: Killed signal terminated program cc1; "
                         "exit 1'")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the compiler ran out of memory", done.stderr)

    def test_a_signal_ends_the_step_with_all_that_it_started(self) -> None:
        script = ("set -euo pipefail; source deploy/steps.sh; trap 'step_stop; exit 143' TERM; "
                  "step 'the title' '1 s' bash -c 'sleep 60 & sleep 60'")
        process = subprocess.Popen(["bash", "-c", script], cwd=REPOSITORY,
                                   stdout=subprocess.DEVNULL, start_new_session=True,
                                   env={**os.environ, "STEP_LOGS": self.logs})
        below = wait_until(lambda: [p.pid for p in descendants(process.pid) if p.name == "sleep"
                                    ] if len(descendants(process.pid)) >= 4 else None, "the step")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 143)
        wait_until(lambda: not any(p.pid in below and p.state != "Z"
                                   for p in processes().values()), "the end of the step")


class Packages(unittest.TestCase):
    def test_missing_packages_are_listed_and_nothing_is_installed(self) -> None:
        script = (REPOSITORY / "deploy/deps.sh").read_text().replace(
            "\n  make  ", "\n  no-such-package-a  ").replace("\n  curl  ", "\n  no-such-package-b  ")
        done = subprocess.run(["bash", "-s", "--", "--check"], input=script, text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.rstrip().endswith(
            "apt-get install --no-install-recommends no-such-package-a no-such-package-b"),
            done.stderr)


if __name__ == "__main__":
    unittest.main()
