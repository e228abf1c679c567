"""Each row of the table of routes, over sockets: methods, lengths, types, headers, broken bodies."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import unittest

from route_table import Route, methods, routes
from service import ServiceTest

KEY = b"Authorization: Bearer dev_123"
BODY_ROUTES = [route for route in routes() if route.takes_body]
TYPES = {"json": b"application/json", "multipart": b"multipart/form-data; boundary=x"}
# What is asked of a program must not matter to what is asked of a message.
BROKEN_CHUNKS = {
    "no size": b"\r\nabc\r\n0\r\n\r\n", "a size that is no number": b"xyz\r\n",
    "a negative size": b"-1\r\nabc\r\n0\r\n\r\n", "a signed size": b"+3\r\nabc\r\n0\r\n\r\n",
    "a size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n", "a size beyond 64 bits": b"f" * 17 + b"\r\n",
    "more than its size": b"2\r\nabc\r\n0\r\n\r\n", "NUL in the size": b"3\0\r\nabc\r\n0\r\n\r\n",
    "a bare line feed": b"3\nabc\n0\n\n", "no line end behind it": b"3\r\nabc0\r\n\r\n",
}
LENGTHS = {
    "two that differ": (b"Content-Length: 2", b"Content-Length: 3"),
    "two alike": (b"Content-Length: 2", b"Content-Length: 2"),
    "a list": (b"Content-Length: 2, 2",), "none at all": (b"Content-Length:",),
    "a sign": (b"Content-Length: +2",), "negative": (b"Content-Length: -2",),
    "hexadecimal": (b"Content-Length: 0x2",), "a fraction": (b"Content-Length: 2.0",),
    "beyond 64 bits": (b"Content-Length: 18446744073709551616",),
    "length, then chunks": (b"Content-Length: 2", b"Transfer-Encoding: chunked"),
    "chunks, then length": (b"Transfer-Encoding: chunked", b"Content-Length: 2"),
    "NUL in it": (b"Content-Length: 2\0",), "another coding": (b"Transfer-Encoding: gzip",),
    "chunked and not last": (b"Transfer-Encoding: chunked, identity",),
    "chunked twice": (b"Transfer-Encoding: chunked, chunked",),
}
DEEP, LONG = 100_000, 1_000_000
TORTURE = {
    "nothing": b"", "NUL": b"\0", "white space": b" \n\t ", "a BOM": b"\xef\xbb\xbf{}",
    "UTF-16": '{"code": "1"}'.encode("utf-16"), "deep arrays": b"[" * DEEP,
    "deep objects": b'{"code":' * DEEP, "closed deep arrays": b"[" * DEEP + b"]" * DEEP,
    "deep in a member": b'{"code":"1","id":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "a repeated member": b'{"code":"1","code":"2","id":"x","id":"y"}',
    "a member repeated by escape": b'{"code":"1","\\u0063ode":"2"}',
    "a lone high surrogate": b'{"code":"\\ud800"}', "a lone low surrogate": b'{"code":"\\udc00"}',
    "surrogates the wrong way": b'{"code":"\\udc00\\ud800"}',
    "surrogates as UTF-8": b'{"code":"\xed\xa0\x80"}', "overlong UTF-8": b'{"code":"\xc0\xaf"}',
    "UTF-8 cut off": b'{"code":"\xe2\x82"}', "beyond Unicode": b'{"code":"\xf4\x90\x80\x80"}',
    "bytes that are never UTF-8": b'{"code":"\xfe\xff"}', "a raw control": b'{"code":"\x01"}',
    "NUL in a string": b'{"code":"\\u0000"}', "a raw NUL in a string": b'{"code":"\0"}',
    "NUL in a name": b'{"\\u0000":1}', "a huge whole number": b'{"code":' + b"9" * LONG + b"}",
    "a huge exponent": b'{"code":1e999999999}', "a tiny exponent": b'{"code":-1e-999999999}',
    "many digits": b'{"code":0.' + b"3" * LONG + b"}", "NaN": b'{"code":NaN}',
    "Infinity": b'{"code":-Infinity}', "a leading zero": b'{"code":01}', "a plus": b'{"code":+1}',
    "a long name": b'{"' + b"a" * LONG + b'":1}', "single quotes": b"{'code':'1'}",
    "a comment": b'{"code":"1"/**/,}', "a comma too many": b'{"code":"1",}', "two of them": b"{}{}",
    "many members": b"{" + b",".join(b'"%d":%d' % (i, i) for i in range(100_000)) + b"}",
    "not an object": b'["code"]', "a string": b'"code"', "null": b"null", "text": b"code=1",
}


class RouteTest(ServiceTest):
    settings = {"API_KEYS": "dev_123:dev:100000:100000"}

    def talk(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        """The status, headers and body of the answer; interim ones are passed over."""
        method = data.split(b" ", 1)[0].decode("latin-1")
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=30) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(data)
            answer = http.client.HTTPResponse(connection, method=method)
            answer.begin()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def say(self, method: str, path: str, *headers: bytes, body: bytes = b"") -> tuple[
            int, dict[str, str], bytes]:
        lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: localhost", KEY, b"Connection: close"]
        return self.talk(b"\r\n".join([*lines, *headers]) + b"\r\n\r\n" + body)

    def send(self, route: Route, *headers: bytes, body: bytes = b"") -> tuple[
            int, dict[str, str], bytes]:
        kind = b"Content-Type: " + TYPES.get(route.content, b"application/json")
        return self.say(route.method, route.path, kind, *headers, body=body)

    def assert_error(self, answer: tuple[int, dict[str, str], bytes], status: int,
                     word: str = "") -> None:
        self.assertEqual(answer[0], status, answer[2][:300])
        body = json.loads(answer[2])
        self.assertEqual(set(body["error"]), {"code", "message", "retryable", "type", "param"})
        self.assertTrue(body["detail"])
        self.assertIn(word, body["error"]["message"])

    def assert_serves(self) -> None:
        self.assertEqual(self.say("GET", "/healthz")[0], 200)


class Methods(RouteTest):
    def test_options_and_what_is_not_allowed_name_the_methods(self) -> None:
        for pattern, allowed in methods().items():
            path = next(route.path for route in routes() if route.pattern == pattern)
            for method in ("OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"):
                with self.subTest(f"{method} {path}"):
                    if method != "OPTIONS" and method in allowed:
                        continue
                    status, headers, body = self.say(method, path, b"Content-Length: 0")
                    self.assertEqual(status, 204 if method == "OPTIONS" else 405)
                    self.assertEqual(set(headers["allow"].split(", ")), set(allowed))
                    self.assertEqual(body == b"", method in ("OPTIONS", "HEAD"))

    def test_head_is_get_without_a_body(self) -> None:
        for route in routes():
            if route.method != "GET" or route.pattern in ("/readyz", "/metrics", "/health", "/v1/fleet"):
                continue  # these differ from one moment to the next
            with self.subTest(route.path):
                get, head = self.say("GET", route.path), self.say("HEAD", route.path)
                self.assertEqual((head[0], head[2]), (get[0], b""))
                for name in ("content-length", "content-type", "vary"):
                    self.assertEqual(head[1].get(name), get[1].get(name))

    def test_paths_beside_those_of_the_table_are_unknown(self) -> None:
        for route in routes():
            for path in (route.path + "/", route.path + "x/y", "/" + route.path, route.path.upper() + "//",
                         route.path + "%2f", route.path + "\\", "/." + route.path):
                with self.subTest(path):
                    self.assert_error(self.say(route.method, path, b"Content-Length: 0"), 404)

    def test_a_key_is_wanted_before_anything_is_said_of_the_request(self) -> None:
        for route in routes():
            data = (f"{route.method} {route.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                    "Content-Length: 99999999\r\n\r\n").encode()
            with self.subTest(route.path):
                status, headers, _ = self.talk(data)
                if route.access == "key":
                    self.assertEqual((status, headers["www-authenticate"][:6]), (401, "Bearer"))
                else:
                    self.assertNotEqual(status, 401)


class Messages(RouteTest):
    def test_a_body_needs_a_length_and_is_bounded_by_it(self) -> None:
        for route in BODY_ROUTES:
            with self.subTest(route.path):
                self.assert_error(self.send(route), 411)
                self.assert_error(self.send(route, b"Content-Length: 99999999999"), 413, route.limit)
                self.assert_error(self.send(route, b"Content-Length: 9223372036854775807"), 413,
                                  route.limit)

    def test_a_body_where_none_is_taken_is_refused(self) -> None:
        for route in routes():
            if not route.takes_body:
                with self.subTest(route.path):
                    self.assert_error(self.send(route, b"Content-Length: 2", body=b"{}"), 413)

    def test_another_type_or_coding_is_refused(self) -> None:
        for route in BODY_ROUTES:
            for kind in (b"text/plain", b"application/x-www-form-urlencoded", b"", b"application/jsonx",
                         b"text/html;application/json"):
                with self.subTest(path=route.path, kind=kind):
                    if route.content != "any":
                        self.assert_error(self.say(route.method, route.path, b"Content-Type: " + kind,
                                                   b"Content-Length: 2", body=b"{}"), 415)
            self.assert_error(self.send(route, b"Content-Encoding: gzip", b"Content-Length: 2",
                                        body=b"{}"), 415)
            self.assert_error(self.send(route, b"Expect: the-unexpected", b"Content-Length: 2",
                                        body=b"{}"), 417)

    def test_headers_are_bounded(self) -> None:
        for route in routes():
            with self.subTest(route.path):
                self.assert_error(self.send(route, b"X: " + b"a" * 20000), 431)
                self.assert_error(self.send(route, *[b"X-%d: y" % i for i in range(120)]), 431)
                self.assert_error(self.say(route.method, route.path + "?" + "a" * 20000), 414)

    def test_lengths_that_contradict_are_refused(self) -> None:
        for route in BODY_ROUTES:
            for name, headers in LENGTHS.items():
                with self.subTest(path=route.path, name=name):
                    self.assert_error(self.send(route, *headers, body=b"{}"), 400)

    def test_chunks_that_are_none_are_refused(self) -> None:
        for route in BODY_ROUTES:
            for name, body in BROKEN_CHUNKS.items():
                with self.subTest(path=route.path, name=name):
                    answer = self.send(route, b"Transfer-Encoding: chunked", body=body)
                    # Who reads a body as it comes may find what is in it wrong before its end.
                    self.assert_error(answer, 400 if route.content == "json" else answer[0])
                    self.assertIn(answer[0], (400, 422))

    def test_what_hides_behind_a_body_is_no_request_of_its_own(self) -> None:
        smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        for route in BODY_ROUTES:
            with self.subTest(route.path), socket.create_connection(
                    ("127.0.0.1", self.service.port), timeout=30) as connection:
                head = (f"{route.method} {route.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                        "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n")
                connection.sendall(head.encode() + KEY + b"\r\n\r\n0\r\n\r\n" + smuggled)
                answers = b""
                with contextlib.suppress(ConnectionError):
                    while piece := connection.recv(65536):
                        answers += piece
                self.assertEqual(answers.count(b"HTTP/1.1 "), 1, answers)
                self.assertIn(b" 400 ", answers.split(b"\r\n")[0])

    def test_who_leaves_in_the_middle_leaves_nothing_behind(self) -> None:
        for route in BODY_ROUTES:
            for end in (1, 20, 60, -1):
                whole = (f"{route.method} {route.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n"
                         "Content-Type: application/json\r\n").encode() + KEY + b"\r\n\r\n{"
                with socket.create_connection(("127.0.0.1", self.service.port), timeout=30) as connection:
                    connection.sendall(whole[:end])
        self.assert_serves()


class JsonTorture(RouteTest):
    settings = {**RouteTest.settings, "MAX_BODY_BYTES": "4194304"}

    def test_no_body_is_too_much_for_any_route(self) -> None:
        for route in BODY_ROUTES:
            if route.content != "json":
                continue
            for name, body in TORTURE.items():
                with self.subTest(path=route.path, name=name):
                    answer = self.send(route, b"Content-Length: %d" % len(body), body=body)
                    self.assertIn(answer[0], (400, 404, 413, 422), answer[2][:300])
                    self.assert_error(answer, answer[0])
        self.assert_serves()


if __name__ == "__main__":
    unittest.main()
