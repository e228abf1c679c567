"""Malformed requests: each gets a 4xx with a sentence, and the service goes on."""

from __future__ import annotations

import json
import socket
import unittest
from typing import Any

from service import ServiceTest


class Bodies(ServiceTest):
    def test_each_bad_member_is_named(self) -> None:
        cases: list[tuple[Any, list[Any], str]] = [
            ({}, ["body", "code"], "missing"),
            ({"stdin": "x"}, ["body", "code"], "missing"),
            ({"code": None}, ["body", "code"], "string_type"),
            ({"code": 1}, ["body", "code"], "string_type"),
            ({"code": ["x"]}, ["body", "code"], "string_type"),
            ({"code": {"x": 1}}, ["body", "code"], "string_type"),
            ({"code": True}, ["body", "code"], "string_type"),
            ({"code": "1", "stdin": 5}, ["body", "stdin"], "string_type"),
            ({"code": "1", "stdin": ["x"]}, ["body", "stdin"], "string_type"),
            ({"code": "1", "timeout_ms": 0}, ["body", "timeout_ms"], "greater_than"),
            ({"code": "1", "timeout_ms": -1}, ["body", "timeout_ms"], "greater_than"),
            ({"code": "1", "timeout_ms": -10**30}, ["body", "timeout_ms"], "greater_than"),
            ({"code": "1", "timeout_ms": 1.5}, ["body", "timeout_ms"], "int_from_float"),
            ({"code": "1", "timeout_ms": "soon"}, ["body", "timeout_ms"], "int"),
            ({"code": "1", "timeout_ms": [1]}, ["body", "timeout_ms"], "int_type"),
            ({"code": "1\0"}, ["body", "code"], "value_error"),
        ]
        for payload, location, kind in cases:
            with self.subTest(payload):
                response = self.service.post(payload)
                self.assertEqual(response.status, 422, response.body)
                detail = response.json["detail"]
                self.assertEqual([entry["loc"] for entry in detail], [location])
                self.assertTrue(detail[0]["type"].startswith(kind), detail)
                self.assertTrue(detail[0]["msg"])
                param = location[1] if len(location) > 1 else None
                self.assertEqual(response.json["error"],
                                 {"code": "invalid", "retryable": False, "param": param,
                                  "message": f"{param}: {detail[0]['msg']}",
                                  "type": "invalid_request_error"})

    def test_all_faults_are_told_at_once(self) -> None:
        response = self.service.post({"code": 1, "stdin": 2, "timeout_ms": 0})
        self.assertEqual([entry["loc"][-1] for entry in response.json["detail"]],
                         ["code", "stdin", "timeout_ms"])

    def test_bodies_that_are_not_json_objects(self) -> None:
        for body in (b"", b"{", b"nonsense", b"[]", b'"code"', b"1", b"null", b'{"code":"x"',
                     b'{"code":"x"} trailing', b"{'code':'x'}", b'{"code":"x",}', b"\xff\xfe",
                     b'{"code":"\xff"}', b'{"code":"a\nb"}', b"[" * 100000, b'{"code":NaN}',
                     b'{"code":"\\ud800"}', b'{"code":"\\udc00\\ud800"}', b"\0"):
            with self.subTest(body[:40]):
                response = self.service.post(body)
                self.assertIn(response.status, (400, 422), response.body[:300])
                self.assertTrue(response.json["detail"])
                self.assertEqual(set(response.json["error"]),
                                 {"code", "message", "retryable", "type", "param"})

    def test_bad_json_tells_the_position(self) -> None:
        detail = self.service.post(b'{"code": x}').json["detail"]
        self.assertEqual(detail[0]["loc"][0], "body")
        self.assertIsInstance(detail[0]["loc"][1], int)

    def test_deep_nesting_in_an_unknown_member_is_bounded(self) -> None:
        deep = b'{"code":"print(1)","x":' + b"[" * 1000000 + b"]" * 1000000 + b"}"
        self.assertIn(self.service.post(deep).status, (400, 422))

    def test_paths_and_methods(self) -> None:
        for method, path, status in (("GET", "/v1/execute", 405), ("PUT", "/v1/execute", 405),
                                     ("DELETE", "/healthz", 405), ("POST", "/healthz", 405),
                                     ("GET", "/v1/nothing", 404), ("POST", "/", 405),
                                     ("GET", "/v1/execute/", 404), ("GET", "//", 404),
                                     ("GET", "/" + "a" * 5000, 404)):
            with self.subTest(method=method, path=path[:30]):
                response = self.service.request(method, path)
                self.assertEqual(response.status, status)
                if status == 405:
                    self.assertIn("allow", response.headers)

    def test_health(self) -> None:
        self.assertEqual(self.service.request("GET", "/healthz").status, 200)
        self.assertEqual(self.service.request("GET", "/readyz").status, 200)


class Wire(ServiceTest):
    """Bytes that no HTTP client would send."""

    def exchange(self, request: bytes, whole: bool = False) -> bytes:
        """Everything that comes back. What is not a whole request is followed by an end."""
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=20) as connection:
            connection.sendall(request)
            if not whole:
                connection.shutdown(socket.SHUT_WR)
            reply = b""
            while piece := self.receive(connection):
                reply += piece
            return reply

    @staticmethod
    def receive(connection: socket.socket) -> bytes:
        try:
            return connection.recv(65536)
        except ConnectionResetError:
            return b""

    def test_malformed_requests_get_a_4xx_or_a_closed_connection(self) -> None:
        head = b"POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        for request in (b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"\0\0\0\0", b"\x16\x03\x01\x02\x00",
                        b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
                        head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
                        head + b"Content-Length: -1\r\n\r\n", head + b"Content-Length: x\r\n\r\n",
                        head + b"Content-Length: 99999999999999999999\r\n\r\n",
                        head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200000 + b"\r\n\r\n",
                        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
                        b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
                        head + b"Content-Length: 100\r\n\r\n{"):
            with self.subTest(request[:60]):
                reply = self.exchange(request)
                if reply:
                    self.assertRegex(reply, rb"^HTTP/1\.[01] 4\d\d ")
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")

    def test_a_chunked_body_is_understood(self) -> None:
        body = json.dumps({"code": "print(1+1)"}).encode()
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        reply = self.exchange(b"POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                              b"Content-Type: application/json\r\n"
                              b"Transfer-Encoding: chunked\r\n\r\n" + chunks, whole=True)
        self.assertIn(b'"stdout":"2\\n"', reply)

    def test_requests_may_be_pipelined_and_arrive_byte_by_byte(self) -> None:
        body = json.dumps({"code": "print(1+1)"}).encode()
        one = (b"POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        last = one.replace(b"Host: localhost", b"Host: localhost\r\nConnection: close")
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=20) as connection:
            connection.sendall(one + one)
            for byte in last:
                connection.sendall(bytes([byte]))
            reply = b""
            while piece := self.receive(connection):
                reply += piece
        self.assertEqual(reply.count(b'"stdout":"2\\n"'), 3)

    def test_keep_alive_serves_many_requests_on_one_connection(self) -> None:
        connection = self.service.connect()
        for number in range(50):
            answer = self.service.execute(f"print({number})", connection=connection)
            self.assertEqual(answer.stdout, f"{number}\n")
        connection.close()


if __name__ == "__main__":
    unittest.main()
