"""The worker as a daemon: signals, draining, its zygote's death, settings, --check.

The engine is of no matter here: native Python stands where a WASI runtime would.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from service import BUILD, Call, Service, descendants, processes, wait_until

WORKER = BUILD / "retort-worker"
NATIVE_RUNTIME = """#!/bin/sh
while [ "$1" != "--" ]; do shift; done
shift
exec /usr/bin/python3 "$@"
"""


class Native(unittest.TestCase):
    """A directory with a runtime and something in python.wasm's place."""

    def setUp(self) -> None:
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.directory.chmod(0o755)  # the sandbox's user looks in here
        self.runtime = self.directory / "runtime"
        self.runtime.write_text(NATIVE_RUNTIME)
        self.runtime.chmod(0o755)
        self.module = self.directory / "python.wasm"
        self.module.write_bytes(b"\0asm\1\0\0\0")
        self.settings = {
            "IMAGE": "",
            "PYTHON_WASM_PATH": str(self.module),
            "PYTHON_WASM_RUNTIME": str(self.runtime),
            "SLOTS": "2",
        }


class Daemon(Native):
    def start(self, **settings: str) -> Service:
        service = Service({**self.settings, **settings})
        self.addCleanup(self.end, service)
        service.start()
        return service

    def end(self, service: Service) -> None:
        self.assertEqual(service.close(), [])

    def running(self, service: Service, code: str, **members: object) -> Call:
        """A request whose program runs: it is seen as a process of the zygote's."""
        request = Call(service, code, **members)
        wait_until(lambda: self.programs(service), "the program runs")
        return request

    def running_unheard(self, service: Service) -> None:
        """The same for a client that never gets to hear its answer."""
        connection = service.hang_up_after_sending("import time; time.sleep(4)")
        self.addCleanup(connection.close)  # before the service's end: cleanups run backwards
        wait_until(lambda: self.programs(service), "the program runs")

    def programs(self, service: Service) -> list[int]:
        return [p.pid for p in service.jobs() if p.name.startswith("python")]

    def signal(self, service: Service, number: int) -> None:
        service.expected_deaths.add("worker")
        service.parts["worker"].process.send_signal(number)

    def ends(self, service: Service) -> int:
        return service.parts["worker"].process.wait(20)

    def test_sigterm_lets_what_runs_finish_and_be_answered(self) -> None:
        service = self.start()
        request = self.running(service, "import time; time.sleep(1); print('done')")
        self.signal(service, signal.SIGTERM)
        answer = request.answer()
        self.assertEqual((answer.status, answer.json["stdout"]), (200, "done\n"))
        self.assertEqual(self.ends(service), 0)

    def test_sigint_when_idle_ends_it_at_once(self) -> None:
        service = self.start()
        self.signal(service, signal.SIGINT)
        self.assertEqual(self.ends(service), 0)

    def test_what_runs_past_the_drain_is_answered_as_lost_and_killed(self) -> None:
        service = self.start(DRAIN_TIMEOUT_MS="200")
        request = self.running(service, "import time; time.sleep(4)")
        below = [p.pid for p in descendants(service.parts["worker"].pid)]
        self.signal(service, signal.SIGTERM)
        answer = request.answer()
        self.assertEqual(answer.status, 502, answer.body)
        self.assertIn(b"worker_lost", answer.body)
        self.assertEqual(self.ends(service), 0)
        self.assertEqual([pid for pid in below if pid in processes()], [])

    def test_a_second_signal_ends_at_once(self) -> None:
        service = self.start()
        self.running_unheard(service)
        below = [p.pid for p in descendants(service.parts["worker"].pid)]
        self.signal(service, signal.SIGTERM)
        wait_until(lambda: any(line["event"] == "signal" for line in service.log_lines("worker")),
                   "the first signal is logged")
        self.signal(service, signal.SIGTERM)
        self.assertEqual(self.ends(service), 128 + signal.SIGTERM)
        self.assertEqual([pid for pid in below if pid in processes()], [])

    def test_when_the_worker_is_killed_its_processes_go(self) -> None:
        service = self.start()
        self.running_unheard(service)
        below = [p.pid for p in descendants(service.parts["worker"].pid)]
        self.signal(service, signal.SIGKILL)
        self.ends(service)
        wait_until(lambda: not any(pid in processes() and processes()[pid].state != "Z"
                                   for pid in below), "all processes are gone")

    def test_a_zygote_that_dies_is_our_failure_and_is_replaced(self) -> None:
        service = self.start()
        request = self.running(service, "import time; time.sleep(4)")
        zygote = service.zygote()
        assert zygote is not None
        os.kill(zygote.pid, signal.SIGKILL)
        answer = request.answer()
        self.assertEqual(answer.status, 500, answer.body)
        self.assertIn(b"sandbox_error", answer.body)
        self.assertEqual(service.execute("print(1)").stdout, "1\n")
        self.assertNotEqual(getattr(service.zygote(), "pid", None), zygote.pid)

    def test_a_client_that_hangs_up_stops_its_job(self) -> None:
        service = self.start()
        connection = service.hang_up_after_sending("import time; time.sleep(4)")
        wait_until(lambda: self.programs(service), "the program runs")
        connection.close()
        wait_until(lambda: not self.programs(service), "the program is gone", 3)
        wait_until(lambda: any(line.get("verdict") == "cancelled"
                               for line in service.log_lines("worker")), "the log says so")

    def test_one_line_a_job_and_nothing_of_what_it_was(self) -> None:
        service = self.start()
        answer = service.execute("print('secret-output') # secret-code", stdin="secret-input")
        lines = [line for line in service.log_lines("worker")
                 if line["event"] == "job" and line["id"] == answer["id"]]
        self.assertEqual(len(lines), 1)
        self.assertEqual((lines[0]["verdict"], lines[0]["exit_code"]), ("exited", 0))
        self.assertEqual(lines[0]["stdout_bytes"], len("secret-output\n"))
        self.assertNotIn("secret", service.parts["worker"].log_text())

    def test_a_worker_that_allows_less_than_the_api_says_so(self) -> None:
        service = Service({**self.settings, "MAX_EXEC_TIMEOUT_MS": "5000"})
        self.addCleanup(self.end, service)
        service.start_redis()
        service.start_worker(extra={"MAX_CODE_BYTES": "100", "MAX_STDIN_BYTES": "10",
                                    "MAX_JOB_TIMEOUT_MS": "600", "MAX_OUTPUT_BYTES": "10"})
        service.start_api()
        service.wait_ready()
        self.assertEqual(service.execute("print('x' * 20)").stdout, "x" * 10)
        self.assertTrue(service.execute("import time; time.sleep(4)").timed_out)
        for payload, limit in (({"code": "#" * 101}, b"MAX_CODE_BYTES"),
                               ({"code": "", "stdin": "x" * 11}, b"MAX_STDIN_BYTES")):
            answer = service.post(payload)
            self.assertEqual(answer.status, 422, answer.body)
            self.assertIn(limit, answer.body)


