"""Several API processes on one listening socket: their start, their replacement, their end."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest
from collections.abc import Iterator

from service import BUILD, Process, Response, Service, ServiceTest, descendants, wait_until

API = str(BUILD / "retort-api")
NOWHERE = {"REDIS_URL": "unix:///nowhere/redis.sock", "PORT": "0"}
LONG = "import time; time.sleep(1); print('late')"


def run(*arguments: str, descriptors: int = 0, **settings: str) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    return subprocess.run([API, *arguments], env={**os.environ, **settings}, text=True,
                          capture_output=True, timeout=20, preexec_fn=limit)


class Crowd:
    """Clients that each send the next request when the last is answered; what went wrong."""

    def __init__(self, port: int, clients: int, keep: bool) -> None:
        self.port = port
        self.keep = keep
        self.answered = 0
        self.faults: list[str] = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(number,))
                        for number in range(clients)]

    def ask(self, number: int) -> None:
        connection = None
        while not self.ended.is_set():
            connection = connection or http.client.HTTPConnection("127.0.0.1", self.port,
                                                                  timeout=30)
            try:
                connection.request("POST", "/v1/execute", json.dumps({"code": f"print({number})"}),
                                   {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200 or json.loads(body)["stdout"] != f"{number}\n":
                    self.faults.append(f"{answer.status} {body[:200]!r}")
                if not self.keep or answer.getheader("Connection") == "close":
                    connection.close()
                    connection = None
                self.answered += 1
            except (OSError, http.client.HTTPException) as error:
                self.faults.append(repr(error))
                connection = None
        if connection:
            connection.close()

    def __enter__(self) -> Crowd:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def wait_for_more(self, count: int) -> None:
        goal = self.answered + count
        wait_until(lambda: self.answered >= goal or self.faults, f"{count} more answers", 60)


class Several(ServiceTest):
    settings = {"API_PROCESSES": "3", "SLOTS": "2"}

    def serving(self) -> list[Process]:
        return [p for p in descendants(self.service.parts["api"].pid) if p.state != "Z"]

    def said(self, event: str) -> list[dict[str, object]]:
        return [line for line in self.service.log_lines("api") if line["event"] == event]

    def roll(self) -> None:
        done = len(self.said("rolling_restart_done"))
        self.service.parts["api"].process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(self.said("rolling_restart_done")) > done, "all are replaced", 60)

    def test_a_rolling_restart_loses_no_request_and_refuses_no_connection(self) -> None:
        for keep in (True, False):
            with self.subTest(keep_alive=keep), Crowd(self.service.port, 6, keep) as crowd:
                before = {p.pid for p in self.serving()}
                crowd.wait_for_more(50)
                for _ in range(3):
                    self.roll()
                    crowd.wait_for_more(20)
                after = {p.pid for p in self.serving()}
                self.assertEqual((len(before), len(after), before & after), (3, 3, set()))
                self.assertEqual(crowd.faults, [])

    def test_a_job_that_runs_is_answered_by_the_process_that_leaves(self) -> None:
        answers: list[Response] = []
        threads = [threading.Thread(target=lambda: answers.append(self.service.post({"code": LONG})))
                   for _ in range(2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: sum(":job:" in key for key in self.service.keys()) >= 2, "jobs")
        self.roll()
        for thread in threads:
            thread.join()
        self.assertEqual([answer.json["stdout"] for answer in answers], ["late\n"] * 2)

    def test_one_that_dies_is_replaced_and_its_ending_logged(self) -> None:
        victim = self.serving()[0].pid
        os.kill(victim, signal.SIGKILL)
        ended = wait_until(lambda: [line for line in self.said("process_ended")
                                    if line["pid"] == victim], "its end in the log")
        self.assertIn("killed by signal 9", str(ended[0]["ending"]))
        wait_until(lambda: len(self.serving()) == 3, "another one")
        self.assertNotIn(victim, [p.pid for p in self.serving()])
        self.assertEqual(self.service.execute("print(3)").stdout, "3\n")

    def metric(self, name: str) -> int:
        page = self.service.request("GET", "/metrics").body.decode()
        return int(float(next(line.split()[1] for line in page.splitlines()
                              if line.startswith(name + " "))))

    def test_metrics_are_of_all_processes_and_those_of_a_dead_one_are_taken_off(self) -> None:
        clients = [self.service.connect() for _ in range(30)]
        for client in clients:
            self.service.request("GET", "/healthz", connection=client)
        wait_until(lambda: self.metric("retort_connections") == 31, "all are counted, and ours")
        for process in self.serving():
            os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: len(self.serving()) == 3, "others")
        wait_until(lambda: self.metric("retort_connections") == 1, "only ours is left")
        for client in clients:
            client.close()

    def test_parent_and_children_have_filters(self) -> None:
        for pid in [self.service.parts["api"].pid] + [p.pid for p in self.serving()]:
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
            self.assertIn("\nSeccomp:\t2\n", text)
        self.assertEqual(self.said("no_filter"), [])


class Ending(ServiceTest):
    settings = {"API_PROCESSES": "2", "SLOTS": "4", "CPU_TIME_LIMIT_SEC": "60",
                "MAX_EXEC_TIMEOUT_MS": "60000", "DRAIN_TIMEOUT_MS": "5000"}

    def setUp(self) -> None:
        self.service.expected_deaths.add("api")
        if not self.service.parts["api"].alive():
            self.service.start_api()
            self.service.wait_ready()
        self.api = self.service.parts["api"]
        self.below = [p.pid for p in descendants(self.api.pid)]

    def gone(self) -> bool:
        return not any(pathlib.Path(f"/proc/{pid}").exists() for pid in self.below)

    def post_long(self) -> tuple[threading.Thread, list[Response]]:
        answers: list[Response] = []
        seen = set(self.service.keys())
        thread = threading.Thread(target=lambda: answers.append(self.service.post({"code": LONG})))
        thread.start()
        wait_until(lambda: any(":job:" in key for key in set(self.service.keys()) - seen), "a job")
        return thread, answers

    def test_sigterm_lets_what_runs_be_answered(self) -> None:
        thread, answers = self.post_long()
        self.api.process.terminate()
        thread.join()
        self.assertEqual(answers[0].json["stdout"], "late\n")
        self.assertEqual(self.api.process.wait(20), 0)
        self.assertTrue(self.gone())

    def test_a_sigterm_to_all_of_them_at_once_is_one(self) -> None:
        """As a service manager sends it."""
        thread, answers = self.post_long()
        os.killpg(self.api.pid, signal.SIGTERM)
        thread.join()
        self.assertEqual(answers[0].json["stdout"], "late\n")
        self.assertEqual(self.api.process.wait(20), 0)

    def test_a_second_signal_ends_at_once_and_cancels(self) -> None:
        client = self.service.hang_up_after_sending("while True: pass")
        wait_until(self.service.busy_job, "the job runs")
        self.api.process.terminate()
        wait_until(lambda: self.api.log_text().count('"stopping"') >= 3, "all are draining")
        began = time.monotonic()
        self.api.process.terminate()
        self.assertEqual(self.api.process.wait(20), 0)
        self.assertLess(time.monotonic() - began, 3)
        client.close()
        wait_until(lambda: not self.service.busy_job(), "the job is killed")
        self.assertTrue(self.gone())

    def test_past_the_drain_what_runs_is_cancelled(self) -> None:
        client = self.service.hang_up_after_sending("while True: pass")
        wait_until(self.service.busy_job, "the job runs")
        self.api.process.terminate()
        self.assertEqual(self.api.process.wait(20), 0)
        self.assertIn("drain_timeout", self.api.log_text())
        client.close()
        wait_until(lambda: not self.service.busy_job(), "the job is killed")

    def test_when_the_parent_is_killed_what_runs_is_answered_and_all_end(self) -> None:
        thread, answers = self.post_long()
        self.api.process.kill()
        thread.join()
        self.assertEqual(answers[0].json["stdout"], "late\n")
        wait_until(self.gone, "the children end")


class Start(unittest.TestCase):
    def test_a_bad_setting_that_the_children_find_is_one_sentence_and_status_2(self) -> None:
        ended = run(API_PROCESSES="4", PORT="0", REDIS_URL="http://nowhere")
        self.assertEqual(ended.returncode, 2)
        self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)
        self.assertIn("REDIS_URL", ended.stderr)

    def test_what_the_parent_finds_is_too(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            for settings, word in (({"API_PROCESSES": "65"}, "API_PROCESSES"),
                                   ({"API_PROCESSES": "0"}, "API_PROCESSES"),
                                   ({"PORT": str(taken.getsockname()[1])}, "in use"),
                                   ({"HOST": "0.0.0.0"}, "ALLOW_ANONYMOUS")):
                with self.subTest(word):
                    ended = run(**{**NOWHERE, "API_PROCESSES": "3", **settings})
                    self.assertEqual((ended.returncode, ended.stderr.count("\n")), (2, 1))
                    self.assertIn(word, ended.stderr)

    def test_redis_must_bear_the_connections_of_all_processes(self) -> None:
        service = Service({})
        try:
            service.start_redis()
            service.redis("CONFIG", "SET", "maxclients", "1000")
            url = service.environment["REDIS_URL"]
            ended = run(API_PROCESSES="2", PORT="0", REDIS_URL=url)
            self.assertEqual(ended.returncode, 2, ended.stderr)
            said = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
            self.assertEqual(len(said), 1, ended.stderr)
            self.assertIn("maxclients", said[0])
        finally:
            faults = service.close()
        self.assertEqual(faults, [])

    def test_bodies_of_which_not_one_fits_are_refused(self) -> None:
        ended = run(MAX_BODIES_BYTES="1048576", MAX_BODY_BYTES="1048577", **NOWHERE)
        self.assertEqual((ended.returncode, ended.stderr.count("\n")), (2, 1), ended.stderr)
        self.assertIn("MAX_BODIES_BYTES=1048576", ended.stderr)

    def test_too_few_descriptors_for_the_settings_are_refused(self) -> None:
        for processes in ("1", "2"):
            ended = run(descriptors=1024, API_PROCESSES=processes, **NOWHERE)
            self.assertEqual((ended.returncode, ended.stderr.count("\n")), (2, 1), ended.stderr)
            for word in ("MAX_CONNECTIONS=4096", "MAX_IN_FLIGHT=512", "1024", "LimitNOFILE"):
                self.assertIn(word, ended.stderr)


@contextlib.contextmanager
def activated(service: Service, listener: socket.socket, name: str,
              **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """retort-api as systemd starts it for a socket."""
    log = service.directory / f"{name}.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" 3<&"$1"', API,
             str(listener.fileno())], pass_fds=[listener.fileno()], stderr=output,
            env={**os.environ, **service.environment, **settings})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


class Activation(ServiceTest):
    def test_restarting_refuses_no_connection(self) -> None:
        for processes in ("1", "2"):
            with self.subTest(processes=processes), socket.create_server(
                    ("127.0.0.1", 0), backlog=100) as listener, Crowd(
                        listener.getsockname()[1], 4, keep=False) as crowd:
                for number in range(3):
                    with activated(self.service, listener, f"api-{processes}-{number}",
                                   API_PROCESSES=processes) as api:
                        crowd.wait_for_more(20)
                        api.terminate()
                        self.assertEqual(api.wait(20), 0)
                with activated(self.service, listener, f"last-{processes}") as api:
                    crowd.wait_for_more(20)
                    crowd.__exit__()
                    crowd.threads.clear()
                self.assertEqual(crowd.faults, [])

    def test_the_address_is_the_sockets_and_the_port_too(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            with activated(self.service, listener, "told", HOST="no such host", PORT="1"):
                log = self.service.directory / "told.log"
                wait_until(lambda: '"listening"' in log.read_text(), "it listens")
                line = json.loads(next(line for line in log.read_text().splitlines()
                                       if '"listening"' in line))
                self.assertEqual((line["host"], line["port"]),
                                 ("127.0.0.1", listener.getsockname()[1]))

    def test_a_socket_that_will_not_do_is_one_sentence_and_status_2(self) -> None:
        with socket.create_server(("0.0.0.0", 0)) as open_to_all, \
                socket.socket() as silent, socket.socket(socket.AF_UNIX) as local:
            local.bind("")
            local.listen()
            for listener, word in ((open_to_all, "ALLOW_ANONYMOUS"), (silent, "LISTEN_FDS"),
                                   (local, "LISTEN_FDS")):
                with activated(self.service, listener, "refused") as api:
                    self.assertEqual(api.wait(20), 2)
                said = (self.service.directory / "refused.log").read_text()
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn(word, said)


if __name__ == "__main__":
    unittest.main()
