"""Keys: who is let in, how often, and what is told of it. Real requests, Redis and API processes."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import unittest

from service import BUILD, Call, Response, Service, ServiceTest, wait_until

ALICE, BOB, SLOW = "alice-token-1", "bob.token~2", "slow_3"
KEYS = f"{ALICE}:alice:1000:1000, {BOB}:bob:1000:500,{SLOW}:slow:0.5:3"
JSON = {"Content-Type": "application/json"}
FIELDS = {"requests", "rate_limited", "runs", "cpu_ms", "exec_ms", "output_bytes", "file_bytes"}


def hashed(token: str, rest: str) -> str:
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}:{rest}\n"


def run_api(**settings: str) -> subprocess.CompletedProcess[str]:
    """The API, with settings that must keep it from starting."""
    environment = {"REDIS_URL": "unix:///nonexistent", "PORT": "0", **settings}
    return subprocess.run([BUILD / "retort-api"], env=environment, capture_output=True, text=True,
                          timeout=20)


class KeyTest(ServiceTest):
    def ask(self, token: str | None, method: str = "GET", path: str = "/v1/usage",
            body: bytes | None = None, port: int = 0, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            named["Authorization"] = f"Bearer {token}"
        return Service.ask(port or self.service.port, method, path, body, named)

    def run_code(self, token: str | None, code: str = "print(1)", **headers: str) -> Response:
        return self.ask(token, "POST", "/v1/execute", json.dumps({"code": code}).encode(),
                        **{**JSON, **headers})

    def assert_shape(self, answer: Response, status: int, code: str, kind: str) -> None:
        self.assertEqual(answer.status, status, answer.body)
        error = answer.json["error"]
        self.assertEqual((error["code"], error["type"]), (code, kind))
        self.assertEqual(error["message"], answer.json["detail"])

    def requests_of(self, token: str) -> dict[str, int]:
        """Today's counters (it may have become another day in between)."""
        days = self.ask(token).json["days"]
        return {name: sum(day[name] for day in days) for name in FIELDS} if days else {}


