"""retort-api as a process: its command line, its start, its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import unittest
from typing import Any

from service import BUILD, Response, ServiceTest, wait_until

API = str(BUILD / "retort-api")
LONG = "import time; time.sleep(1); print('late')"


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([API, *arguments], env={**os.environ, **settings}, text=True,
                          capture_output=True, timeout=20)


class CommandLine(unittest.TestCase):
    def test_help_lists_the_settings_and_version_the_version(self) -> None:
        self.assertIn("MAX_EXEC_TIMEOUT_MS", run("--help").stdout.upper().replace("-", "_"))
        self.assertRegex(run("--version").stdout, r"^retort-api \d+\.\d+\.\d+\n$")

    def test_bad_settings_are_one_sentence_and_status_2(self) -> None:
        for arguments, settings, word in ((["--port", "x"], {}, "PORT"),
                                          (["--port", "65536"], {}, "65535"),
                                          (["--nonsense", "1"], {}, "nonsense"),
                                          (["stray"], {}, "stray"),
                                          ([], {"LOG_LEVEL": "loud"}, "loud"),
                                          ([], {"MAX_BODY_BYTES": "-1"}, "MAX_BODY_BYTES"),
                                          ([], {"HOST": "no such host"}, "HOST"),
                                          ([], {"HOST": "0.0.0.0", "PORT": "0"},
                                           "ALLOW_ANONYMOUS")):
            with self.subTest(word):
                ended = run(*arguments, **settings)
                self.assertEqual(ended.returncode, 2)
                self.assertIn(word, ended.stderr)
                self.assertEqual(ended.stderr.count("\n"), 1)

    def test_a_port_in_use_is_one_sentence(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ended = run("--port", str(port))
            self.assertNotEqual(ended.returncode, 0)
            self.assertIn(f"Port {port} of 127.0.0.1 is in use", ended.stderr)


class Ending(ServiceTest):
    def in_background(self, code: str) -> tuple[threading.Thread, list[Response]]:
        answers: list[Response] = []
        seen = self.started()
        thread = threading.Thread(target=lambda: answers.append(self.service.post({"code": code})))
        thread.start()
        wait_until(lambda: self.started() > seen, "the job is taken")
        return thread, answers

    def started(self) -> int:
        return sum(":job:" in key for key in self.service.keys())

    def test_sigterm_lets_what_runs_be_answered(self) -> None:
        self.service.expected_deaths.add("api")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if not self.service.parts["api"].alive():
                self.service.start_api()
                self.service.wait_ready()
            thread, answers = self.in_background(LONG)
            idle = self.service.connect()
            self.service.request("GET", "/healthz", connection=idle)
            self.service.parts["api"].process.send_signal(number)
            wait_until(self.refuses, "no connection is taken")
            # It has just been idle, so one more request may be on its way.
            last = self.service.request("GET", "/healthz", connection=idle)
            self.assertEqual((last.status, last.headers["connection"]), (200, "close"))
            idle.close()
            thread.join()
            self.assertEqual(answers[0].json["stdout"], "late\n")
            self.assertEqual(answers[0].headers["connection"], "close")
            self.assertEqual(self.service.parts["api"].process.wait(20), 0)

    def refuses(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.service.port)).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:  # it stood in the listener's queue when that was closed
            return False
        return False


class DrainTimeout(ServiceTest):
    settings = {"DRAIN_TIMEOUT_MS": "2000", "CPU_TIME_LIMIT_SEC": "60",
                "MAX_EXEC_TIMEOUT_MS": "60000"}

    def end_while_a_job_runs(self, again: bool) -> tuple[str, bytes]:
        """The API's log, and what the client got."""
        self.service.expected_deaths.add("api")
        if not self.service.parts["api"].alive():
            self.service.start_api()
            self.service.wait_ready()
        client = self.service.hang_up_after_sending("while True: pass")
        wait_until(self.service.busy_job, "the job runs")
        api = self.service.parts["api"]
        api.process.send_signal(signal.SIGTERM)
        if again:
            wait_until(lambda: "stopping" in api.log_text(), "the first signal is seen")
            api.process.send_signal(signal.SIGTERM)
        self.assertEqual(api.process.wait(20), 0)
        try:
            answer = client.recv(65536)
        except ConnectionResetError:
            answer = b""
        client.close()
        wait_until(lambda: not self.service.busy_job(), "the job is killed")
        return api.log_text(), answer

    def test_what_runs_past_the_drain_is_cancelled(self) -> None:
        log, answer = self.end_while_a_job_runs(again=False)
        self.assertIn("drain_timeout", log)
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"The server is ending", answer)
        self.assertIn(b"Connection: close", answer)

    def test_a_second_signal_ends_at_once(self) -> None:
        log, answer = self.end_while_a_job_runs(again=True)
        self.assertNotIn("drain_timeout", log)
        self.assertEqual(answer, b"")


class Readiness(ServiceTest):
    def ready(self) -> tuple[int, Any]:
        answer = self.service.request("GET", "/readyz")
        return answer.status, json.loads(answer.body)

    def test_readiness_is_kept_for_a_while(self) -> None:
        self.assertEqual(self.ready()[0], 200)
        jobs = self.service.redis("DBSIZE")
        for _ in range(20):
            self.assertEqual(self.ready()[1]["status"], "ready")
        self.assertLessEqual(self.service.redis("DBSIZE"), jobs)

    def test_health_needs_no_queue_and_readiness_tells_what_is_missing(self) -> None:
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)
        port = self.service.port
        try:
            self.service.start_api("lonely", {"REDIS_URL": "unix:///nowhere/redis.sock"})
            self.assertEqual(self.service.request("GET", "/healthz").status, 200)
            status, body = self.ready()
            self.assertEqual(status, 503)
            self.assertRegex(body["detail"], r"^.{10,}\.$")
            answer = self.service.post({"code": "print(1)"})
            self.assertEqual((answer.status, answer.json["error"]["code"]), (503, "unavailable"))
            self.assertEqual(answer.headers["retry-after"], "1")
        finally:
            self.service.port = port


if __name__ == "__main__":
    unittest.main()