class CommandLine(Native):
    def run_worker(self, *args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], **self.settings, **settings}
        return subprocess.run([WORKER, *args], env=environment, capture_output=True, text=True,
                              timeout=60, check=False)

    def test_help_lists_the_settings_and_version_the_version(self) -> None:
        done = self.run_worker("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("--check", "--slots", "--redis-url", "--python-wasm-runtime-args"):
            self.assertIn(word, done.stdout)
        done = self.run_worker("--version")
        self.assertRegex(done.stdout, r"^retort-worker \d+\.\d+\.\d+\n$")

    def test_bad_settings_are_one_sentence_and_status_2(self) -> None:
        for args, settings, words in (
            (["--nonsense"], {}, ["nonsense"]),
            (["stray"], {}, ["stray"]),
            ([], {"SLOTS": "many"}, ["SLOTS", "many"]),
            ([], {"SLOTS": "-1"}, ["SLOTS", "-1"]),
            ([], {"LOG_LEVEL": "loud"}, ["loud"]),
        ):
            with self.subTest(args=args, settings=settings):
                done = self.run_worker(*args, **settings)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stderr.count("\n"), 1)
                for word in words:
                    self.assertIn(word, done.stderr)

    def test_what_is_missing_at_the_start_is_said(self) -> None:
        for settings, words in (
            ({"WORKER_ID": "a b"}, ["WORKER_ID"]),
            ({"PYTHON_WASM_PATH": "/no/such.wasm"}, ["PYTHON_WASM_PATH", "/no/such.wasm"]),
            ({"IMAGE": "/no/such/image"}, ["IMAGE", "/no/such/image"]),
            ({"REDIS_URL": "gopher://x"}, ["REDIS_URL"]),
        ):
            with self.subTest(settings):
                done = self.run_worker(**settings)
                self.assertEqual(done.returncode, 1, done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)

    def test_a_module_runs_as_the_image_that_was_made_of_it(self) -> None:
        program = self.directory / "bin" / "retort-worker"
        image = self.directory / "lib/retort/image/mine"
        for path in (program.parent, image):
            path.mkdir(parents=True)
        shutil.copy(WORKER, program)
        module_sha256 = hashlib.sha256(self.module.read_bytes()).hexdigest()
        for sha256, engine in ((module_sha256, f"image, {image}"), ("0" * 64, f"cli, {self.module}")):
            with self.subTest(engine):
                (image / "image.json").write_text(json.dumps(
                    {"format": 1, "language": "python", "module_sha256": sha256,
                     "bootstrap": True, "argv": ["python"], "env": []}))
                # Neither can start here; the choice is printed before.
                done = subprocess.run([program, "--check"], capture_output=True, text=True,
                                      env={"PATH": os.environ["PATH"], **self.settings},
                                      timeout=60, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stdout.splitlines()[0], f"engine: {engine}")

    def test_check_looks_at_a_real_job_process(self) -> None:
        done = self.run_worker("--check")
        self.assertEqual(done.returncode, 0, done.stderr)
        states = {line[:20].strip(): line[21:].split()[0]
                  for line in done.stdout.splitlines() if line[20:21] == " "}
        self.assertEqual(states["process-per-job"], "on")
        self.assertEqual(states["no-new-privileges"], "on")
        self.assertEqual(states["job-filter"], "off")  # of the cli engine there is none
        self.assertEqual(states["unprivileged-user"], "on" if os.geteuid() == 0 else states[
            "unprivileged-user"])

    def test_check_without_an_engine_fails_with_its_sentence(self) -> None:
        done = self.run_worker("--check", PYTHON_WASM_RUNTIME="/no/such/runtime")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/no/such/runtime", done.stderr)


if __name__ == "__main__":
    unittest.main()
