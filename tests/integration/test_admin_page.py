"""What is served at /admin, and GET /v1/fleet: headers, types, and that nothing leads elsewhere."""

from __future__ import annotations

import json
import os
import re
import signal

from service import REPOSITORY, Response, ServiceTest, wait_until

WEB = REPOSITORY / "api/web"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
KEY = {"Authorization": "Bearer dev_123"}


def rows() -> list[tuple[str, str]]:
    """(name, content type) of api/web.def."""
    text = (REPOSITORY / "api/web.def").read_text("utf-8")
    return re.findall(r'^WEB\(\w+, "([^"]+)", "([^"]+)"\)$', text, re.MULTILINE)


class AdminPage(ServiceTest):
    settings = {"API_KEYS": "dev_123:dev:1000:1000"}

    def get(self, path: str, **headers: str) -> Response:
        return self.service.request("GET", path, None,
                                    {name.replace("_", "-"): text for name, text in headers.items()})

    def test_every_file_is_served_as_it_is_with_its_type_and_without_a_key(self) -> None:
        self.assertEqual({name for name, _ in rows()}, {path.name for path in WEB.iterdir()})
        for name, content_type in rows():
            with self.subTest(name):
                answer = self.get("/admin" if name == "index.html" else f"/admin/{name}")
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.body, (WEB / name).read_bytes())
                self.assertEqual(answer.headers["content-type"], content_type)
                self.assertEqual(content_type, TYPES[(WEB / name).suffix])

    def test_the_policy_allows_this_server_and_nothing_within_the_page(self) -> None:
        for path in ("/admin", "/admin/main.js", "/admin/icon.svg"):
            headers = self.get(path).headers
            policy = headers["content-security-policy"]
            self.assertIn("default-src 'self';", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")

    def test_who_has_a_file_gets_304(self) -> None:
        first = self.get("/admin/style.css")
        self.assertEqual(first.headers["cache-control"], "no-cache")
        again = self.get("/admin/style.css", If_None_Match=first.headers["etag"])
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(again.headers["etag"], first.headers["etag"])
        other = self.get("/admin/main.js", If_None_Match=first.headers["etag"])
        self.assertEqual(other.status, 200)

    def test_what_is_no_file_of_the_page_is_404(self) -> None:
        for name in ("none.js", "..", ".", "index.html", "main.js.map", "a/main.js"):
            self.assertEqual(self.get(f"/admin/{name}").status, 404, name)

    def test_the_sources_name_no_other_place_and_import_only_what_is_served(self) -> None:
        served = {name for name, _ in rows()}
        for path in WEB.iterdir():
            text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            self.assertNotRegex(text, r"(?:https?:)?//[a-z0-9-]+\.", path.name)
            self.assertNotRegex(text, r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(",
                                path.name)
            for module in re.findall(r'from "\./([^"]+)"', text):
                self.assertIn(module, served, path.name)
        page = (WEB / "index.html").read_text("utf-8")
        self.assertNotRegex(page, r"<style|style=|<script[^>]*>[^<]|\son[a-z]+=")
        for name in re.findall(r'(?:src|href)="admin/([^"]+)"', page):
            self.assertIn(name, served)

    def test_the_page_learns_what_it_needs_before_it_has_a_key(self) -> None:
        about = self.get("/admin/about").json
        self.assertIs(about["key_required"], True)
        self.assertEqual(about["languages"], ["python"])


class Fleet(ServiceTest):
    settings = {"API_KEYS": "dev_123:dev:1000:1000", "API_PROCESSES": "2", "SLOTS": "2"}

    def fleet(self) -> dict:
        answer = self.service.request("GET", "/v1/fleet", None, KEY)
        self.assertEqual(answer.status, 200)
        return answer.json

    def execute(self, code: str, **members: object) -> Response:
        return self.service.request("POST", "/v1/execute", json.dumps({"code": code, **members}).encode(),
                                    {**KEY, "Content-Type": "application/json"})

    def test_it_wants_a_key(self) -> None:
        self.assertEqual(self.service.request("GET", "/v1/fleet").status, 401)

    def test_it_shows_workers_with_their_slots(self) -> None:
        wait_until(lambda: self.fleet()["languages"][0]["slots"] == 2, "slots are known")
        worker, = self.fleet()["workers"]
        self.assertEqual((worker["state"], worker["languages"]),
                         ("serving", [{"name": "python", "slots": 2, "busy": 0}]))
        self.assertLess(worker["beat_age_ms"], 5000)
        self.assertIs(self.fleet()["redis_up"], True)

    def test_failures_are_listed_newest_first_whichever_process_answers(self) -> None:
        self.assertEqual(self.execute("print(1)").status, 200)
        self.assertEqual(self.execute("while True: pass", limits={"cpu_ms": 100}).status, 200)
        self.assertEqual(self.execute("while True: pass", timeout_ms=100).status, 200)
        for _ in range(6):
            failures = self.fleet()["failures"]
            self.assertEqual([one["outcome"] for one in failures[:2]], ["timed_out", "cpu_limit"])
            self.assertGreater(failures[0]["exec_ms"], 90)
        latency = self.fleet()["latency"]
        self.assertEqual(len(latency["total"]), len(latency["bounds_ms"]) + 1)
        self.assertGreaterEqual(sum(latency["execution"]), 3)
        counts = {one["outcome"]: one["count"] for one in self.fleet()["jobs"]}
        self.assertGreaterEqual(counts["exited"], 1)

    def test_only_the_last_failures_are_kept(self) -> None:
        for _ in range(34):
            self.execute("while True: pass", timeout_ms=1)
        self.assertEqual(len(self.fleet()["failures"]), 32)


class Lost(ServiceTest):
    def test_a_worker_that_is_not_heard_of_is_lost(self) -> None:
        self.service.expected_deaths.add("worker")
        os.killpg(self.service.parts["worker"].pid, signal.SIGKILL)
        states = lambda: [one["state"] for one in self.service.request("GET", "/v1/fleet").json["workers"]]
        wait_until(lambda: states() == ["lost"], "the worker is told to be lost", 10)
        wait_until(lambda: self.service.request("GET", "/v1/fleet").json["languages"][0]["workers"] == 0,
                   "and not counted", 10)

    def test_without_redis_the_rest_is_told(self) -> None:
        self.service.expected_deaths.add("redis")
        os.killpg(self.service.parts["redis"].pid, signal.SIGKILL)
        wait_until(lambda: self.service.request("GET", "/v1/fleet").json["redis_up"] is False,
                   "it says that Redis is away")
        self.assertEqual(self.service.request("GET", "/v1/fleet").json["workers"], [])
