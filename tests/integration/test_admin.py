"""retort-admin against the real service: what it shows, and what it does to workers and jobs."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from typing import Any

from raw_jobs import RawJobs
from service import BUILD, Call, Service, ServiceTest, wait_until

ADMIN = BUILD / "retort-admin"
NOBODY = "no-such-worker"
CONTROLS = bytes(range(32)) + b"\x7f\xc2\x9b31m\xff\xe2\x80\xae"


def admin(service: Service, *args: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([ADMIN, *args], capture_output=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"],
                               "REDIS_URL": service.environment["REDIS_URL"], **settings})


def shown(service: Service, *args: str) -> Any:
    """The JSON of a command that succeeds."""
    done = admin(service, *args, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


class AdminTest(ServiceTest):
    settings = {"SLOTS": "1"}

    def assert_says(self, done: subprocess.CompletedProcess[bytes], status: int,
                    *words: str) -> None:
        self.assertEqual(done.returncode, status, done)
        for word in words:
            self.assertIn(word, (done.stdout + done.stderr).decode())

    def in_flight(self) -> list[dict[str, Any]]:
        return shown(self.service, "jobs")["in_flight"]

    def running(self, code: str) -> tuple[Call, str]:
        """A request whose program runs, and its job's id."""
        request = Call(self.service, code)
        rows = wait_until(lambda: [row for row in self.in_flight() if row["state"] == "running"],
                          "a job in flight")
        return request, rows[0]["id"]

    def worker(self) -> str:
        return shown(self.service)["workers"][0]["worker"]


class Views(AdminTest):
    def test_status_shows_redis_queues_and_workers(self) -> None:
        wait_until(lambda: shown(self.service)["queues"][0]["slots"] == 1, "the worker's slots")
        request, _ = self.running("import time; time.sleep(2.5)")
        waiting = Call(self.service, "print(1)")
        wait_until(lambda: shown(self.service)["queues"][0]["depth"] == 1, "a job waits")
        wait_until(lambda: shown(self.service)["queues"][0]["busy"] == 1, "a beat says busy")
        status = shown(self.service)
        self.assertEqual(status["redis"]["memory_policy"], "noeviction")
        queue, worker = status["queues"][0], status["workers"][0]
        self.assertEqual((queue["language"], queue["workers"]), ("python", 1))
        self.assertLess(queue["oldest_ms"], 5000)
        self.assertEqual(worker["state"], "serving")
        self.assertEqual(worker["host"], socket.gethostname())
        self.assertEqual(worker["languages"], [{"language": "python", "busy": 1, "slots": 1}])
        self.assertLess(worker["beat_ms"], 5000)
        self.assertLess(abs(worker["started"] / 1000 - time.time()), 300)
        self.assertEqual((status["totals"]["queued"], status["totals"]["in_flight"]), (1, 1))
        self.assertEqual(status["foreign"], [])
        text = admin(self.service).stdout.decode()
        for word in ("LANGUAGE", worker["worker"], "python 1/1", "foreign: none"):
            self.assertIn(word, text)
        self.assertEqual((request.answer().status, waiting.answer().status), (200, 200))

    def test_jobs_and_job_show_where_one_is_and_its_program_only_when_asked(self) -> None:
        request, first = self.running("import time; time.sleep(2)  # secret-one")
        waiting = Call(self.service, "print('secret-two')", stdin="secret-input")
        queued = wait_until(lambda: shown(self.service, "jobs")["queued"], "a job waits")
        self.assertEqual([(row["state"], row["attempts"]) for row in queued], [("queued", 0)])
        self.assertGreater(queued[0]["start_by_ms"], 1000)
        self.assertGreater(queued[0]["answer_by_ms"], queued[0]["start_by_ms"])
        running = shown(self.service, "job", first)["job"]
        self.assertEqual((running["state"], running["worker"], running["attempts"]),
                         ("running", self.worker(), 1))
        self.assertEqual(running["where"], "inflight:" + self.worker())
        second = admin(self.service, "job", queued[0]["id"])
        self.assert_says(second, 0, "queue:python, 0 before it")
        self.assertNotIn(b"secret", second.stdout)
        self.assert_says(admin(self.service, "job", first, "--code"), 0, "# secret-one")
        self.assertEqual(shown(self.service, "job", queued[0]["id"], "--code")["job"]["code"],
                         "print('secret-two')")
        self.assertEqual((request.answer().status, waiting.answer().status), (200, 200))

    def test_a_job_is_found_and_cancelled_by_its_client_s_name(self) -> None:
        name = secrets.token_hex(16)
        request = Call(self.service, "while True: pass", id=name)
        wait_until(lambda: self.in_flight(), "a job in flight")
        job = shown(self.service, "job", name)["job"]
        self.assertNotEqual(job["id"], name)
        self.assertEqual(job["state"], "running")
        self.assertEqual(shown(self.service, "cancel", name)["cancelled"]["state_before"], "running")
        self.assertEqual(request.answer().json["verdict"], "cancelled")

    def test_what_is_in_a_blob_is_shown_when_asked(self) -> None:
        code = "import time; time.sleep(1)\n" + "#" * 40000
        request, job = self.running(code)
        self.assertEqual(shown(self.service, "job", job, "--code")["job"]["code"], code)
        self.assertEqual(request.answer().status, 200)

    def test_unknown_jobs_and_ids_that_are_none(self) -> None:
        self.assert_says(admin(self.service, "job", secrets.token_hex(16)), 1, "there is no job")
        for word in ("x", "A" * 32, "../" * 10, "\x1b" * 32):
            done = admin(self.service, "job", word)
            self.assert_says(done, 1, "is no id")
            self.assertNotIn(b"\x1b", done.stderr)

    def test_limit_bounds_what_is_listed(self) -> None:
        jobs = RawJobs(self.service)
        queued = [jobs.submit("cobol", "1", wait_ms=4000) for _ in range(30)]
        self.assertEqual([row["id"] for row in shown(self.service, "jobs", "--limit", "3")["queued"]],
                         queued[:3])
        self.assertEqual(len(shown(self.service, "jobs", "--limit", "100")["queued"]), 30)
        self.service.redis("DEL", "retort:queue:cobol")


