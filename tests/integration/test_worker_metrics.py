"""The worker's own /metrics and /healthz."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from prometheus import Page
from promtool import promtool
from service import Response, Service, ServiceTest, wait_until

PYTHON = {"language": "python"}
CONNECTIONS = 16


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ask(port: int, path: str, method: str = "GET") -> Response:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        reply = connection.getresponse()
        return Response(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def scrape(port: int) -> Page:
    answer = ask(port, "/metrics")
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Page(answer.body.decode("utf-8"))


def send(port: int, *pieces: bytes) -> bytes:
    """All that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for piece in pieces:
            client.sendall(piece)
        found = b""
        while piece := client.recv(65536):
            found += piece
        return found


class WithPort(ServiceTest):
    port = 0

    @classmethod
    def setUpClass(cls) -> None:
        cls.port = free_port()
        cls.settings = {"SLOTS": "2", **cls.settings, "METRICS_PORT": str(cls.port)}
        super().setUpClass()

    def grown(self, before: Page, name: str, **labels: str) -> float:
        return scrape(self.port).sum(name, **labels) - before.sum(name, **labels)


class Jobs(WithPort):
    settings = {"MAX_EXEC_TIMEOUT_MS": "1000", "MAX_QUEUE_WAIT_MS": "1000"}

    def test_jobs_are_counted_by_verdict(self) -> None:
        before = scrape(self.port)
        for _ in range(3):
            self.service.execute("print(1)")
        self.service.execute("import os; os.abort()")
        self.service.execute("while True: pass", timeout_ms=100)
        for outcome, wanted in (("exited", 3), ("crashed", 1), ("timed_out", 1), ("cancelled", 0)):
            self.assertEqual(self.grown(before, "retort_worker_jobs_total", outcome=outcome), wanted)
        name = "retort_worker_execution_seconds"
        self.assertEqual(self.grown(before, f"{name}_count", **PYTHON), 5)
        self.assertGreaterEqual(self.grown(before, f"{name}_sum", **PYTHON), 0.1)

    def test_slots_and_those_that_are_busy(self) -> None:
        self.assertEqual(scrape(self.port).value("retort_worker_slots", **PYTHON), 2)
        client = self.service.hang_up_after_sending("import time; time.sleep(9)")
        name = "retort_worker_slots_busy"
        wait_until(lambda: scrape(self.port).value(name, **PYTHON) == 1, "a busy slot")
        client.close()
        wait_until(lambda: scrape(self.port).value(name, **PYTHON) == 0, "a free slot")

    def running_job(self) -> str | None:
        return next((key for key in self.service.keys() if ":job:" in key
                     and self.service.redis("HGET", key, "state") == b"running"), None)

    def test_a_result_of_a_job_that_is_anothers_by_now_is_counted_as_refused(self) -> None:
        before = scrape(self.port)
        client = self.service.hang_up_after_sending("import time; time.sleep(0.7)")
        try:
            wait_until(lambda: scrape(self.port).sum("retort_worker_slots_busy") == 1, "it runs")
            job = wait_until(self.running_job, "its record")
            self.service.redis("HINCRBY", job, "epoch", "1")
            wait_until(lambda: self.grown(before, "retort_worker_results_refused_total") == 1,
                       "a refusal")
        finally:
            client.close()

    def test_health_fails_while_the_zygote_boots_and_its_death_is_counted(self) -> None:
        before = scrape(self.port)
        self.assertEqual(ask(self.port, "/healthz").body, b"ok\n")
        seen: list[Response] = []
        ended = threading.Event()

        def look() -> None:
            while not ended.is_set():
                seen.append(ask(self.port, "/healthz"))

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        zygote = self.service.zygote()
        assert zygote is not None
        os.kill(zygote.pid, signal.SIGKILL)
        wait_until(lambda: seen and seen[-1].status == 503, "not healthy", 10)
        self.assertIn(b"No zygote is ready.", next(one for one in seen if one.status == 503).body)
        wait_until(lambda: seen[-1].status == 200, "healthy again", 30)
        ended.set()
        watcher.join(30)
        name = "retort_worker_zygote_restarts_total"
        self.assertEqual(self.grown(before, name, reason="died"), 1)
        self.assertEqual(self.grown(before, name, reason="planned"), 0)

    def test_prometheus_itself_finds_the_page_well_formed(self) -> None:
        page = ask(self.port, "/metrics").body
        done = subprocess.run([promtool(), "check", "metrics", "--extended"], input=page,
                              capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_memory_and_start_are_those_of_the_worker(self) -> None:
        page = scrape(self.port)
        self.assertLess(abs((page.value("process_start_time_seconds") or 0) - time.time()), 600)
        self.assertGreater(page.value("process_resident_memory_bytes") or 0, 1000000)
        self.assertNotIn("retort_jobs_total", page.types)


class Http(WithPort):
    def test_what_is_asked_in_another_way_is_refused(self) -> None:
        head = b" HTTP/1.1\r\nHost: x\r\n\r\n"
        rows = [(b"GET /other" + head, b"404"), (b"POST /metrics" + head, b"405"),
                (b"GET" + head, b"400"), (b"\r\n\r\n", b"400"), (b"GET /metrics\r\n\r\n", b"400"),
                (b"GET /metrics FTP/1.0\r\n\r\n", b"400"),
                (b"GET /" + b"x" * 9000 + head, b"431"), (b"x" * 9000, b"431")]
        for request, status in rows:
            answer = send(self.port, request)
            self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), (request[:40], answer[:80]))
        self.assertEqual(ask(self.port, "/healthz").status, 200)

    def test_head_has_no_body_and_a_query_is_ignored(self) -> None:
        answer = send(self.port, b"HEAD /healthz?now HTTP/1.0\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"))
        self.assertTrue(answer.endswith(b"\r\n\r\n"))

    def test_a_request_in_pieces_and_what_comes_after_it(self) -> None:
        pieces = [bytes([byte]) for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"]
        self.assertTrue(send(self.port, *pieces).endswith(b"\r\n\r\nok\n"))
        twice = b"GET /healthz HTTP/1.1\r\n\r\n" * 2
        self.assertEqual(send(self.port, twice).count(b"HTTP/1.1 200"), 1)

    def test_more_connections_than_there_may_be_push_out_the_oldest(self) -> None:
        clients = [socket.create_connection(("127.0.0.1", self.port), timeout=10)
                   for _ in range(CONNECTIONS + 4)]
        try:
            self.assertEqual(ask(self.port, "/healthz").status, 200)
            self.assertEqual(clients[0].recv(1), b"")
            clients[-1].sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            self.assertTrue(clients[-1].recv(100).startswith(b"HTTP/1.1 200"))
        finally:
            for client in clients:
                client.close()

    def test_who_sends_no_request_is_closed_in_time(self) -> None:
        began = time.monotonic()
        self.assertEqual(send(self.port, b"GET /metrics HTTP/1.1\r\n"), b"")
        self.assertLess(time.monotonic() - began, 8)


class Plan(WithPort):
    settings = {"ZYGOTE_MAX_JOBS": "10"}

    def test_zygotes_that_are_replaced_by_plan_are_told_apart(self) -> None:
        def replaced() -> bool:
            for _ in range(10):
                self.service.execute("print(1)")
            return scrape(self.port).value("retort_worker_zygote_restarts_total",
                                           reason="planned", **PYTHON) != 0
        wait_until(replaced, "a planned replacement", 60)
        self.assertEqual(scrape(self.port).value("retort_worker_zygote_restarts_total",
                                                 reason="died", **PYTHON), 0)


class Trouble(unittest.TestCase):
    def start(self, **settings: str) -> Service:
        service = Service({"SLOTS": "1", **settings})
        self.addCleanup(lambda: self.assertEqual(service.close(), []))
        service.start()
        return service

    def test_without_redis_the_worker_is_healthy_and_says_so(self) -> None:
        port = free_port()
        service = self.start(METRICS_PORT=str(port))
        self.assertEqual(scrape(port).value("retort_worker_redis_up"), 1)
        service.expected_deaths.add("redis")
        os.kill(service.parts["redis"].pid, signal.SIGKILL)
        service.parts["redis"].process.wait(30)
        wait_until(lambda: scrape(port).value("retort_worker_redis_up") == 0, "it is known", 1)
        self.assertEqual(ask(port, "/healthz").status, 200)
        service.start_redis()
        service.expected_deaths.discard("redis")
        wait_until(lambda: scrape(port).value("retort_worker_redis_up") == 1, "it is back")

    def test_a_port_that_is_taken_ends_the_worker_with_a_reason(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            service = self.start()
            part = service.start_worker("second", {"METRICS_PORT": port})
            service.expected_deaths.add("second")
            self.assertEqual(part.process.wait(30), 1)
            self.assertIn("METRICS_PORT " + port, part.log_text())


if __name__ == "__main__":
    unittest.main()
