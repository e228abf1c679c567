"""Pages of other origins: what their browser is told, and what a real one then lets them do."""

from __future__ import annotations

import functools
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import unittest

from browser import Browser
from service import BUILD, Response, ServiceTest

LISTED, OTHER, LOCAL = "https://app.example", "https://evil.example", "http://localhost:3000"
ASKED = {"Access-Control-Request-Method": "POST",
         "Access-Control-Request-Headers": "authorization,content-type"}
JSON_PATHS = ("/v1/execute", "/execute", "/api/v1/execute", "/v1/cancel")
# A promise of [status, what was answered], or of the browser's refusal.
FETCH = """fetch(arguments[0], {method: 'POST', body: arguments[1],
                  headers: {'Content-Type': 'application/json', ...arguments[2]}})
           .then(async answer => [answer.status, await answer.text(),
                                  answer.headers.get('X-Request-ID')])"""


class CorsTest(ServiceTest):
    def from_origin(self, origin: str | None, method: str = "GET", path: str = "/healthz",
                    **headers: str) -> Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.service.request(method, path, None,
                                    given if origin is None else {"Origin": origin, **given})

    def allowed(self, answer: Response) -> str | None:
        self.assertNotIn("access-control-allow-credentials", answer.headers)
        return answer.headers.get("access-control-allow-origin")

    def preflight(self, origin: str, path: str) -> Response:
        return self.service.request("OPTIONS", path, None, {"Origin": origin, **ASKED})


class WithoutKeys(CorsTest):
    settings = {"CORS_ORIGINS": LISTED}

    def test_pages_of_this_machine_may_ask_and_no_others(self) -> None:
        for origin in (LOCAL, "http://127.0.0.1", "http://[::1]:8080", "https://localhost"):
            self.assertEqual(self.allowed(self.from_origin(origin)), origin)
        for origin in (LISTED, OTHER, "null", "http://localhost.evil.example", "file://",
                       "http://127.0.0.1.evil.example"):
            self.assertIsNone(self.allowed(self.from_origin(origin)))
        self.assertEqual(self.from_origin(None).headers["vary"], "Origin")

    def test_a_preflight_tells_the_methods_of_the_path(self) -> None:
        for path in JSON_PATHS:
            answer = self.preflight(LOCAL, path)
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertEqual(self.allowed(answer), LOCAL)
            self.assertEqual(answer.headers["access-control-allow-methods"], "POST, OPTIONS")
            for header in ("Authorization", "Content-Type", "X-Request-ID", "Idempotency-Key"):
                self.assertIn(header, answer.headers["access-control-allow-headers"])
            self.assertGreater(int(answer.headers["access-control-max-age"]), 0)
            refused = self.preflight(OTHER, path)
            self.assertIsNone(self.allowed(refused))
            self.assertNotIn("access-control-allow-methods", refused.headers)
        self.assertEqual(self.preflight(LOCAL, "/nowhere").status, 404)

    def test_options_that_is_no_preflight_says_nothing_of_methods(self) -> None:
        answer = self.from_origin(LOCAL, "OPTIONS", "/v1/execute")
        self.assertEqual(answer.headers["allow"], "POST, OPTIONS")
        self.assertNotIn("access-control-allow-methods", answer.headers)

    def test_errors_can_be_read_too(self) -> None:
        for path, status in (("/nowhere", 404), ("/v1/execute", 405)):
            answer = self.from_origin(LOCAL, "GET", path)
            self.assertEqual((answer.status, self.allowed(answer)), (status, LOCAL))
            self.assertIn("X-Request-ID", answer.headers["access-control-expose-headers"])