class Letters(AdminTest):
    def setUp(self) -> None:
        self.service.redis("DEL", "retort:dead")

    def letter(self, element: bytes, worker: str = "w1", reason: str = "It is none.") -> None:
        """As the scripts write it."""
        self.service.redis("EVAL", "redis.call('LPUSH', KEYS[1], cmsgpack.pack("
                           "{1, 1700000000123, ARGV[2], ARGV[3], ARGV[1]}))", "1", "retort:dead",
                           element, worker, reason)

    def test_letters_of_both_versions_are_listed_and_dropped(self) -> None:
        self.service.redis("LPUSH", "retort:dead", b"an old one")
        for number in range(3):
            self.letter(b"element %d" % number)
        rows = shown(self.service, "dead")["dead"]
        self.assertEqual([row["beginning"] for row in rows],
                         ["element 2", "element 1", "element 0", "an old one"])
        self.assertEqual((rows[0]["time"], rows[0]["worker"], rows[0]["reason"]),
                         (1700000000123, "w1", "It is none."))
        self.assertIsNone(rows[3]["time"])
        self.assertEqual(shown(self.service, "dead", "--drop", "2")["dropped"]["beginning"],
                         "element 1")
        self.assertEqual([row["beginning"] for row in shown(self.service, "dead")["dead"]],
                         ["element 2", "element 0", "an old one"])
        self.assert_says(admin(self.service, "dead", "--drop", "4"), 1, "there is no letter 4")
        self.assert_says(admin(self.service, "dead", "--drop", "0"), 1, "no letter's number")
        self.assertEqual(shown(self.service, "dead", "--drop", "all")["dropped"]["letters"], 3)
        self.assert_says(admin(self.service, "dead"), 0, "dead: none")

    def test_a_poisoned_element_ends_here_and_is_shown(self) -> None:
        poison = b"\x1b]0;title\x07" + bytes(range(256))
        self.service.redis("LPUSH", "retort:queue:python", poison)
        rows = wait_until(lambda: shown(self.service, "dead")["dead"], "a letter")
        self.assertEqual(rows[0]["worker"], self.worker())
        self.assertEqual(rows[0]["size_bytes"], len(poison))
        self.assertTrue(rows[0]["beginning"].startswith("\\x1b]0;title\\x07\\x00\\x01"))
        self.assertLess(abs(rows[0]["time"] / 1000 - time.time()), 60)
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")


