"""/v1/runs over several API processes: one run for one key, and runs whose process has died."""

from __future__ import annotations

import secrets
import signal
import threading

from runs import ENDED, SLEEPS, Events, RunsTest, output
from service import Response, TwoApisTest, wait_until


class Idempotency(TwoApisTest, RunsTest):
    settings = {"SLOTS": "2"}

    def test_a_repeated_request_is_one_run(self) -> None:
        key = {"Idempotency-Key": secrets.token_hex()}
        answers = [self.post("import uuid\nprint(uuid.uuid4())", key, port)
                   for port in self.ports * 2]
        self.assertEqual([answer.status for answer in answers], [200] * 4)
        self.assertEqual(len({answer.body for answer in answers}), 1)
        self.assertNotIn("idempotent-replayed", answers[0].headers)
        self.assertEqual(answers[1].headers["idempotent-replayed"], "true")
        other = self.post("print('other')", key)
        self.assert_error(other, 409, "Idempotency-Key", "conflict")
        self.assertEqual(self.post("pass", {"Idempotency-Key": "x" * 256}).status, 400)

    def test_one_that_waits_gets_the_end_of_the_first(self) -> None:
        key = {"Idempotency-Key": secrets.token_hex()}
        body = "import time\ntime.sleep(.4)\nprint('done')"
        first = threading.Thread(target=self.post, args=(body, key, self.ports[0]))
        first.start()
        wait_until(lambda: any(run["status"] == "running"
                               for run in self.ask("GET", "").json["data"]), "it runs")
        second = self.post(body, key, self.ports[1])
        first.join(30)
        self.assertEqual((second.status, second.json["stdout"]), (200, "done\n"))

    def test_in_a_race_between_processes_one_run_is_made(self) -> None:
        for _ in range(10):
            key = {"Idempotency-Key": secrets.token_hex()}
            code = f"print({secrets.randbits(60)})"
            answers: list[Response] = []
            barrier = threading.Barrier(6)

            def send(port: int) -> None:
                barrier.wait(30)
                answers.append(self.post(code, key, port))

            threads = [threading.Thread(target=send, args=(port,)) for port in self.ports * 3]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            self.assertEqual([answer.status for answer in answers], [200] * 6)
            self.assertEqual(len({answer.json["id"] for answer in answers}), 1)
            fresh = [a for a in answers if "idempotent-replayed" not in a.headers]
            self.assertEqual(len(fresh), 1)

    def test_runs_are_seen_and_ended_through_any_process(self) -> None:
        run = self.begin(SLEEPS, self.ports[0])
        self.wait_for(run, "running", port=self.ports[1])
        ended = self.ask("POST", f"/{run}/cancel", self.ports[1])
        self.assertEqual(ended.json["status"], "cancelled")
        self.assertEqual(self.get(run, self.ports[0]), self.get(run, self.ports[1]))


class Deaths(RunsTest):
    settings = {"SLOTS": "2", "MAX_EXEC_TIMEOUT_MS": "10000"}

    def setUp(self) -> None:
        self.first = self.service.port
        self.name = "api-" + secrets.token_hex(4)
        self.service.start_api(self.name, {"PORT": "0"})
        self.doomed, self.service.port = self.service.port, self.first

    def tearDown(self) -> None:
        if self.name in self.service.parts:
            self.kill()

    def kill(self) -> None:
        part = self.service.parts.pop(self.name)
        part.process.send_signal(signal.SIGKILL)
        part.process.wait(30)

    def test_a_run_outlives_the_process_that_was_asked_for_it(self) -> None:
        run = self.begin("import time\nprint('a', flush=True)\ntime.sleep(1)\nprint('b')\n"
                         "open('/work/outputs/x', 'w').write('y')", self.doomed)
        self.wait_for(run, "running")
        self.kill()
        ended = self.wait_for(run, *ENDED)
        self.assertEqual((ended["status"], ended["stdout"]), ("succeeded", "a\nb\n"))
        self.assertEqual([artifact["name"] for artifact in ended["artifacts"]], ["x"])
        self.assertEqual(self.get(run), ended)

    def test_the_sweep_gives_it_an_end_when_nobody_looks(self) -> None:
        run = self.begin("import time\ntime.sleep(.3)\nprint('c')", self.doomed)
        self.wait_for(run, "running")
        self.kill()
        key = "retort:run:" + run
        wait_until(lambda: self.service.redis("HGET", key, "before"), "the record has its end")
        self.assertEqual(self.service.redis("EXISTS", "retort:result:" + run[4:]), 0)
        self.assertIsNone(self.service.redis("ZSCORE", "retort:openruns", run))
        self.assertEqual(self.get(run)["stdout"], "c\n")

    def test_a_follower_at_another_process_sees_it_to_its_end(self) -> None:
        run = self.begin("import time\nfor i in range(8):\n    print(i, flush=True)\n"
                         "    time.sleep(.1)", self.doomed)
        events = []
        for event in Events(self.first, run):
            events.append(event)
            if event[1] == "started":
                self.kill()
        self.assertEqual(events[-1][1], "finished")
        self.assertEqual(output(events, "stdout"), "".join(f"{i}\n" for i in range(8)))
