"""The API's /metrics: the numbers are those of what clients did."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import threading
import time
import unittest

from prometheus import Page
from promtool import promtool
from service import Response, Service, ServiceTest, descendants, wait_until

PYTHON = {"language": "python"}
HISTOGRAMS = ("retort_job_queue_seconds", "retort_job_execution_seconds",
              "retort_job_total_seconds")


def scrape(service: Service) -> Page:
    answer = service.request("GET", "/metrics")
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Page(answer.body.decode("utf-8"))


class Requests(threading.Thread):
    """A request on its way."""

    def __init__(self, service: Service, code: str) -> None:
        super().__init__(daemon=True)
        self.service, self.code = service, code
        self.response: Response | None = None
        self.start()

    def run(self) -> None:
        self.response = self.service.post({"code": self.code})


# What a program does -> the outcome that is counted.
PROGRAMS = {
    "print(1)": "exited",
    "import sys; sys.exit(3)": "exited",
    "import time; time.sleep(9)": "timed_out",
    "while True: pass": "cpu_limit",
    "x = bytearray(1 << 30)": "memory_limit",
    "import os; os.abort()": "crashed",
}
ROUNDS = 3


class Jobs(ServiceTest):
    settings = {"SLOTS": "2", "MAX_EXEC_TIMEOUT_MS": "9000", "CPU_TIME_LIMIT_SEC": "1",
                "MAX_OUTPUT_BYTES": "100", "MAX_IN_FLIGHT": "4"}

    def test_every_verdict_is_counted_and_the_histograms_have_each_job(self) -> None:
        before = scrape(self.service)
        for _ in range(ROUNDS):
            for code, outcome in PROGRAMS.items():
                timeout_ms = 1500 if "sleep" in code else 9000
                answer = self.service.execute(code, timeout_ms=timeout_ms)
                self.assertEqual(answer.verdict, outcome, code)
        after = scrape(self.service)
        for outcome in set(PROGRAMS.values()):
            wanted = ROUNDS * list(PROGRAMS.values()).count(outcome)
            grown = (after.sum("retort_jobs_total", outcome=outcome)
                     - before.sum("retort_jobs_total", outcome=outcome))
            self.assertEqual(grown, wanted, outcome)
        for name in HISTOGRAMS:
            counts = [page.value(f"{name}_count", **PYTHON) or 0 for page in (before, after)]
            self.assertEqual(counts[1] - counts[0], ROUNDS * len(PROGRAMS), name)
            self.assertEqual(after.value(f"{name}_bucket", le="+Inf", **PYTHON), counts[1])
        self.assert_times(before, after)

    def assert_times(self, before: Page, after: Page) -> None:
        """Each round sleeps for 1.5 s and computes for 1 s."""
        spent = {name: (after.value(f"{name}_sum", **PYTHON) or 0)
                 - (before.value(f"{name}_sum", **PYTHON) or 0) for name in HISTOGRAMS}
        self.assertGreater(spent["retort_job_execution_seconds"], 2.4 * ROUNDS)
        self.assertGreaterEqual(spent["retort_job_total_seconds"],
                                spent["retort_job_execution_seconds"])
        name = "retort_job_execution_seconds_bucket"
        slow = [(page.value(name, le="+Inf", **PYTHON) or 0)
                - (page.value(name, le="0.5", **PYTHON) or 0) for page in (before, after)]
        self.assertGreaterEqual(slow[1] - slow[0], 2 * ROUNDS)

    def test_dropped_output_is_counted_by_stream(self) -> None:
        before = scrape(self.service)
        self.service.execute("import sys; print('x' * 149); sys.stderr.write('y' * 107)")
        after = scrape(self.service)
        for stream, wanted in (("stdout", 50), ("stderr", 7)):
            name = "retort_output_dropped_bytes_total"
            grown = after.sum(name, stream=stream) - before.sum(name, stream=stream)
            self.assertEqual(grown, wanted, stream)

    def test_requests_are_counted_by_route_method_and_status(self) -> None:
        name = "retort_http_requests_total"
        rows = [("GET", "/healthz", b"", "/healthz", "200"),
                ("HEAD", "/healthz", b"", "/healthz", "200"),
                ("GET", "/nowhere?a=b", b"", "other", "404"),
                ("POST", "/v1/execute", b"{}", "/v1/execute", "422"),
                ("GET", "/v1/execute", b"", "other", "405")]
        before = scrape(self.service)
        for method, path, body, _, status in rows:
            headers = {"Content-Type": "application/json"} if body else {}
            answer = self.service.request(method, path, body or None, headers)
            self.assertEqual(str(answer.status), status)
        after = scrape(self.service)
        for method, _, _, route, status in rows:
            labels = {"route": route, "method": method, "status": status}
            self.assertEqual(after.sum(name, **labels) - before.sum(name, **labels), 1, labels)
        self.assertEqual(after.sum(name) - before.sum(name), len(rows) + 1)

    def test_a_client_that_hangs_up_is_counted_as_cancelled(self) -> None:
        before = scrape(self.service)
        client = self.service.hang_up_after_sending("import time; time.sleep(9)")
        wait_until(lambda: scrape(self.service).value("retort_requests_in_flight") == 1, "a request")
        client.close()
        wait_until(lambda: scrape(self.service).value("retort_requests_in_flight") == 0, "none")
        after = scrape(self.service)
        for name, labels in (("retort_jobs_total", {"outcome": "cancelled"}),
                             ("retort_http_requests_total", {"status": "499"})):
            self.assertEqual(after.sum(name, **labels) - before.sum(name, **labels), 1, name)

    def test_requests_in_flight_and_refused_ones(self) -> None:
        before = scrape(self.service)
        waiting = [Requests(self.service, "import time; time.sleep(1)") for _ in range(4)]
        wait_until(lambda: scrape(self.service).value("retort_requests_in_flight") == 4, "four")
        self.assertEqual(self.service.post({"code": "print(1)"}).status, 503)
        for one in waiting:
            one.join(30)
            assert one.response is not None
            self.assertEqual(one.response.status, 200)
        after = scrape(self.service)
        self.assertEqual(after.value("retort_requests_in_flight"), 0)
        self.assertEqual(after.sum("retort_jobs_total", outcome="queue_full")
                         - before.sum("retort_jobs_total", outcome="queue_full"), 1)

    def test_prometheus_itself_finds_the_page_well_formed(self) -> None:
        page = self.service.request("GET", "/metrics").body
        done = subprocess.run([promtool(), "check", "metrics", "--extended"], input=page,
                              capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_connections_are_those_that_are_open(self) -> None:
        before = scrape(self.service).value("retort_connections") or 0
        clients = [self.service.connect() for _ in range(5)]
        for client in clients:
            client.connect()
        wait_until(lambda: scrape(self.service).value("retort_connections") == before + 5, "five")
        for client in clients:
            client.close()
        wait_until(lambda: scrape(self.service).value("retort_connections") == before, "none")

    def test_nothing_of_a_client_is_on_the_page(self) -> None:
        self.service.request("GET", "/secret-path", headers={"X-Request-ID": "secret-id"})
        self.service.execute("print('secret-program')")
        self.assertNotIn(b"secret", self.service.request("GET", "/metrics").body)

    def test_memory_and_start_are_those_of_the_process(self) -> None:
        page = scrape(self.service)
        self.assertLess(abs((page.value("process_start_time_seconds") or 0) - time.time()), 600)
        self.assertGreater(page.value("process_resident_memory_bytes") or 0, 1000000)
        self.assertEqual(page.value("retort_redis_up"), 1)


class FullQueue(ServiceTest):
    settings = {"SLOTS": "1", "MAX_QUEUE_DEPTH": "2", "MAX_EXEC_TIMEOUT_MS": "3000"}

    def test_a_full_queue_counts(self) -> None:
        calls = [Requests(self.service, "import time; time.sleep(0.5)") for _ in range(10)]
        for call in calls:
            call.join(30)
        statuses = [call.response.status for call in calls if call.response]
        page = scrape(self.service)
        refused = statuses.count(503)
        self.assertGreater(refused, 0)
        self.assertEqual(page.sum("retort_jobs_total", outcome="queue_full"), refused)
        self.assertEqual(page.sum("retort_jobs_total", outcome="exited"), statuses.count(200))
        self.assertEqual(page.value("retort_http_requests_total", route="/v1/execute",
                                    method="POST", status="503"), refused)


class Trouble(unittest.TestCase):
    settings = {"SLOTS": "1", "MAX_QUEUE_WAIT_MS": "1000", "MAX_EXEC_TIMEOUT_MS": "1000"}

    def setUp(self) -> None:
        self.service = Service(self.settings)
        self.addCleanup(lambda: self.assertEqual(self.service.close(), []))
        self.service.start()

    def kill(self, name: str) -> None:
        self.service.expected_deaths.add(name)
        os.kill(self.service.parts[name].pid, signal.SIGKILL)
        self.service.parts[name].process.wait(30)

    def test_without_redis_the_page_says_so(self) -> None:
        self.kill("redis")
        wait_until(lambda: scrape(self.service).value("retort_redis_up") == 0, "a page", 1)
        self.assertEqual(self.service.post({"code": "print(1)"}).status, 503)
        self.assertEqual(scrape(self.service).sum("retort_jobs_total", outcome="unavailable"), 1)
        self.assertIsNone(scrape(self.service).value("retort_workers", **PYTHON))
        self.service.start_redis()
        self.service.expected_deaths.discard("redis")
        wait_until(lambda: scrape(self.service).value("retort_redis_up") == 1, "it is back")
        wait_until(lambda: scrape(self.service).value("retort_workers", **PYTHON) == 1, "a worker")

    def test_a_job_that_nobody_takes_is_in_the_queue_times(self) -> None:
        self.kill("worker")
        self.assertEqual(self.service.post({"code": "print(1)"}).status, 504)
        page = scrape(self.service)
        self.assertEqual(page.sum("retort_jobs_total", outcome="queue_timeout"), 1)
        self.assertGreaterEqual(page.value("retort_job_queue_seconds_sum", **PYTHON) or 0, 1)


class Fleet(unittest.TestCase):
    settings = {"SLOTS": "2", "MAX_EXEC_TIMEOUT_MS": "4000"}
    NAMES = ("retort_workers", "retort_slots", "retort_slots_busy", "retort_queue_depth")

    def setUp(self) -> None:
        self.service = Service(self.settings)
        self.addCleanup(lambda: self.assertEqual(self.service.close(), []))
        self.service.start()

    def wait_for(self, *values: int, timeout_s: float = 5) -> None:
        """Workers, slots, busy ones, depth."""
        def seen() -> tuple[float | None, ...]:
            page = scrape(self.service)
            return tuple(page.value(name, **PYTHON) for name in self.NAMES)
        wait_until(lambda: seen() == values, f"{values}", timeout_s)

    def test_workers_slots_and_depth_are_those_of_all_hosts(self) -> None:
        self.wait_for(1, 2, 0, 0)
        self.service.start_worker("second", {"SLOTS": "1"})
        self.wait_for(2, 3, 0, 0)
        calls = [Requests(self.service, "import time; time.sleep(3)") for _ in range(5)]
        self.wait_for(2, 3, 3, 2)
        for call in calls:
            call.join(30)
        self.wait_for(2, 3, 0, 0)

    def test_what_nobody_understands_is_a_dead_letter(self) -> None:
        self.wait_for(1, 2, 0, 0)
        self.assertEqual(scrape(self.service).value("retort_dead_letters"), 0)
        self.service.redis("LPUSH", "retort:queue:python", b"no element")
        wait_until(lambda: scrape(self.service).value("retort_dead_letters") == 1, "a dead letter")

    def test_jobs_of_a_dead_worker_are_counted_as_retried_and_lost(self) -> None:
        call = Requests(self.service, "import time; time.sleep(4)")
        self.wait_for(1, 2, 1, 0)
        self.service.expected_deaths.add("worker")
        os.kill(self.service.parts["worker"].pid, signal.SIGKILL)
        self.service.parts["worker"].process.wait(30)
        wait_until(lambda: scrape(self.service).value("retort_jobs_retried_total") == 1,
                   "it is put back", 10)
        self.service.start_worker()
        self.service.expected_deaths.discard("worker")
        call.join(30)
        assert call.response is not None
        self.assertEqual(call.response.status, 200, call.response.body)
        self.assertEqual(scrape(self.service).value("retort_jobs_lost_total"), 0)


class Processes(unittest.TestCase):
    """Whichever of several processes answers, the numbers are those of all."""

    JOBS = 60

    def test_counters_are_common_and_those_that_die_take_their_gauges_along(self) -> None:
        service = Service({"SLOTS": "2", "API_PROCESSES": "3"})
        self.addCleanup(lambda: self.assertEqual(service.close(), []))
        service.start()
        for _ in range(self.JOBS):  # each on a connection of its own
            service.execute("print(1)")
        for _ in range(10):
            page = scrape(service)
            self.assertEqual(page.sum("retort_jobs_total", outcome="exited"), self.JOBS)
            self.assertEqual(page.value("retort_job_total_seconds_count", **PYTHON), self.JOBS)
            self.assertEqual(page.value("retort_redis_up"), 1)
        clients = [service.connect() for _ in range(30)]
        try:
            for client in clients:
                client.connect()
            self.wait_for_connections(service, len(clients) + 1)
            for process in descendants(service.parts["api"].pid):
                os.kill(process.pid, signal.SIGKILL)
            self.wait_for_connections(service, 1)
            page = scrape(service)
            self.assertEqual(page.sum("retort_jobs_total", outcome="exited"), self.JOBS)
        finally:
            for client in clients:
                client.close()

    def wait_for_connections(self, service: Service, wanted: int) -> None:
        def seen() -> bool:
            try:
                return scrape(service).value("retort_connections") == wanted
            except (OSError, http.client.HTTPException):
                return False  # nobody answers for a moment
        wait_until(seen, f"{wanted} connections", 20)


class Load(ServiceTest):
    settings = {"SLOTS": "2"}
    JOBS = 150

    def median_ms(self) -> float:
        times = []
        connection = self.service.connect()
        try:
            for _ in range(self.JOBS):
                began = time.monotonic()
                self.service.execute("print(1)", connection=connection)
                times.append(time.monotonic() - began)
        finally:
            connection.close()
        return sorted(times)[self.JOBS // 2] * 1000

    def scrape_until(self, stop: threading.Event, connection: http.client.HTTPConnection) -> None:
        while not stop.wait(0.05):
            Page(self.service.request("GET", "/metrics", connection=connection).body.decode())

    def test_scraping_does_not_slow_jobs(self) -> None:
        """Twenty times a second, 300 times as often as Prometheus; five tries on a busy machine."""
        for _ in range(5):
            alone = self.median_ms()
            stop = threading.Event()
            scraper = threading.Thread(target=self.scrape_until, daemon=True,
                                       args=(stop, self.service.connect()))
            scraper.start()
            beside = self.median_ms()
            stop.set()
            scraper.join(30)
            if beside < alone * 1.2:
                return
        self.fail(f"median {alone:.2f} ms, beside scrapes {beside:.2f} ms")


if __name__ == "__main__":
    unittest.main()