class Hostile(AdminTest):
    """What others may have put under our keys."""

    KEYS = ("queue:x", "queue:" + CONTROLS.decode("latin-1"), "inflight:odd", "inflight:\x1b[2J",
            "dead", "workers", "worker:odd", "job:" + "0" * 32, "cancel:odd")

    def clear(self) -> None:
        for name in self.KEYS:
            self.service.redis("DEL", b"foreign:" + name.encode("latin-1"))

    def fill(self, *words: str | bytes) -> None:
        for name in self.KEYS:
            self.service.redis(words[0], b"foreign:" + name.encode("latin-1"), *words[1:])

    def look(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        done = admin(self.service, *args, REDIS_PREFIX="foreign:")
        self.assertIn(done.returncode, (0, 1), done)
        for output in (done.stdout, done.stderr):
            text = output.decode("utf-8")  # or it fails
            self.assertEqual([c for c in text if c < " " and c not in "\n\t"], [])
            self.assertNotRegex(text, "[\x7f-\x9f\u202a-\u202e]")
        return done

    def test_nothing_of_any_type_is_printed_raw_or_ends_it(self) -> None:
        job = "0" * 32
        for words in (("SET", CONTROLS), ("LPUSH", CONTROLS), ("HSET", CONTROLS, CONTROLS),
                      ("ZADD", "1", CONTROLS), ("SADD", CONTROLS), ("XADD", "*", "a", CONTROLS),
                      ("HSET", "state", CONTROLS, "slots:" + "x" * 99, "9" * 30, "slots:python",
                       "-1", "busy:python", "1" * 30, "started", "9" * 19, "host", CONTROLS * 9)):
            self.clear()
            self.fill(*words)
            with self.subTest(words[0]):
                for args in (("status",), ("jobs",), ("job", job), ("job", job, "--code"),
                             ("dead",), ("drain", "odd"), ("ping",), ("requeue", job),
                             ("cancel", job), ("requeue", "--worker", "odd")):
                    self.look(*args)
                    done = self.look(*args, "--json")
                    if done.returncode == 0:
                        json.loads(done.stdout)
        self.clear()

    def test_huge_values_are_shown_by_their_beginning(self) -> None:
        self.clear()
        huge = CONTROLS * 300000  # 12 MB
        self.service.redis("LPUSH", "foreign:dead", huge)
        self.service.redis("LPUSH", "foreign:queue:python", huge)
        done = self.look("dead")
        self.assertLess(len(done.stdout), 1000)
        self.assertIn(b"\\x1b", done.stdout)
        self.assertIn(b"not readable", self.look("jobs").stdout)
        self.look("status")
        self.service.redis("DEL", "foreign:dead", "foreign:queue:python")

    def test_a_prefix_with_characters_of_patterns_finds_its_own_keys_only(self) -> None:
        self.service.redis("LPUSH", "a*[b]?:queue:mine", "x")
        self.service.redis("LPUSH", "aXbX:queue:other", "x")
        done = admin(self.service, "--json", REDIS_PREFIX="a*[b]?:")
        languages = {row["language"] for row in json.loads(done.stdout)["queues"]}
        self.assertEqual(languages, {"python", "mine"})
        self.service.redis("DEL", "a*[b]?:queue:mine", "aXbX:queue:other")


class Changes(AdminTest):
    def test_cancel_ends_what_waits_and_what_runs_at_once(self) -> None:
        request, job = self.running("while True: pass")
        waiting = Call(self.service, "print('never')")
        queued = wait_until(lambda: shown(self.service, "jobs")["queued"], "a job waits")[0]["id"]
        for request, job, state in ((waiting, queued, "queued"), (request, job, "running")):
            began = time.monotonic()
            self.assertEqual(shown(self.service, "cancel", job)["cancelled"],
                             {"id": job, "state_before": state})
            answer = request.answer()
            self.assertEqual((answer.status, answer.json["verdict"]), (200, "cancelled"))
            self.assertLess(request.answered - began, 0.5)  # with the start of a process
        self.assert_says(admin(self.service, "cancel", job), 1)
        self.assert_says(admin(self.service, "cancel", secrets.token_hex(16)), 1, "there is no job")
        self.assertEqual(self.service.execute("print(2)").stdout, "2\n")

    def test_requeue_runs_a_job_again_and_counts_it(self) -> None:
        request, job = self.running("import time; time.sleep(1.5); print('ran')")
        done = shown(self.service, "requeue", job)["requeued"]
        self.assertEqual((done["id"], done["state_before"]), (job, "running"))
        wait_until(lambda: shown(self.service, "job", job)["job"]["attempts"] == 2, "a second run")
        self.assertEqual(shown(self.service, "requeue", job)["requeued"]["state"], "lost")
        answer = request.answer()
        self.assertEqual(answer.status, 502, answer.body)
        self.assertIn(b"worker_lost", answer.body)
        self.assert_says(admin(self.service, "requeue", secrets.token_hex(16)), 1, "there is no job")

    def test_requeue_of_what_waits_is_refused(self) -> None:
        jobs = RawJobs(self.service)
        job = jobs.submit("cobol", "1", wait_ms=3000)
        self.assert_says(admin(self.service, "requeue", job), 1, "is queued, not running")
        shown(self.service, "cancel", job)

    def test_ping_says_whether_each_language_is_served(self) -> None:
        wait_until(lambda: admin(self.service, "ping").returncode == 0, "python is served")
        self.assert_says(admin(self.service, "ping", LANGUAGES="python,cobol"), 1,
                         "no worker that lives serves cobol")


class Workers(unittest.TestCase):
    def start(self, *workers: str) -> Service:
        service = Service({"SLOTS": "1"})
        self.addCleanup(lambda: self.assertEqual(service.close(), []))
        service.start_redis()
        for name in workers:
            service.start_worker(name, {"WORKER_ID": name})
        service.start_api()
        service.wait_ready()
        wait_until(lambda: {row["worker"] for row in shown(service)["workers"]} == set(workers),
                   "the workers are registered")
        return service

    def holder(self, service: Service) -> str:
        return wait_until(lambda: [row["worker"] for row in shown(service, "jobs")["in_flight"]
                                   if row["state"] == "running"], "a job runs")[0]

    def test_drain_waits_until_the_worker_has_finished_and_left(self) -> None:
        service = self.start("first", "second")
        request = Call(service, "import time; time.sleep(1.5); print('done')")
        worker = self.holder(service)
        service.expected_deaths.add(worker)
        done = shown(service, "drain", worker)["drained"]
        self.assertEqual(done["worker"], worker)
        self.assertGreater(done["took_ms"], 100)
        answer = request.answer()
        self.assertEqual((answer.status, answer.json["stdout"]), (200, "done\n"))
        self.assertEqual(service.parts[worker].process.wait(10), 0)
        self.assertNotIn(worker, [row["worker"] for row in shown(service)["workers"]])
        self.assertEqual(service.execute("print(1)").stdout, "1\n")

    def test_drain_of_nobody_lists_who_is_there(self) -> None:
        service = self.start("first", "second")
        done = admin(service, "drain", NOBODY)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(),
                         "there is no worker no-such-worker; there are: (first, second|second, first)")
        done = admin(service, "requeue", "--worker", NOBODY)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"there is no worker no-such-worker", done.stderr)

    def test_drain_gives_up_waiting_at_its_time(self) -> None:
        service = self.start("first")
        request = Call(service, "import time; time.sleep(3)")
        self.holder(service)
        service.expected_deaths.add("first")
        began = time.monotonic()
        done = admin(service, "drain", "first", "--timeout", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"has not left within 1 s", done.stderr)
        self.assertLess(time.monotonic() - began, 2.5)
        self.assertEqual(request.answer().status, 200)
        self.assertEqual(service.parts["first"].process.wait(10), 0)

    def test_requeue_of_a_stopped_worker_moves_its_job_to_another(self) -> None:
        service = self.start("first", "second")
        request = Call(service, "import time; time.sleep(1); print('done')")
        worker = self.holder(service)
        process = service.parts[worker].process
        process.send_signal(signal.SIGSTOP)
        try:
            done = shown(service, "requeue", "--worker", worker)["requeued"]
            self.assertEqual((done["worker"], done["retried"]), (worker, 1))
            answer = request.answer()
        finally:
            process.send_signal(signal.SIGCONT)
        self.assertEqual((answer.status, answer.json["stdout"]), (200, "done\n"))