class WithKeys(CorsTest):
    settings = {"API_KEYS": "dev_123:dev:1000:1000", "CORS_ORIGINS": f"{LISTED},http://other.example:81"}

    def test_those_of_the_setting_may_ask_and_no_others(self) -> None:
        for origin in (LISTED, "http://other.example:81"):
            self.assertEqual(self.allowed(self.from_origin(origin)), origin)
            refused = self.from_origin(origin, "POST", "/v1/execute",
                                       Content_Type="application/json", Content_Length="0")
            self.assertEqual((refused.status, self.allowed(refused)), (401, origin))
        for origin in (LOCAL, OTHER, LISTED + ":8443", "http://app.example", LISTED.upper(),
                       LISTED[:-1], "https://"):
            self.assertIsNone(self.allowed(self.from_origin(origin)))

    def test_a_preflight_needs_no_key(self) -> None:
        self.assertEqual(self.allowed(self.preflight(LISTED, "/v1/execute")), LISTED)


class Everybody(CorsTest):
    settings = {"API_KEYS": "dev_123:dev:1000:1000", "CORS_ORIGINS": "*"}

    def test_a_star_is_for_all_and_does_not_vary(self) -> None:
        answer = self.from_origin(OTHER)
        self.assertEqual(self.allowed(answer), "*")
        self.assertNotIn("vary", answer.headers)


class Nobody(CorsTest):
    settings = {"API_KEYS": "dev_123:dev:1000:1000"}

    def test_no_page_may_ask_by_default(self) -> None:
        for origin in (LOCAL, LISTED):
            self.assertIsNone(self.allowed(self.from_origin(origin)))
            self.assertIsNone(self.allowed(self.preflight(origin, "/v1/execute")))


class Settings(unittest.TestCase):
    def test_what_is_no_origin_is_refused_at_the_start(self) -> None:
        for value in ("example.org", "https://example.org/", "https://", "*,https://a.example",
                      "https://A.example", "https://a.example/x", "null"):
            with self.subTest(value):
                ran = subprocess.run([BUILD / "retort-api"], capture_output=True, text=True, timeout=20,
                                     env={"CORS_ORIGINS": value, "PORT": "0",
                                          "REDIS_URL": "unix:///nonexistent"})
                self.assertNotEqual(ran.returncode, 0)
                self.assertIn("CORS_ORIGINS", ran.stderr)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class InABrowser(CorsTest):
    """The page is of another origin: another port, and for one of them another name."""
    settings = {"API_KEYS": "dev_123:dev:1000:1000", "CORS_ORIGINS": "http://placeholder.example"}

    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory(prefix="retort-page-")
        cls.addClassCleanup(directory.cleanup)
        (pathlib.Path(directory.name) / "page.html").write_text("<!doctype html><title>x</title>")
        cls.pages = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=directory.name))
        cls.addClassCleanup(cls.pages.server_close)
        cls.addClassCleanup(cls.pages.shutdown)
        threading.Thread(target=cls.pages.serve_forever, daemon=True).start()
        cls.origin = f"http://127.0.0.1:{cls.pages.server_port}"
        cls.settings = {**cls.settings, "CORS_ORIGINS": cls.origin}
        super().setUpClass()

    def test_a_page_of_a_listed_origin_runs_programs_and_another_does_not(self) -> None:
        api = f"http://127.0.0.1:{self.service.port}/v1/execute"
        body = json.dumps({"code": "print(6 * 7)"})
        with Browser() as browser:
            browser.open(f"{self.origin}/page.html")
            status, text, request_id = browser.run_async(
                FETCH, api, body, {"Authorization": "Bearer dev_123", "X-Request-ID": "from-a-page"})
            self.assertEqual((status, json.loads(text)["stdout"], request_id),
                             (200, "42\n", "from-a-page"))
            status, text, _ = browser.run_async(FETCH, api, body, {"Authorization": "Bearer wrong"})
            self.assertEqual((status, json.loads(text)["error"]["code"]), (401, "unauthorized"))
            browser.open(f"http://localhost:{self.pages.server_port}/page.html")
            refused = browser.run_async(FETCH, api, body, {"Authorization": "Bearer dev_123"})
            self.assertIn("TypeError", refused)
        ran = [line for line in self.service.log_lines("api")
               if line.get("path") == "/v1/execute" and line.get("method") == "POST"]
        self.assertEqual([line["status"] for line in ran], [200, 401])


if __name__ == "__main__":
    unittest.main()
