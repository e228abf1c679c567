"""LANGUAGES: languages beside each other in one worker, each with a zygote and slots of its own.

The second language is Python under another name, in an installation of its own.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from raw_jobs import RawJobs
from service import BUILD, IMAGE, Service, wait_until

SLEEPER = "import time; time.sleep(3)"
# Longer than a pop may block in Redis, so that one that is sent again would be seen.
WATCH_S = 2.5


class Installation(unittest.TestCase):
    """bin/ and lib/retort/image/{python,twin}, as `make install` would put them."""

    directory: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.directory.chmod(0o755)
        programs = cls.directory / "bin"
        programs.mkdir()
        for name in ("retort-worker", "retort-api"):
            shutil.copy(BUILD / name, programs / name)
        for language in ("python", "twin"):
            image = cls.directory / "lib/retort/image" / language
            shutil.copytree(IMAGE, image)
            described = json.loads((image / "image.json").read_text())
            (image / "image.json").write_text(json.dumps({**described, "language": language}))

    def start(self, worker: dict[str, str], zygotes: int = 0, **settings: str) -> Service:
        service = Service({"IMAGE": "", **settings})
        service.build = self.directory / "bin"
        self.addCleanup(lambda: self.assertEqual(service.close(), []))
        service.start_redis()
        service.start_worker(extra=worker)
        service.start_api()
        zygotes = zygotes or worker["LANGUAGES"].count(",") + 1
        wait_until(lambda: len(self.zygotes(service)) == zygotes, "the zygotes are ready", 30)
        return service

    def zygotes(self, service: Service) -> dict[str, int]:
        return {str(line["language"]): int(str(line["pid"])) for line in service.log_lines("worker")
                if line["event"] == "zygote_ready"}

    def run_worker(self, *args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.directory / "bin/retort-worker", *args], capture_output=True,
                              text=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], **settings})


class Languages(Installation):
    def running(self, jobs: RawJobs, language: str) -> str:
        job = jobs.submit(language, SLEEPER)
        wait_until(lambda: jobs.state(job) == "running", f"a job of {language} runs")
        return job

    def blocked(self, service: Service) -> list[str]:
        """Connections that wait in BLMOVE."""
        listed = service.redis("CLIENT", "LIST").decode().splitlines()
        return [line for line in listed if " cmd=blmove " in line and " flags=b" in line]

    def test_each_has_a_zygote_and_one_outlives_the_other(self) -> None:
        service = self.start({"LANGUAGES": "python:1,twin:1"})
        zygotes = self.zygotes(service)
        self.assertEqual(len(set(zygotes.values())), 2)
        wait_until(lambda: {line["language"] for line in service.log_lines("worker")
                            if line["event"] == "isolation"} == set(zygotes), "both are looked at")
        jobs = RawJobs(service)
        self.assertEqual(service.execute("print(1)").stdout, "1\n")
        jobs.wait_done(jobs.submit("twin", "print(2)"))
        busy = self.running(jobs, "twin")
        os.kill(zygotes["python"], signal.SIGKILL)
        wait_until(lambda: self.zygotes(service)["python"] != zygotes["python"], "another zygote", 30)
        self.assertEqual(service.execute("print(3)").stdout, "3\n")
        jobs.wait_done(busy)
        self.assertNotIn(b"sandbox_error", jobs.result(busy))
        self.assertEqual(self.zygotes(service)["twin"], zygotes["twin"])

    def test_a_flooded_language_does_not_stop_the_other(self) -> None:
        service = self.start({"LANGUAGES": "python:1,twin:1"})
        jobs = RawJobs(service)
        flood = [self.running(jobs, "python")] + [jobs.submit("python", SLEEPER) for _ in range(40)]
        for _ in range(5):
            self.assertLess(jobs.wait_done(jobs.submit("twin", "print(1)")), 1.5)
        self.assertEqual(jobs.state(flood[0]), "running")
        self.assertEqual({jobs.state(job) for job in flood[1:]}, {"queued"})
        self.assertEqual(service.redis("LLEN", "retort:queue:python"), 40)

    def test_slots_are_each_language_s_own(self) -> None:
        service = self.start({"LANGUAGES": "twin:3,python", "SLOTS": "1"})
        jobs = RawJobs(service)
        twins = [jobs.submit("twin", SLEEPER) for _ in range(4)]
        pythons = [jobs.submit("python", SLEEPER) for _ in range(2)]
        wait_until(lambda: [jobs.state(job) for job in twins + pythons].count("running") == 4,
                   "all slots are taken")
        self.assertEqual([jobs.state(job) for job in twins], ["running"] * 3 + ["queued"])
        self.assertEqual([jobs.state(job) for job in pythons], ["running", "queued"])
        slots = {line["language"]: line["slots"] for line in service.log_lines("worker")
                 if line["event"] == "engine"}
        self.assertEqual(slots, {"twin": 3, "python": 1})

    def test_one_pop_is_outstanding_for_a_language_and_none_without_a_slot(self) -> None:
        service = self.start({"LANGUAGES": "python:1,twin:2"})
        jobs = RawJobs(service)
        wait_until(lambda: len(self.blocked(service)) == 2, "a pop of each language")
        self.running(jobs, "python")
        wait_until(lambda: len(self.blocked(service)) == 1, "that of the other language")
        self.running(jobs, "twin")
        wait_until(lambda: len(self.blocked(service)) == 1, "it again, with one slot left")
        self.running(jobs, "twin")
        waits = [jobs.submit(language, "1") for language in ("python", "twin")]
        began = time.monotonic()
        while time.monotonic() < began + WATCH_S:
            states = {jobs.state(job) for job in waits}
            blocked = self.blocked(service)
            if states != {"queued"}:
                break  # the first sleeper has ended
            self.assertEqual(blocked, [])
            time.sleep(0.02)
        self.assertGreater(time.monotonic() - began, 2.0)

    def test_what_nobody_serves_waits_until_its_deadline(self) -> None:
        service = self.start({"LANGUAGES": "twin:1"}, MAX_QUEUE_WAIT_MS="500")
        response = service.post({"code": "print(1)"})
        self.assertEqual(response.status, 504, response.body)
        self.assertIn(b"queue_timeout", response.body)


class CommandLine(Installation):
    def test_a_language_without_an_image_is_refused_with_those_there_are(self) -> None:
        for args in ((), ("--check",)):
            done = self.run_worker(*args, LANGUAGES="python,cobol:2")
            self.assertEqual(done.returncode, 1)
            self.assertIn("LANGUAGES: there is no image of cobol; there are: python, twin",
                          done.stderr)

    def test_image_and_module_speak_of_python_only(self) -> None:
        done = self.run_worker("--check", LANGUAGES="twin", IMAGE="/no/such")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"engine: image, {self.directory}/lib/retort/image/twin\n", done.stdout)

    def test_a_list_that_is_not_valid_is_one_sentence(self) -> None:
        for program in ("retort-worker", "retort-api"):
            done = subprocess.run([self.directory / "bin" / program, "--languages", "python:0"],
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertIn("LANGUAGES: the slots of python, \"0\", are not", done.stderr)

    def test_check_looks_at_every_language(self) -> None:
        done = self.run_worker("--check", LANGUAGES="python,twin")
        self.assertEqual(done.returncode, 0, done.stderr)
        for language in ("python", "twin"):
            self.assertIn(f"language: {language}\nengine: image, "
                          f"{self.directory}/lib/retort/image/{language}\n", done.stdout)
        self.assertEqual(done.stdout.count("\nprocess-per-job "), 2)

    def test_a_language_that_does_not_boot_stops_no_other(self) -> None:
        broken = self.directory / "lib/retort/image/broken"
        shutil.copytree(self.directory / "lib/retort/image/twin", broken)
        self.addCleanup(shutil.rmtree, broken)
        described = json.loads((broken / "image.json").read_text())
        (broken / "image.json").write_text(json.dumps({**described, "language": "broken"}))
        shutil.copy("/bin/true", broken / "program")
        self.assertEqual(self.run_worker("--check", LANGUAGES="python,broken").returncode, 1)
        service = self.start({"LANGUAGES": "broken:1,python:1"}, zygotes=1)
        self.assertEqual(service.execute("print(1)").stdout, "1\n")
        died = [line for line in service.log_lines("worker") if line["event"] == "zygote_died"]
        self.assertEqual({line["language"] for line in died}, {"broken"})


if __name__ == "__main__":
    unittest.main()