class CommandLine(unittest.TestCase):
    def run_admin(self, *args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([ADMIN, *args], capture_output=True, text=True, timeout=30,
                              check=False, env={"PATH": os.environ["PATH"], **settings})

    def test_help_lists_commands_and_settings_and_version_the_version(self) -> None:
        done = self.run_admin("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("drain WORKER", "requeue JOB | --worker WORKER", "--redis-url", "--languages"):
            self.assertIn(word, done.stdout)
        self.assertNotIn("--slots", done.stdout)
        self.assertRegex(self.run_admin("--version").stdout, r"^retort-admin \d+\.\d+\.\d+\n$")

    def test_bad_usage_is_2_and_one_sentence(self) -> None:
        for args in (("frob",), ("drain",), ("--nonsense",), ("--redis-url", "gopher://x"),
                     ("--redis-prefix", "a b"), ("--languages", "A"), ("jobs", "--limit", "x")):
            done = self.run_admin(*args)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), (args, done))

    def test_a_redis_that_cannot_be_reached_is_3_within_seconds(self) -> None:
        directory = tempfile.mkdtemp(prefix="retort-test-")
        self.addCleanup(shutil.rmtree, directory)
        silent = socket.socket(socket.AF_UNIX)
        self.addCleanup(silent.close)
        silent.bind(f"{directory}/silent.sock")
        silent.listen()
        for url in (f"unix://{directory}/none.sock", f"unix://{directory}/silent.sock",
                    "redis://127.0.0.1:1"):
            for command in ("status", "ping", "jobs"):
                began = time.monotonic()
                done = self.run_admin(command, REDIS_URL=url)
                self.assertEqual((done.returncode, done.stdout), (3, ""), done)
                self.assertEqual(done.stderr.count("\n"), 1)
                self.assertLess(time.monotonic() - began, 5)


class Pipes(AdminTest):
    def test_a_reader_that_leaves_is_no_failure_and_a_full_disk_is(self) -> None:
        environment = {"PATH": os.environ["PATH"],
                       "REDIS_URL": self.service.environment["REDIS_URL"]}
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([ADMIN], stdout=writer, stderr=subprocess.PIPE, env=environment,
                              timeout=30, check=False)
        os.close(writer)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        with open("/dev/full", "wb") as full:
            done = subprocess.run([ADMIN], stdout=full, stderr=subprocess.PIPE, env=environment,
                                  timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)

    def test_a_redis_that_wants_a_password_says_so(self) -> None:
        done = admin(self.service, REDIS_URL=self.service.environment["REDIS_URL"].replace(
            "unix://", "unix://:wrong-secret@"))
        self.assertEqual(done.returncode, 3, done)
        self.assertNotIn(b"wrong-secret", done.stderr)


if __name__ == "__main__":
    unittest.main()
