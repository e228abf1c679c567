"""Answers in gzip: who asks gets it where it is worth it, and the same bytes come out."""

from __future__ import annotations

import gzip
import json
import unittest

from service import Response, ServiceTest

LARGE = "print('x' * 20000)"
HUGE = "import random; print(''.join(random.choices('ab', k=3000000)))"
PACKED = {"Accept-Encoding": "gzip"}


class Gzip(ServiceTest):
    settings = {"MAX_OUTPUT_BYTES": "4000000"}

    def run_code(self, code: str, headers: dict[str, str]) -> Response:
        body = json.dumps({"code": code}).encode()
        return self.service.request("POST", "/v1/execute", body,
                                    {"Content-Type": "application/json", **headers})

    def test_a_large_answer_is_packed_for_those_who_ask(self) -> None:
        for wish, packed in (("gzip", True), ("br, gzip;q=0.5", True), ("*", True),
                             ("gzip;q=0", False), ("identity", False), ("br", False)):
            answer = self.run_code(LARGE, {"Accept-Encoding": wish})
            self.assertEqual(answer.headers.get("content-encoding"), "gzip" if packed else None)
            self.assertEqual(answer.headers["vary"], "Accept-Encoding")
            self.assertEqual(int(answer.headers["content-length"]), len(answer.body))
            body = gzip.decompress(answer.body) if packed else answer.body
            self.assertEqual(json.loads(body)["stdout"], "x" * 20000 + "\n")
            self.assertEqual(len(answer.body) < 1000, packed)

    def test_a_small_answer_is_never_packed(self) -> None:
        answer = self.run_code("print(1)", PACKED)
        self.assertNotIn("content-encoding", answer.headers)
        self.assertNotIn("accept-encoding", answer.headers.get("vary", "").lower())

    def test_what_would_hold_up_others_is_sent_as_it_is(self) -> None:
        answer = self.run_code(HUGE, PACKED)
        self.assertNotIn("content-encoding", answer.headers)
        self.assertEqual(len(json.loads(answer.body)["stdout"]), 3000001)

    def test_an_error_is_packed_too(self) -> None:
        unknown = json.dumps({"code": "1", "limits": {f"n{i}": 1 for i in range(200)}}).encode()
        answer = self.service.request("POST", "/v1/execute", unknown,
                                      {"Content-Type": "application/json", **PACKED})
        self.assertEqual((answer.status, answer.headers["content-encoding"]), (422, "gzip"))
        self.assertEqual(len(json.loads(gzip.decompress(answer.body))["detail"]), 100)


if __name__ == "__main__":
    unittest.main()