class Bearer(KeyTest):
    settings = {"API_KEYS": KEYS, "API_PROCESSES": "2"}

    def test_a_key_is_let_in_and_nobody_else(self) -> None:
        self.assertEqual(self.run_code(ALICE).json["stdout"], "1\n")
        self.assertEqual(self.run_code(BOB).status, 200)
        for authorization in (None, "", "Bearer", "Bearer ", "Basic YTpi", ALICE, f"Token {ALICE}",
                              f"Bearer{ALICE}"):
            with self.subTest(authorization):
                headers = {} if authorization is None else {"Authorization": authorization}
                answer = self.run_code(None, **headers)
                self.assert_shape(answer, 401, "unauthorized", "authentication_error")
                self.assertEqual(answer.headers["www-authenticate"], 'Bearer realm="retort"')
                self.assertNotIn("x-ratelimit-limit", answer.headers)
        for token in ("wrong", ALICE[:-1], ALICE + "x", ALICE.upper(), f"{ALICE} ", f"{ALICE},x",
                      "x" * 5000, f"{ALICE}:alice"):
            with self.subTest(token[:30]):
                answer = self.run_code(token)
                if token == f"{ALICE} ":  # blanks behind a header's value are not of it
                    self.assertEqual(answer.status, 200)
                    continue
                self.assert_shape(answer, 401, "unauthorized", "authentication_error")
                self.assertIn('error="invalid_token"', answer.headers["www-authenticate"])

    def test_the_scheme_is_read_in_any_case(self) -> None:
        for scheme in ("bearer", "BEARER", "Bearer  "):
            self.assertEqual(self.run_code(None, Authorization=f"{scheme} {ALICE}").status, 200)

    def test_two_keys_in_one_request_are_none(self) -> None:
        connection = self.service.connect()
        connection.putrequest("GET", "/v1/usage")
        connection.putheader("Authorization", f"Bearer {ALICE}")
        connection.putheader("Authorization", f"Bearer {BOB}")
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 401)
        connection.close()

    def test_open_routes_need_none_and_refusals_are_not_for_strangers(self) -> None:
        for path in ("/", "/healthz", "/readyz", "/metrics"):
            self.assertEqual(self.ask(None, path=path).status, 200, path)
        self.assertEqual(self.ask(None, path="/nothing").status, 404)
        self.assertEqual(self.ask(None, path="/v1/execute").status, 405)
        self.assertEqual(self.ask(None, "POST", "/v1/execute", b"x").status, 401)
        self.assertEqual(self.ask(ALICE, "POST", "/v1/execute", b"x").status, 415)

    def test_a_stranger_is_refused_before_the_body(self) -> None:
        connection = self.service.connect(10)
        connection.putrequest("POST", "/v1/execute")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "1000000")
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 401)
        connection.close()

    def test_refused_requests_keep_the_connection_when_their_body_is_there(self) -> None:
        tokens = ("wrong", ALICE, SLOW, SLOW, SLOW, SLOW, SLOW, "wrong", ALICE)
        statuses = []
        with socket.create_connection(("127.0.0.1", self.service.port), 10) as client:
            for token in tokens:
                client.sendall(b"POST /v1/execute HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n"
                               b"Content-Type: application/json\r\nAuthorization: Bearer "
                               + token.encode() + b'\r\n\r\n{"code":"print(1)"}')
                answer = http.client.HTTPResponse(client)
                answer.begin()
                self.assertIsNone(answer.headers["Connection"])
                answer.read()
                statuses.append(answer.status)
        self.assertEqual(statuses[:2], [401, 200])
        self.assertEqual(statuses[-3:], [429, 401, 200])

    def test_any_host_origin_and_proxy_is_fine_with_a_key(self) -> None:
        answer = self.run_code(ALICE, Host="example.org", Origin="https://example.org",
                               X_Forwarded_For="192.0.2.1")
        self.assertEqual(answer.status, 200)

    def test_a_body_that_arrives_late_and_in_pieces_is_taken(self) -> None:
        body = b'{"code": "print(input())", "stdin": "%s"}' % (b"x" * 200000)
        connection = self.service.connect(30)
        connection.putrequest("POST", "/v1/execute")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Authorization", f"Bearer {ALICE}")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        for start in range(0, len(body), 40000):
            connection.send(body[start:start + 40000])
        answer = connection.getresponse()
        self.assertEqual(len(json.loads(answer.read())["stdout"]), 200001)
        connection.close()

    def test_labels_and_no_tokens_are_in_the_log(self) -> None:
        self.run_code(BOB)
        self.run_code("a-token-of-nobody")
        wait_until(lambda: any(line.get("key") == "bob" for line in self.service.log_lines("api")),
                   "a line of bob's request")
        text = self.service.parts["api"].log_text()
        for token in (ALICE, BOB, SLOW, "a-token-of-nobody"):
            self.assertNotIn(token, text)
            self.assertNotIn(hashlib.sha256(token.encode()).hexdigest(), text)

    def test_a_request_s_id_is_in_both_logs_and_the_answer(self) -> None:
        name = "my-id:1/2+3=_." + "x" * 114
        answer = self.run_code(ALICE, X_Request_ID=name)
        self.assertEqual(answer.headers["x-request-id"], name)
        wait_until(lambda: any(line.get("event") == "job" and line["request_id"] == name
                               for line in self.service.log_lines("worker")), "the job's line")
        self.assertTrue(any(line.get("request_id") == name and line.get("key") == "alice"
                            for line in self.service.log_lines("api")))
        for bad in ("", "x" * 129, "a b", 'a"b', "a\u00e4"):
            chosen = self.run_code(ALICE, X_Request_ID=bad).headers["x-request-id"]
            self.assertRegex(chosen, r"^[0-9a-f]{16}$")

    def test_hang_ups_while_the_gate_is_asked_hurt_nobody(self) -> None:
        body = json.dumps({"code": "pass"}).encode()
        for _ in range(200):
            connection = self.service.connect(10)
            connection.request("POST", "/v1/execute", body,
                               {**JSON, "Authorization": f"Bearer {ALICE}"})
            connection.close()
        self.assertEqual(self.run_code(ALICE).status, 200)


