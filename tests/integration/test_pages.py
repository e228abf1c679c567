"""/docs and /redoc: in a real browser, and by what their answers say."""

from __future__ import annotations

import gzip
import unittest

from browser import Browser
from service import ServiceTest

PAGES = ("/docs", "/redoc")
LOADED = ("/openapi.json", "/docs/start.js", "/docs/swagger-ui.js", "/docs/swagger-ui.css",
          "/redoc/start.js", "/redoc/redoc.js")
POLICY = ("default-src 'none'", "script-src 'self';", "connect-src 'self'", "base-uri 'none'",
          "frame-ancestors 'none'")


class Answers(ServiceTest):
    def test_each_is_the_same_packed_and_not(self) -> None:
        for path in PAGES + LOADED:
            with self.subTest(path):
                plain = self.service.request("GET", path)
                packed = self.service.request("GET", path, headers={"Accept-Encoding": "gzip"})
                self.assertEqual((plain.status, packed.status), (200, 200))
                self.assertNotIn("content-encoding", plain.headers)
                self.assertEqual(packed.headers["content-encoding"], "gzip")
                self.assertEqual(gzip.decompress(packed.body), plain.body)
                for answer in (plain, packed):
                    self.assertEqual(answer.headers["vary"], "Accept-Encoding")
                    self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
                    for part in POLICY:
                        self.assertIn(part, answer.headers["content-security-policy"])

    def test_the_policy_lets_nothing_in_that_is_written_in_a_page(self) -> None:
        policy = self.service.request("GET", "/docs").headers["content-security-policy"]
        for hole in ("unsafe-inline", "unsafe-eval", "unsafe-hashes", "http:", "https:", "*", "blob:"):
            self.assertNotIn(hole, policy)
        for path in PAGES:
            body = self.service.request("GET", path).body.decode()
            self.assertNotIn("style=", body)
            self.assertNotIn("<style", body)
            self.assertEqual(body.count("<script"), body.count("<script src="))
            self.assertNotIn("//", body.replace("<!doctype", ""))


class InABrowser(ServiceTest):
    def setUp(self) -> None:
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def open(self, path: str) -> None:
        self.browser.open(f"http://127.0.0.1:{self.service.port}{path}")

    def assert_clean(self) -> None:
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.browser.hosts(), {"127.0.0.1"})

    def test_docs_shows_every_operation_and_runs_one(self) -> None:
        self.open("/docs")
        paths = self.service.request("GET", "/openapi.json").json["paths"]
        self.browser.wait(f"document.querySelectorAll('.opblock').length >= {len(paths)}",
                          "the operations")
        self.browser.run("document.querySelector('#operations-execute-execute button').click()")
        self.browser.wait("document.querySelector('.try-out__btn')", "the button to try")
        self.browser.run("document.querySelector('.try-out__btn').click()")
        self.browser.wait("document.querySelector('.btn.execute')", "the button to send")
        self.browser.run("document.querySelector('.btn.execute').click()")
        self.browser.wait("document.querySelector('.live-responses-table .response-col_status')",
                          "the answer")
        self.assertIn("exited", self.browser.text())
        self.assert_clean()

    def test_redoc_shows_every_operation(self) -> None:
        self.open("/redoc")
        self.browser.wait("document.body.innerText.includes('/v1/cancel')", "the operations")
        self.browser.run("window.scrollTo(0, document.body.scrollHeight)")
        self.browser.wait("document.querySelectorAll('[data-section-id]').length > 5", "sections")
        self.assertGreater(self.browser.run(
            "return getComputedStyle(document.querySelector('.menu-content')).width"), "100")
        self.assert_clean()


if __name__ == "__main__":
    unittest.main()
