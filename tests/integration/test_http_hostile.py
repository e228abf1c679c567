"""Raw sockets against the API: malformed, slow, greedy and vanishing clients."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import unittest
from collections.abc import Iterator
from typing import Any

from service import ServiceTest, wait_until

CRLF = b"\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(code: str, *headers: bytes) -> bytes:
    body = json.dumps({"code": code}).encode()
    lines = [b"POST /v1/execute HTTP/1.1", b"Host: localhost", b"Content-Type: application/json",
             b"Content-Length: %d" % len(body), *headers]
    return CRLF.join(lines) + CRLF + CRLF + body


def with_headers(*headers: bytes, body: bytes = b"", start: bytes = b"POST /v1/execute HTTP/1.1"
                 ) -> bytes:
    lines = [start, b"Host: localhost", b"Content-Type: application/json", *headers]
    return CRLF.join(lines) + CRLF + CRLF + body


class Client:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream = self.socket.makefile("rb")

    def close(self) -> None:
        self.stream.close()
        self.socket.close()

    def reset(self) -> None:
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self) -> tuple[int, dict[str, str], bytes]:
        """One response."""
        line = self.stream.readline()
        if not line:
            raise EOFError
        status = int(line.split()[1])
        headers: dict[str, str] = {}
        while (header := self.stream.readline()) != CRLF:
            name, value = header.decode("latin-1").split(":", 1)
            headers[name.lower()] = value.strip()
        body = self.stream.read(int(headers.get("content-length", "0")))
        return status, headers, body

    def ended(self) -> bool:
        try:
            return self.stream.read(1) == b""
        except ConnectionResetError:
            return True


class HostileTest(ServiceTest):
    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        client = Client(self.service.port)
        try:
            yield client
        finally:
            client.close()

    def ask(self, data: bytes) -> tuple[int, dict[str, str], Any]:
        with self.client() as client:
            client.send(data)
            status, headers, body = client.read()
            return status, headers, json.loads(body) if body else None

    def assert_serves(self) -> None:
        self.assertEqual(self.ask(GET)[0], 200)


MALFORMED = {
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
    "the HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(20), 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/3.0": (b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 400),
    "random bytes": (bytes(range(128, 256)) * 4, 400),
    "NUL bytes": (bytes(1000), 400),
    "an unknown method": (b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n", 400),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: x\n\n", 400),
    "a header without colon": (with_headers(b"Nonsense"), 400),
    "a space before the colon": (with_headers(b"X : y"), 400),
    "a folded header": (with_headers(b"X: a\r\n b"), 400),
    "a control character in a header": (with_headers(b"X: a\x00b"), 400),
    "two lengths that differ": (with_headers(b"Content-Length: 3", b"Content-Length: 4"), 400),
    "two equal lengths": (with_headers(b"Content-Length: 3", b"Content-Length: 3"), 400),
    "a negative length": (with_headers(b"Content-Length: -1"), 400),
    "a length in hex": (with_headers(b"Content-Length: 0x10"), 400),
    "a length beyond 64 bits": (with_headers(b"Content-Length: " + b"9" * 30), 400),
    "length and chunks": (with_headers(b"Content-Length: 3", b"Transfer-Encoding: chunked"), 400),
    "chunks and length": (with_headers(b"Transfer-Encoding: chunked", b"Content-Length: 3"), 400),
    "an unknown coding": (with_headers(b"Transfer-Encoding: gzip, chunked"), 400),
    "chunked twice": (with_headers(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
                      400),
    "chunked in disguise": (with_headers(b"Transfer-Encoding: xchunked"), 400),
    "a bad chunk size": (with_headers(b"Transfer-Encoding: chunked", body=b"xyz\r\n"), 400),
    "a chunk longer than said": (
        with_headers(b"Transfer-Encoding: chunked", body=b"1\r\nabc\r\n0\r\n\r\n"), 400),
    "a chunk size beyond 64 bits": (
        with_headers(b"Transfer-Encoding: chunked", body=b"f" * 20 + CRLF), 400),
    "a target of 20 KB": (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "a header of 20 KB": (with_headers(b"X: " + b"a" * 20000), 431),
    "200 headers": (with_headers(*[b"X-%d: y" % i for i in range(200)]), 431),
    "no length": (with_headers(), 411),
    "a length past the limit": (with_headers(b"Content-Length: 4194305"), 413),
    "an enormous length": (with_headers(b"Content-Length: 9223372036854775807"), 413),
    "another type": (b"POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                     b"Content-Length: 2\r\n\r\n{}", 415),
    "a compressed body": (with_headers(b"Content-Encoding: gzip", b"Content-Length: 2", body=b"{}"),
                          415),
    "another expectation": (with_headers(b"Expect: 200-ok", b"Content-Length: 2", body=b"{}"), 417),
    "an unknown path": (with_headers(b"Content-Length: 2", body=b"{}", start=b"POST /x HTTP/1.1"),
                        404),
    "a wrong method": (with_headers(start=b"TRACE /v1/execute HTTP/1.1"), 405),
    "CONNECT": (b"CONNECT x:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    "a body where none is taken": (with_headers(b"Content-Length: 2", body=b"{}",
                                                start=b"GET /healthz HTTP/1.1"), 413),
}


class Malformed(HostileTest):
    def test_every_malformed_request_gets_its_status_and_a_sentence(self) -> None:
        for name, (request, expected) in MALFORMED.items():
            with self.subTest(name):
                status, headers, body = self.ask(request)
                self.assertEqual(status, expected, body)
                self.assertEqual(headers["content-type"], "application/json")
                self.assertRegex(body["detail"], r"^[A-Z].{10,}\.$")
                self.assertEqual(body["error"]["message"], body["detail"])
                self.assertIs(body["error"]["retryable"], False)
                self.assertEqual(body["error"]["type"], "not_found_error" if status == 404 else
                                 "server_error" if status >= 500 else "invalid_request_error")
                self.assertIsNone(body["error"]["param"])
                self.assertEqual("allow" in headers, status == 405)
        self.assert_serves()

    def test_a_refused_body_is_not_waited_for_and_the_answer_arrives(self) -> None:
        with self.client() as client:
            client.send(with_headers(b"Content-Length: 50000000"))
            with contextlib.suppress(ConnectionError):
                for _ in range(100):
                    client.send(bytes(100_000))
            status, headers, body = client.read()
            self.assertEqual((status, headers["connection"]), (413, "close"))
            self.assertIn(b"MAX_BODY_BYTES", body)

    def test_a_chunked_body_past_the_limit_is_cut_off(self) -> None:
        with self.client() as client:
            client.send(with_headers(b"Transfer-Encoding: chunked"))
            with contextlib.suppress(ConnectionError):
                for _ in range(100):
                    client.send(b"10000\r\n" + bytes(0x10000) + CRLF)
            status, _, body = client.read()
            self.assertEqual(status, 413)
            self.assertIn(b"MAX_BODY_BYTES", body)

    def test_truncated_requests_leave_nothing_behind(self) -> None:
        whole = post("print(1)")
        for end in range(1, len(whole), 7):
            with self.client() as client:
                client.send(whole[:end])
                client.socket.shutdown(socket.SHUT_WR)
                self.assertEqual(client.read()[0], 400, whole[:end])
                self.assertTrue(client.ended())
        self.assert_serves()

    def test_connections_that_are_reset_leave_nothing_behind(self) -> None:
        whole = post("print(1)")
        for end in range(0, len(whole), 11):
            client = Client(self.service.port)
            client.send(whole[:end])
            client.reset()
        self.assert_serves()


class Valid(HostileTest):
    def test_requests_sent_ahead_are_answered_in_order(self) -> None:
        with self.client() as client:
            client.send(b"".join(post(f"print({i})") for i in range(20)) + GET)
            for i in range(20):
                self.assertEqual(json.loads(client.read()[2])["stdout"], f"{i}\n")
            self.assertEqual(client.read()[0], 200)

    def test_a_request_may_arrive_byte_by_byte(self) -> None:
        with self.client() as client:
            for byte in post("print(7)"):
                client.send(bytes([byte]))
            self.assertEqual(json.loads(client.read()[2])["stdout"], "7\n")

    def test_a_chunked_body_with_extensions_and_trailers_is_taken(self) -> None:
        body = b'{"code":"print(8)"}'
        chunks = b"".join(b"1;x=y\r\n%c\r\n" % byte for byte in body) + b"0\r\nT: t\r\n\r\n"
        status, _, answer = self.ask(with_headers(b"Transfer-Encoding: chunked", body=chunks))
        self.assertEqual((status, answer["stdout"]), (200, "8\n"))

    def test_expect_100_continue_is_answered_before_the_body(self) -> None:
        whole = post("print(9)", b"Expect: 100-continue")
        head, body = whole.split(b"\r\n\r\n")
        with self.client() as client:
            client.send(head + b"\r\n\r\n")
            self.assertEqual(client.read()[0], 100)
            client.send(body)
            self.assertEqual(json.loads(client.read()[2])["stdout"], "9\n")

    def test_expect_is_not_answered_for_a_body_that_is_refused(self) -> None:
        status, _, _ = self.ask(with_headers(b"Content-Length: 99999999", b"Expect: 100-continue"))
        self.assertEqual(status, 413)

    def test_an_offer_to_upgrade_is_passed_over(self) -> None:
        request = GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        self.assertEqual(self.ask(request)[0], 200)

    def test_the_absolute_form_and_a_query_are_taken(self) -> None:
        self.assertEqual(self.ask(b"GET http://x/healthz?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n")[0], 200)

    def test_head_and_options_have_no_body(self) -> None:
        with self.client() as client:
            client.send(GET.replace(b"GET", b"HEAD"))
            line = client.stream.readline()
            self.assertIn(b" 200 ", line)
            lengths = [header for header in iter(client.stream.readline, CRLF)
                       if header.lower().startswith(b"content-length:")]
            self.assertGreater(int(lengths[0].split(b":")[1]), 0)
            client.send(b"OPTIONS /v1/execute HTTP/1.1\r\nHost: localhost\r\n\r\n")
            status, headers, _ = client.read()
            self.assertEqual((status, headers["allow"]), (204, "POST, OPTIONS"))
            client.send(GET)
            self.assertEqual(client.read()[0], 200)

    def test_keep_alive_follows_the_version_and_the_header(self) -> None:
        for version, header, kept in ((b"1.1", b"", True), (b"1.1", b"Connection: close\r\n", False),
                                      (b"1.0", b"", False),
                                      (b"1.0", b"Connection: keep-alive\r\n", True)):
            with self.client() as client:
                client.send(b"GET /healthz HTTP/%s\r\nHost: localhost\r\n%s\r\n" % (version, header))
                self.assertEqual(client.read()[0], 200)
                if kept:
                    client.send(GET)
                    self.assertEqual(client.read()[0], 200)
                else:
                    self.assertTrue(client.ended())

    def test_a_request_id_is_echoed_when_it_is_sane(self) -> None:
        for given, kept in ((b"abc-123", True), (b"a b", False), (b"x" * 500, False),
                            (b"\xc3\xa9", False), (b'"', False)):
            _, headers, _ = self.ask(GET[:-2] + b"X-Request-ID: " + given + b"\r\n\r\n")
            self.assertEqual(headers["x-request-id"].encode() == given, kept)
            self.assertRegex(headers["x-request-id"], r"^[!-~]+$")

    def test_the_log_has_one_line_per_request_and_no_code(self) -> None:
        code = "print('Zaphod-4711')"
        self.ask(post(code, b"X-Request-ID: logged-once"))
        self.ask(with_headers(b"Content-Length: 14", b"X-Request-ID: logged-twice",
                              body=b'{"Zaphod-4711"'))
        lines = [line for line in self.service.log_lines("api") if line["event"] == "request"]
        logged = [line for line in lines if line["request_id"] == "logged-once"]
        self.assertEqual(len(logged), 1)
        self.assertEqual((logged[0]["method"], logged[0]["path"], logged[0]["status"]),
                         ("POST", "/v1/execute", 200))
        self.assertTrue(re.fullmatch("[0-9a-f]{32}", logged[0]["job_id"]))
        self.assertNotIn("Zaphod", self.service.parts["api"].log_text())


class Vanishing(HostileTest):
    settings = {"CPU_TIME_LIMIT_SEC": "60", "MAX_EXEC_TIMEOUT_MS": "60000"}

    def cancelled(self, request_id: str) -> bool:
        return any(line["event"] == "request" and line["request_id"] == request_id
                   and line["status"] == 499 for line in self.service.log_lines("api"))

    def test_a_hang_up_while_waiting_is_noticed_at_once(self) -> None:
        for name, end in (("close", Client.close), ("reset", Client.reset),
                          ("half", lambda client: client.socket.shutdown(socket.SHUT_WR))):
            with self.subTest(name):
                client = Client(self.service.port)
                client.send(post("while True: pass", b"X-Request-ID: gone-" + name.encode()))
                wait_until(self.service.busy_job, "the job runs")
                end(client)
                wait_until(lambda: self.cancelled(f"gone-{name}"), "the hang-up is logged", 5.0)
                wait_until(lambda: not self.service.busy_job(), "the job is killed", 5.0)
                client.close()

    def test_a_hang_up_behind_much_input_is_noticed_at_once(self) -> None:
        client = Client(self.service.port)
        client.send(post("while True: pass", b"X-Request-ID: gone-full"))
        client.socket.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            client.send(bytes(10_000_000))
        client.reset()
        wait_until(lambda: self.cancelled("gone-full"), "the hang-up is logged", 5.0)


class Slow(HostileTest):
    settings = {"IDLE_TIMEOUT_MS": "300", "MAX_CONNECTIONS": "8"}

    def test_a_silent_connection_is_closed(self) -> None:
        with self.client() as client:
            self.assertTrue(client.ended())

    def test_a_request_that_stops_arriving_gets_408(self) -> None:
        for start in (b"G", b"GET / HTTP/1.1\r\nHost: ", post("print(1)")[:-3]):
            with self.client() as client:
                client.send(start)
                self.assertEqual(client.read()[0], 408)
                self.assertTrue(client.ended())

    def test_headers_that_trickle_get_408_all_the_same(self) -> None:
        with self.client() as client:
            client.send(b"GET / HTTP/1.1\r\n")
            client.socket.settimeout(0.05)
            with contextlib.suppress(ConnectionError):
                for _ in range(100):
                    client.send(b"X: y\r\n")
                    with contextlib.suppress(TimeoutError):
                        self.assertIn(b" 408 ", client.socket.recv(1000))
                        return
            self.fail("the trickle was not ended")

    def test_a_running_job_is_not_idle(self) -> None:
        with self.client() as client:
            client.send(post("import time; time.sleep(1); print(1)"))
            self.assertEqual(client.read()[0], 200)

    def test_a_reader_that_stops_reading_is_dropped(self) -> None:
        with self.client() as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(10):
                client.send(post("print('x' * 900000)"))
            wait_until(lambda: any(line["event"] == "request" and line["bytes"] > 900000
                                   for line in self.service.log_lines("api")), "an answer")
            with contextlib.suppress(ConnectionError, TimeoutError):
                client.socket.settimeout(3)
                while client.socket.recv(1, socket.MSG_PEEK):
                    client.send(b"\r\n")
        self.assert_serves()

    def test_idle_connections_give_way_to_new_ones(self) -> None:
        idle = [Client(self.service.port) for _ in range(8)]
        try:
            self.assert_serves()
        finally:
            for client in idle:
                client.close()


class Crowded(HostileTest):
    settings = {"MAX_CONNECTIONS": "3"}

    def test_beyond_max_connections_an_answer_says_so(self) -> None:
        head, body = post("print(1)", b"Expect: 100-continue").split(b"\r\n\r\n")
        busy = [Client(self.service.port) for _ in range(3)]
        try:
            for client in busy:
                client.send(head + b"\r\n\r\n")
                self.assertEqual(client.read()[0], 100)  # from here on it is not idle
            status, headers, answer = self.ask(GET)
            self.assertEqual((status, headers["retry-after"]), (503, "1"))
            self.assertIn("Too many connections", answer["detail"])
            for client in busy:
                client.send(body)
                self.assertEqual(client.read()[0], 200)
        finally:
            for client in busy:
                client.close()
        self.assert_serves()


if __name__ == "__main__":
    unittest.main()