class Rates(KeyTest):
    settings = {"API_KEYS": f"{ALICE}:alice:1000:1000,{SLOW}:slow:0.5:3,b:burst:50:20,"
                            "b2:burst:50:20,c:clock:50:20,u:used:1000:1000", "API_PROCESSES": "3"}

    def test_a_burst_is_let_through_and_then_the_rate_holds(self) -> None:
        answers = [self.ask(SLOW) for _ in range(6)]
        self.assertEqual([answer.status for answer in answers], [200] * 3 + [429] * 3)
        self.assertEqual([answer.headers["x-ratelimit-remaining"] for answer in answers],
                         ["2", "1", "0", "0", "0", "0"])
        for answer in answers:
            self.assertEqual(answer.headers["x-ratelimit-limit"], "3")
            self.assertIn(int(answer.headers["x-ratelimit-reset"]), range(1, 7))
        refused = answers[3]
        self.assert_shape(refused, 429, "rate_limited", "rate_limit_error")
        self.assertTrue(refused.json["error"]["retryable"])
        self.assertIn(refused.headers["retry-after"], ("1", "2"))
        self.assertEqual(self.ask(ALICE).status, 200)
        time.sleep(2.05)  # the time that one token takes is what is tested
        self.assertEqual([self.ask(SLOW).status for _ in range(2)], [200, 429])

    def test_all_processes_and_keys_of_one_label_share_one_bucket(self) -> None:
        began = time.monotonic()
        statuses = [self.ask("b" if i % 2 else "b2").status for i in range(120)]
        seconds = time.monotonic() - began
        passed = statuses.count(200)
        self.assertEqual(statuses.count(429), 120 - passed)
        self.assertGreaterEqual(passed, 20)
        self.assertLessEqual(passed, 20 + 50 * seconds + 2)

    def test_no_record_stays_for_ever(self) -> None:
        self.ask(ALICE)
        self.run_code(ALICE)
        for key in self.service.keys():
            if ":rate:" in key or ":usage:" in key:
                self.assertGreater(self.service.redis("PTTL", key), 0, key)
        usage = next(key for key in self.service.keys() if ":usage:alice:" in key)
        self.assertGreater(self.service.redis("TTL", usage), 39 * 86400)

    def test_a_clock_that_was_set_back_locks_nobody_out(self) -> None:
        self.service.redis("SET", "retort:rate:clock", str(10**18), "PX", "60000")
        self.assertEqual(self.ask("c").status, 429)
        wait_until(lambda: self.ask("c").status == 200, "a token", 3)

    def test_usage_counts_by_day_what_a_key_did(self) -> None:
        body = {"code": "import pathlib\nprint('x' * 99)\n"
                        "pathlib.Path('/work/outputs/a').write_bytes(b'y' * 50)\n"
                        "sum(range(10**6))", "files": [{"name": "f", "content": "z" * 7}]}
        for _ in range(3):
            self.assertEqual(self.ask("u", "POST", "/v1/execute", json.dumps(body).encode(),
                                      **JSON).status, 200)
        used = wait_until(lambda: (now := self.requests_of("u"))["runs"] == 3 and now, "3 runs")
        self.assertEqual((used["output_bytes"], used["file_bytes"]), (300, 171))
        self.assertGreaterEqual(used["requests"], 4)
        self.assertGreater(used["cpu_ms"], 3)
        self.assertGreaterEqual(used["exec_ms"], used["cpu_ms"] // 2)
        answer = self.ask("u", path="/v1/usage?days=2").json
        self.assertEqual((answer["object"], answer["label"]), ("usage", "used"))
        self.assertIn(len(answer["days"]), (1, 2))
        self.assertEqual(set(answer["days"][0]), FIELDS | {"date"})
        self.assertRegex(answer["days"][0]["date"], r"^20\d\d-\d\d-\d\d$")

    def test_a_bad_number_of_days_is_named(self) -> None:
        for query in ("days=0", "days=41", "days=-1", "days=x", "days=", "day=1", "days=1&x=2"):
            answer = self.ask(ALICE, path=f"/v1/usage?{query}")
            self.assert_shape(answer, 400, "bad_request", "invalid_request_error")
            self.assertEqual(answer.json["error"]["param"], "days")


class WithoutRedis(KeyTest):
    settings = {"API_KEYS": f"{ALICE}:alice:1000:1000"}

    def test_nobody_passes_unlimited_while_redis_is_away(self) -> None:
        self.assertEqual(self.run_code(ALICE).status, 200)
        redis = self.service.parts["redis"]
        os.kill(redis.pid, 19)  # SIGSTOP: it is there, and does not answer
        try:
            call = self.run_code(ALICE)
            self.assert_shape(call, 503, "unavailable", "server_error")
            self.assertEqual(self.run_code(None).status, 401)
            self.assertEqual(self.run_code("wrong").status, 401)
        finally:
            os.kill(redis.pid, 18)
        wait_until(lambda: self.run_code(ALICE).status == 200, "an answer again", 20)

    def test_a_bucket_that_is_no_bucket_refuses(self) -> None:
        self.service.redis("LPUSH", "retort:rate:alice", "x")
        try:
            self.assert_shape(self.run_code(ALICE), 503, "unavailable", "server_error")
        finally:
            self.service.redis("DEL", "retort:rate:alice")
        self.service.redis("SCRIPT", "FLUSH")
        self.assertEqual(self.run_code(ALICE).status, 200)


class KeyFile(KeyTest):
    directory: tempfile.TemporaryDirectory[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory(prefix="retort-keys-")
        cls.path = pathlib.Path(cls.directory.name) / "keys"
        cls.path.write_text("# ours\n\n" + hashed("first", "one:100:100  # the first"))
        cls.settings = {"API_KEYS_FILE": str(cls.path), "API_KEYS": f"{ALICE}:alice:100:100",
                        "API_PROCESSES": "2"}
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.directory.cleanup()

    def replace(self, text: str) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.path)

    def all_say(self, token: str, status: int) -> bool:
        return all(self.ask(token).status == status for _ in range(12))

    def kept(self) -> int:
        return sum(line.get("event") == "keys_kept" for line in self.service.log_lines("api"))

    def test_it_changes_without_a_restart_and_a_broken_one_changes_nothing(self) -> None:
        good = hashed("second", "two:100:100")
        self.replace(hashed("first", "one:100:100"))
        wait_until(lambda: self.all_say("first", 200) and self.all_say("second", 401), "the first")
        self.replace(good)
        wait_until(lambda: self.all_say("second", 200) and self.all_say("first", 401), "another")
        self.assertTrue(self.all_say(ALICE, 200))
        for broken in (hashed("third", "three:100"), "third:three:1:1\n", "sha256:12:x:1:1\n",
                       hashed("third", "three:0:1"), good + good, "x" * (1 << 20) + "\n"):
            with self.subTest(broken[:20]):
                before = self.kept()
                self.replace(broken)
                wait_until(lambda: self.kept() >= before + 2, "both processes' word")
                self.assertTrue(self.all_say("second", 200) and self.all_say("third", 401))
        before = self.kept()
        self.path.unlink()
        wait_until(lambda: self.kept() >= before + 2, "that it is gone")
        self.assertTrue(self.all_say("second", 200))
        self.path.write_text("")
        wait_until(lambda: self.all_say("second", 401), "nobody's")
        self.assertTrue(self.all_say(ALICE, 200))
        self.assertEqual(self.ask(None).status, 401)
        self.replace(good)
        wait_until(lambda: self.all_say("second", 200), "them again")
        self.assertNotIn("third", self.service.parts["api"].log_text())

    def test_a_key_that_is_taken_away_lets_its_request_end(self) -> None:
        self.replace(hashed("going", "going:100:100"))
        wait_until(lambda: self.all_say("going", 200), "the key")
        answers: list[Response] = []
        call = Call.__new__(Call)  # a thread of its own, with this key
        super(Call, call).__init__(daemon=True)
        call.run = lambda: answers.append(  # type: ignore[method-assign]
            self.run_code("going", "import time; time.sleep(3); print(7)"))
        call.start()
        self.replace(hashed("other", "other:100:100"))
        wait_until(lambda: self.all_say("going", 401), "its end")
        call.join(20)
        self.assertEqual(answers[0].json["stdout"], "7\n")


class Anonymous(KeyTest):
    def test_only_names_of_this_machine_are_answered(self) -> None:
        """A page whose name was made to lead to 127.0.0.1 says its own name in Host."""
        port = self.service.port
        for host in ("localhost", "LOCALHOST", f"localhost:{port}", "127.0.0.1", "127.1.2.3:80",
                     f"127.0.0.1:{port}", "[::1]", f"[::1]:{port}"):
            with self.subTest(host):
                self.assertEqual(self.run_code(None, Host=host).status, 200)
        for host in ("example.org", f"rebind.example:{port}", "127.0.0.1.example.org", "localhost.",
                     "localhost.example.org", "xlocalhost", "localhost:", "localhost:x",
                     "localhost@example.org", "127.0.0.1:80:80", "127.1", "0.0.0.0", "[::2]",
                     "[::1", "::1", "2130706433", "0x7f.0.0.1", "192.168.0.1", "[::1].x", "x:127.0.0.1"):
            with self.subTest(host):
                answer = self.run_code(None, Host=host)
                self.assert_shape(answer, 403, "forbidden", "permission_error")
        connection = self.service.connect()
        connection.sock = socket.create_connection(("127.0.0.1", port), 10)
        connection.sock.sendall(b"POST /v1/execute HTTP/1.0\r\nContent-Type: application/json\r\n"
                                b"Content-Length: 2\r\n\r\n{}")
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        self.assertEqual(answer.status, 403)
        connection.close()

    def test_pages_of_other_origins_are_refused(self) -> None:
        for origin in ("http://localhost", "http://localhost:3000", "https://127.0.0.1:8443",
                       "http://[::1]:9"):
            with self.subTest(origin):
                self.assertEqual(self.run_code(None, Origin=origin).status, 200)
        for origin in ("https://example.org", "null", "file://", "http://localhost.example.org",
                       "http://127.0.0.1.example.org", "http://localhost:80@example.org", "localhost",
                       "ftp://localhost", "http://", "http://localhost/"):
            with self.subTest(origin):
                answer = self.run_code(None, Origin=origin)
                self.assert_shape(answer, 403, "forbidden", "permission_error")
        self.assertEqual(self.run_code(None, Sec_Fetch_Site="cross-site").status, 403)
        self.assertEqual(self.run_code(None, Sec_Fetch_Site="same-origin").status, 200)

    def test_proxies_are_refused(self) -> None:
        for header in ("X_Forwarded_For", "Forwarded", "X_Forwarded_Host"):
            answer = self.run_code(None, **{header: "for=192.0.2.1"})
            self.assert_shape(answer, 403, "forbidden", "permission_error")

    def test_a_form_of_a_page_is_no_json(self) -> None:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = self.ask(None, "POST", "/v1/execute", b'{"code":"1"}', Content_Type=kind)
            self.assertEqual(answer.status, 415)

    def test_a_key_is_not_looked_at_and_usage_is_not_counted(self) -> None:
        self.assertEqual(self.run_code("whatever").status, 200)
        self.assert_shape(self.ask(None), 403, "forbidden", "permission_error")
        self.assertFalse([key for key in self.service.keys() if ":usage:" in key])


class AnonymousForAll(KeyTest):
    settings = {"HOST": "0.0.0.0", "ALLOW_ANONYMOUS": "1"}

    def test_any_name_is_answered(self) -> None:
        answer = self.run_code(None, Host="retort.example", X_Forwarded_For="192.0.2.1",
                               Origin="https://example.org")
        self.assertEqual(answer.status, 200)


class Settings(unittest.TestCase):
    def test_malformed_keys_are_refused_and_not_shown(self) -> None:
        secret = "tHe-S3cret"
        for keys, word in ((secret, "token:label:rps:burst"), (f"{secret}:a:1", "entry 1"),
                           (f"{secret}:a:1:1:1", "entry 1"), (f"a:a:1:1,{secret}:b:0:1", "entry 2"),
                           (f"{secret}::1:1", "label"), (f"{secret}:a b:1:1", "label"),
                           (f"{secret}:anonymous:1:1", "anonymous"), (f":{secret}:1:1", "token"),
                           (f"{secret}:a:-1:1", "rate"), (f"{secret}:a:1:0", "burst"),
                           (f"{secret}:a:1:1.5", "burst"), (f"{secret}:a:1:1,", "entry 2"),
                           (f"{secret}:a:1:1,{secret}:b:1:1", "another key"),
                           (f"{secret}:a:1:1,x:a:2:1", "another rate"),
                           (f"{secret}\u00e9:a:1:1", "token")):
            with self.subTest(keys.replace(secret, "*")):
                ended = run_api(API_KEYS=keys)
                self.assertEqual(ended.returncode, 2, ended.stderr)
                self.assertRegex(ended.stderr, rf"API_KEYS, entry \d+: .*")
                self.assertIn(word, ended.stderr)
                self.assertNotIn(secret, ended.stderr)

    def test_a_key_file_must_be_there_and_good_at_the_start(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "keys"
            for text, word in ((None, "No such file"), ("a:b:1:1\n", "line 1"),
                               ("\n#\n" + hashed("x", "a:1:1:1"), "line 3")):
                if text is not None:
                    path.write_text(text)
                ended = run_api(API_KEYS_FILE=str(path))
                self.assertEqual(ended.returncode, 2, ended.stderr)
                self.assertIn(word, ended.stderr)
            ended = run_api(API_KEYS_FILE=directory)
            self.assertIn("not an ordinary file", ended.stderr)

    def test_with_keys_any_address_may_be_listened_on(self) -> None:
        service = Service({"HOST": "0.0.0.0", "API_KEYS": f"{ALICE}:alice:10:10"})
        try:
            service.start()
            headers = {"Authorization": f"Bearer {ALICE}", "Host": "retort.example"}
            answer = Service.ask(service.port, "GET", "/v1/usage", None, headers)
            self.assertEqual(answer.status, 200)
        finally:
            self.assertEqual(service.close(), [])


if __name__ == "__main__":
    unittest.main()
