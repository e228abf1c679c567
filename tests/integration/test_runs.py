"""/v1/runs: programs whose runs are remembered."""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
import statistics
import subprocess
import time
from typing import Any

from runs import ENDED, FOREVER, SLEEPS, RunsTest
from service import wait_until

TIMEOUT_MS = 5000
LIMIT_S = 0.1


class Objects(RunsTest):
    settings = {"MAX_EXEC_TIMEOUT_MS": str(TIMEOUT_MS), "SLOTS": "2"}

    def test_the_example_of_the_seed_works_as_it_is_written(self) -> None:
        command = f"""curl -s -X POST http://localhost:{self.service.port}/v1/runs \\
     -H "Authorization: Bearer dev_123" \\
     -H "Content-Type: application/json" \\
     -d '{{
       "language": "python",
       "code": "print(1+1)",
       "limits": {{"timeout_ms": 3000}}
     }}'"""
        done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=30, check=True)
        run = json.loads(done.stdout)
        self.assertEqual((run["object"], run["status"], run["stdout"], run["exit_code"]),
                         ("run", "succeeded", "2\n", 0))

    def test_a_run_has_all_its_members_and_is_remembered(self) -> None:
        run = self.run_program("import sys\nprint('grüße')\nprint('e', file=sys.stderr)",
                               metadata={"who": "ich"}, stdin="x")
        self.assertRegex(run["id"], r"^run_[0-9a-f]{32}$")
        self.assertEqual(run["stdout"], "grüße\n")
        self.assertEqual(run["stderr"], "e\n")
        self.assertEqual(run["truncation"], {"stdout_dropped_bytes": 0, "stderr_dropped_bytes": 0})
        self.assertEqual((run["artifacts"], run["error"], run["metadata"], run["language"]),
                         ([], None, {"who": "ich"}, "python"))
        self.assertEqual(set(run["usage"]), {"queue_ms", "exec_ms", "cpu_ms", "peak_memory_bytes",
                                             "output_bytes"})
        self.assertEqual(run["usage"]["output_bytes"], len("grüße\ne\n".encode()))
        self.assertLessEqual(run["created_at"], run["started_at"])
        self.assertLessEqual(run["started_at"], run["finished_at"])
        self.assertAlmostEqual(run["finished_at"], time.time(), delta=10)
        self.assertEqual(self.get(run["id"]), run)

    def test_arguments_are_the_programs(self) -> None:
        run = self.run_program("import sys\nprint(sys.argv)", args=["-v", "", "zwei Wörter"])
        self.assertEqual(run["stdout"], "['/work/main.py', '-v', '', 'zwei Wörter']\n")
        self.assertEqual(self.run_program("import sys\nprint(len(sys.argv[1]))",
                                          args=["x" * 65536])["stdout"], "65536\n")

    def test_each_way_to_end_has_its_status(self) -> None:
        for code, members, status, error in (
                ("pass", {}, "succeeded", None), ("raise SystemExit(3)", {}, "failed", None),
                ("1/0", {}, "failed", None),
                ("import os\nos.abort()", {}, "failed", "crashed"),
                (FOREVER, {"limits": {"timeout_ms": 100}}, "timed_out", "timed_out"),
                (FOREVER, {"limits": {"cpu_ms": 100}}, "cpu_limit", "cpu_limit"),
                ("x = 'x' * 10**9", {"limits": {"memory_mb": 64}}, "memory_limit",
                 "memory_limit")):
            with self.subTest(code=code, members=members):
                run = self.run_program(code, **members)
                self.assertEqual(run["status"], status)
                self.assertEqual(run["error"] and run["error"]["code"], error)
                if error:
                    self.assertEqual(set(run["error"]), {"code", "message", "type", "param"})
                self.assertEqual(self.get(run["id"]), run)
        self.assertEqual(self.run_program("raise SystemExit(3)")["exit_code"], 3)

    def test_dropped_output_is_counted(self) -> None:
        run = self.run_program("print('x' * 99, end='')", limits={"output_bytes": 10})
        self.assertEqual(run["stdout"], "x" * 10)
        self.assertEqual(run["truncation"]["stdout_dropped_bytes"], 89)
        self.assertEqual(run["usage"]["output_bytes"], 99)

    def test_artifacts_are_listed(self) -> None:
        run = self.run_program("open('/work/outputs/a.csv', 'w').write('1,2')")
        [artifact] = run["artifacts"]
        self.assertEqual((artifact["name"], artifact["size"]), ("a.csv", 3))
        self.assertEqual(artifact["sha256"], hashlib.sha256(b"1,2").hexdigest())
        [kept] = self.get(run["id"])["artifacts"]
        self.assertEqual((kept["name"], kept["sha256"]), ("a.csv", artifact["sha256"]))

    def test_variables_are_the_program_s_and_nobody_else_s(self) -> None:
        code = ("import os, sys, time\n"
                "print(os.environ['A'], os.getenv('EMPTY') == '', os.environ.get('ü_no'))\n"
                "print(sorted(set(os.environ) & {'A', 'EMPTY', 'TZ'}), len(os.environ['LONG']))\n"
                "print(time.localtime(0).tm_hour)")
        run = self.run_program(code, env={"A": "b=c ü", "EMPTY": "", "LONG": "x" * 60000,
                                          "TZ": "Asia/Tokyo"})
        self.assertEqual(run["stdout"], "b=c ü True None\n['A', 'EMPTY', 'TZ'] 60000\n9\n", run)
        run = self.run_program("import os; print('A' in os.environ, os.listdir('/dev'))", env={})
        self.assertTrue(run["stdout"].startswith("False "), run)
        self.assertNotIn("job-env", run["stdout"])

    def test_what_is_wrong_with_a_request_is_told_in_openais_shape(self) -> None:
        for members, param in (({"language": "cobol"}, "language"), ({"args": "x"}, "args"),
                               ({"args": ["a\0b"]}, "args"), ({"args": ["x" * 65537]}, "args"),
                               ({"args": [""] * 257}, "args"),
                               ({"env": {"PYTHONPATH": "/"}}, "env"),
                               ({"env": {"1A": ""}}, "env"),
                               ({"env": {"pythonHome": "/"}}, "env"), ({"env": {"": ""}}, "env"),
                               ({"env": {"A B": ""}}, "env"), ({"env": {"A": 1}}, "env"),
                               ({"env": {"A": "\0"}}, "env"), ({"env": {"A": "x" * 65536}}, "env"),
                               ({"metadata": {"a": 1}}, "metadata"), ({"metadata": []}, "metadata"),
                               ({"metadata": {str(i): "" for i in range(17)}}, "metadata"),
                               ({"wait": "yes"}, "wait"), ({"limits": {"x": 1}}, "limits")):
            with self.subTest(members=members):
                response = self.post("pass", **members)
                self.assertEqual(response.status, 422, response.body[:300])
                error = response.json["error"]
                self.assertEqual(set(error), {"code", "message", "retryable", "type", "param"})
                self.assertEqual(error["type"], "invalid_request_error")
                self.assertTrue(error["param"].startswith(param), error["param"])
        self.assertIn("python", self.post("pass", language="cobol").json["error"]["message"])

    def test_an_unknown_run_is_not_found(self) -> None:
        for path in ("/run_" + "0" * 32, "/run_x", "/x"):
            for method, rest in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
                with self.subTest(path=path, rest=rest):
                    response = self.ask(method, path + rest)
                    self.assert_error(response, 404, "not_found_error")

    def test_a_client_that_hangs_up_has_its_run_cancelled(self) -> None:
        body = json.dumps({"language": "python", "code": SLEEPS}).encode()
        connection = socket.create_connection(("127.0.0.1", self.service.port), timeout=30)
        connection.sendall(b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

        def newest() -> Any:
            found = self.ask("GET", "?limit=1").json["data"]
            return found[0] if found and found[0]["status"] != "queued" else None

        run = wait_until(newest, "the run has begun")
        self.assertEqual(run["status"], "running")
        self.assertIsNotNone(run["started_at"])
        connection.close()
        run = self.wait_for(run["id"], *ENDED)
        self.assertEqual(run["status"], "cancelled")

    def test_a_run_is_cancelled_within_100_ms(self) -> None:
        took = []
        for _ in range(5):
            run = self.begin(SLEEPS)
            self.wait_for(run, "running")
            began = time.monotonic()
            response = self.ask("POST", f"/{run}/cancel")
            took.append(time.monotonic() - began)
            self.assertEqual((response.status, response.json["status"]), (200, "cancelled"))
            self.assertEqual(self.get(run)["status"], "cancelled")
        self.assertLess(statistics.median(took), LIMIT_S)
        again = self.ask("POST", f"/{run}/cancel")
        self.assertEqual((again.status, again.json["status"]), (200, "cancelled"))

    def test_a_queued_run_is_cancelled_and_never_run(self) -> None:
        busy = [self.begin(SLEEPS) for _ in range(2)]
        for run in busy:
            self.wait_for(run, "running")
        waiting = self.begin("print('never')")
        self.assertEqual(self.get(waiting)["status"], "queued")
        cancelled = self.ask("POST", f"/{waiting}/cancel").json
        self.assertEqual((cancelled["status"], cancelled["stdout"], cancelled["started_at"]),
                         ("cancelled", "", None))
        for run in busy:
            self.ask("POST", f"/{run}/cancel")


class Pages(RunsTest):
    settings = {"MAX_RUNS_KEPT": "7"}

    def page(self, query: str) -> Any:
        response = self.ask("GET", "?" + query)
        self.assertEqual(response.status, 200, response.body[:300])
        self.assertEqual(response.json["object"], "list")
        return response.json

    def test_pages_follow_one_another_in_both_orders_and_the_oldest_are_forgotten(self) -> None:
        empty = self.page("")
        self.assertEqual((empty["data"], empty["first_id"], empty["last_id"], empty["has_more"]),
                         ([], None, None, False))
        ids = [self.run_program(f"print({i})")["id"] for i in range(9)]
        self.assertEqual(self.ask("GET", "/" + ids[0]).status, 404)
        kept = ids[2:]
        for order, expected in (("desc", kept[::-1]), ("asc", kept)):
            seen: list[str] = []
            after = ""
            while True:
                page = self.page(f"limit=3&order={order}" + (f"&after={after}" if after else ""))
                found = [run["id"] for run in page["data"]]
                self.assertEqual((page["first_id"], page["last_id"]), (found[0], found[-1]))
                seen += found
                after = page["last_id"]
                if not page["has_more"]:
                    break
                self.assertEqual(len(found), 3)
            self.assertEqual(seen, expected)
        self.assertEqual(self.page("limit=7")["has_more"], False)
        self.assertEqual(self.page("limit=1")["data"][0]["stdout"], "8\n")

    def test_what_is_no_page_is_refused(self) -> None:
        for query, status in (("limit=0", 422), ("limit=101", 422), ("limit=x", 422),
                              ("limit=%31", 200), ("order=up", 422), ("after=x", 422),
                              ("limit=%", 422), ("after=run_" + "0" * 32, 404)):
            with self.subTest(query=query):
                self.assertEqual(self.ask("GET", "?" + query).status, status)


class Refusals(RunsTest):
    settings = {"SLOTS": "1", "MAX_QUEUE_DEPTH": "1", "MAX_QUEUE_WAIT_MS": "500",
                "RUN_TTL_SEC": "2"}

    def test_a_full_queue_makes_no_run_and_a_key_may_be_used_again(self) -> None:
        busy = self.begin(SLEEPS)
        self.wait_for(busy, "running")
        waiting = self.begin("pass")
        key = {"Idempotency-Key": secrets.token_hex()}
        for members in ({}, {"wait": False}):
            self.assert_error(self.post("print(1)", key, **members), 503, "queue_full")
            self.assert_error(self.post("print(1)", **members), 503, "queue_full")
        self.assertEqual(len(self.ask("GET", "").json["data"]), 2)
        late = self.wait_for(waiting, *ENDED)
        self.assertEqual((late["status"], late["error"]["code"], late["error"]["type"]),
                         ("error", "queue_timeout", "server_error"))
        self.ask("POST", f"/{busy}/cancel")
        self.assertEqual(self.post("print(1)", key).json["stdout"], "1\n")

    def test_a_run_is_forgotten_in_time(self) -> None:
        run = self.run_program("print(1)")["id"]
        self.assertLessEqual(self.service.redis("PTTL", "retort:run:" + run), 2000)
        wait_until(lambda: self.ask("GET", "/" + run).status == 404, "it is forgotten")

    def test_every_key_expires(self) -> None:
        self.run_program("print(1)")
        self.begin("print(1)")
        for key in self.service.keys():
            self.assertNotEqual(self.service.redis("PTTL", key), -1, key)
