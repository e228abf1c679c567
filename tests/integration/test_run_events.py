"""/v1/runs/{id}/events: what a run does, as it does it, to all who ask, whenever they come."""

from __future__ import annotations

import http.client
import json
import socket

from runs import SLEEPS, Events, RunsTest, all_events, output
from service import Service, wait_until


class Live(RunsTest):
    settings = {"MAX_EXEC_TIMEOUT_MS": "20000", "MAX_EVENT_STREAMS": "4",
                "MAX_OUTPUT_BYTES": "1000000"}

    def test_output_comes_before_the_program_ends(self) -> None:
        run = self.begin("import time\nfor i in range(10):\n    print(i, 'ü', flush=True)\n"
                         "    time.sleep(.1)")
        events = []
        for event in Events(self.service.port, run):
            if event[1] == "output" and output(events, "stdout") == "":
                self.assertEqual(self.get(run)["status"], "running")
            events.append(event)
        names = [event[1] for event in events]
        self.assertEqual(names[:2], ["queued", "started"])
        self.assertEqual(names[-1], "finished")
        self.assertGreaterEqual(names.count("output"), 5)
        finished = events[-1][2]
        self.assertEqual(finished, self.get(run))
        self.assertEqual(output(events, "stdout"), finished["stdout"])
        first = next(event for event in events if event[1] == "output")
        self.assertLess(first[3], events[-1][3] - 0.5)

    def test_a_late_subscriber_gets_the_past_and_one_that_comes_again_the_rest(self) -> None:
        run = self.begin("import sys, time\nfor i in range(4):\n    print(i, flush=True)\n"
                         "    print(-i, file=sys.stderr, flush=True)\n    time.sleep(.1)")
        live = all_events(self.service.port, run)
        late = all_events(self.service.port, run)
        self.assertEqual([event[:3] for event in late], [event[:3] for event in live])
        self.assertEqual(output(late, "stderr"), self.get(run)["stderr"])
        for i, event in enumerate(live[:-1]):
            rest = all_events(self.service.port, run, event[0])
            self.assertEqual([e[:3] for e in rest], [e[:3] for e in live[i + 1:]])
        last = Service.ask(self.service.port, "GET", f"/v1/runs/{run}/events", None,
                           {"Last-Event-ID": "end"})
        self.assertEqual(last.status, 204)

    def test_a_run_that_was_over_in_a_moment_is_told_from_its_record(self) -> None:
        run = self.run_program("import sys\nprint('a\"\\\\')\nprint('b', file=sys.stderr)")
        self.assertEqual(self.service.redis("EXISTS", "retort:events:" + run["id"][4:]), 0)
        events = all_events(self.service.port, run["id"])
        self.assertEqual([event[1] for event in events],
                         ["queued", "started", "output", "output", "finished"])
        self.assertEqual((output(events, "stdout"), output(events, "stderr")), ('a"\\\n', "b\n"))
        self.assertEqual(events[-1][2], run)
        self.assertEqual([event[1] for event in all_events(self.service.port, run["id"], "0-3")],
                         ["output", "finished"])

    def test_large_output_comes_whole_and_splits_no_character(self) -> None:
        run = self.begin("import sys, time\ntime.sleep(.1)\nfor i in range(60):\n"
                         "    sys.stdout.write('aüß€𝄞' * 1300)\n    sys.stdout.flush()\n"
                         "    time.sleep(.005)\ntime.sleep(.1)")
        events = all_events(self.service.port, run)
        text = output(events, "stdout")
        self.assertNotIn("\ufffd", text)
        self.assertEqual(text, events[-1][2]["stdout"])
        self.assertGreater(len(text.encode()), 900000)
        self.assertGreater(events[-1][2]["truncation"]["stdout_dropped_bytes"], -1)
        at = 0
        for _, name, data, _ in events:
            if name == "output":
                self.assertEqual(data["offset"], at)
                at += len(data["text"].encode())

    def test_a_stream_expires_and_is_bounded(self) -> None:
        run = self.begin(SLEEPS)
        self.wait_for(run, "running")
        key = "retort:events:" + run[4:]
        wait_until(lambda: self.service.redis("EXISTS", key), "it has a stream")
        self.assertGreater(self.service.redis("PTTL", key), 60000)
        self.ask("POST", f"/{run}/cancel")

    def test_followers_are_bounded_and_a_hang_up_frees_their_place(self) -> None:
        run = self.begin(SLEEPS)
        followers = [Events(self.service.port, run) for _ in range(4)]
        refused = self.ask("GET", f"/{run}/events")
        self.assert_error(refused, 503, "MAX_EVENT_STREAMS")
        followers[0].close()
        wait_until(lambda: self.has_room(run), "the place is free")
        self.ask("POST", f"/{run}/cancel")
        for follower in followers[1:]:
            self.assertEqual(list(follower)[-1][1], "finished")
            follower.close()

    def has_room(self, run: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=30)
        connection.request("GET", f"/v1/runs/{run}/events")
        status = connection.getresponse().status
        connection.close()
        return status == 200

    def test_two_follow_one_run_and_http_10_is_served(self) -> None:
        run = self.begin("import time\nprint(1, flush=True)\ntime.sleep(.3)\nprint(2)")
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=30) as old:
            old.sendall(b"GET /v1/runs/%s/events HTTP/1.0\r\nHost: localhost\r\n\r\n" % run.encode())
            events = all_events(self.service.port, run)
            answer = b""
            while piece := old.recv(65536):
                answer += piece
        self.assertEqual(output(events, "stdout"), "1\n2\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head)
        self.assertIn(b"event: finished\n", body)
        self.assertTrue(body.endswith(b"\n\n"))

    def test_a_connection_goes_on_after_a_stream(self) -> None:
        run = self.run_program("print(1)")["id"]
        connection = self.service.connect()
        for _ in range(2):
            connection.request("GET", f"/v1/runs/{run}/events")
            self.assertIn(b"event: finished", connection.getresponse().read())
        connection.request("HEAD", f"/v1/runs/{run}/events")
        head = connection.getresponse()
        head.read()
        self.assertEqual((head.status, head.headers["Content-Type"]), (200, "text/event-stream"))
        connection.request("GET", f"/v1/runs/{run}")
        self.assertEqual(json.loads(connection.getresponse().read())["stdout"], "1\n")
        connection.close()


class Slow(RunsTest):
    settings = {"MAX_EXEC_TIMEOUT_MS": "30000", "MAX_OUTPUT_BYTES": "33554432",
                "CPU_TIME_LIMIT_SEC": "30"}

    def test_a_slow_reader_is_sent_away_with_a_last_word(self) -> None:
        run = self.begin("import sys, time\nwhile True:\n    sys.stdout.write('x' * 40000)\n"
                         "    sys.stdout.flush()\n    time.sleep(.02)")
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(30)
            slow.connect(("127.0.0.1", self.service.port))
            slow.sendall(b"GET /v1/runs/%s/events HTTP/1.1\r\nHost: localhost\r\n\r\n" % run.encode())
            log = self.service.log_lines
            wait_until(lambda: [line for line in log("api")
                                if str(line.get("path")).endswith("/events")], "it is sent away", 40)
            answer = b""
            while b"closed" not in answer[-500:]:
                piece = slow.recv(65536)
                self.assertTrue(piece, "ended without a last word")
                answer += piece
        self.assertIn(b'event: closed\ndata: {"reason":"slow"}', answer)
        self.ask("POST", f"/{run}/cancel")
