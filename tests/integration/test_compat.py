"""POST /execute, POST /api/v1/execute, GET /health and GET / as clients of other services know them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import unittest

from service import BUILD, Service, ServiceTest, wait_until

# As their clients have them, word for word; only the port is ours.
CURL_SUM = r'''curl -X POST "http://localhost:8000/api/v1/execute" \
  -H "Content-Type: application/json" \
  -d '{
    "code": "x = 10\ny = 20\nprint(f\"Sum: {x + y}\")",
    "timeout": 5
  }'
'''
CURL_ERROR = r'''curl -X POST "http://localhost:8000/api/v1/execute" \
  -H "Content-Type: application/json" \
  -d '{
    "code": "print(undefined_variable)",
    "timeout": 5
  }'
'''
CURL_TIMEOUT = r'''curl -X POST "http://localhost:8000/api/v1/execute" \
  -H "Content-Type: application/json" \
  -d '{
    "code": "import time\ntime.sleep(10)",
    "timeout": 2
  }'
'''
AGENT_REQUEST = rb'''{
  "code": "print('Hello, World!')\nresult = 2 + 2\nprint(f'Result: {result}')",
  "timeout": 5
}'''
AGENT_ANSWER = r'''{
  "status": "success",
  "stdout": "Hello, World!\nResult: 4\n",
  "stderr": "",
  "execution_time": 0.05,
  "return_code": 0
}'''
SNIPPET_REQUEST = b'''{
  "code": "print('Hello, World!')",
  "language": "python",
  "timeout": 10
}'''
SNIPPET_ANSWER = r'''{
  "output": "Hello, World!\n",
  "error": null,
  "execution_time": 0.123,
  "success": true
}'''


def unpacked_after(element: bytes, name: str) -> int:
    """The number that follows a name in a message."""
    at = element.index(name.encode()) + len(name)
    size = {0xCC: 1, 0xCD: 2, 0xCE: 4}.get(element[at], 0)
    return int.from_bytes(element[at + 1:at + 1 + size], "big") if size else element[at]


class Examples(ServiceTest):
    def curl(self, command: str) -> dict[str, object]:
        command = command.replace(":8000", f":{self.service.port}")
        done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=30, check=True)
        answer: dict[str, object] = json.loads(done.stdout)
        return answer

    def assert_like(self, found: dict[str, object], example: str) -> None:
        """Each member of the example, equal, but for the time, which is a number."""
        for name, value in json.loads(example).items():
            self.assertIs(type(found[name]), type(value), name)
            if name != "execution_time":
                self.assertEqual(found[name], value, name)

    def test_the_agents_request_is_answered_as_its_page_has_it(self) -> None:
        response = self.service.post(AGENT_REQUEST, "/api/v1/execute")
        self.assertEqual(response.status, 200)
        self.assert_like(response.json, AGENT_ANSWER)
        self.assertLess(response.json["execution_time"], 5)

    def test_the_agents_curl_commands_run_as_they_stand(self) -> None:
        answer = self.curl(CURL_SUM)
        self.assertEqual((answer["status"], answer["stdout"], answer["return_code"]),
                         ("success", "Sum: 30\n", 0))
        answer = self.curl(CURL_ERROR)
        self.assertEqual((answer["status"], answer["stdout"], answer["return_code"]),
                         ("error", "", 1))
        self.assertIn("NameError: name 'undefined_variable' is not defined", str(answer["stderr"]))
        answer = self.curl(CURL_TIMEOUT)
        self.assertEqual((answer["status"], answer["return_code"]), ("timeout", None))
        self.assertGreaterEqual(float(str(answer["execution_time"])), 2)

    def test_the_snippets_request_is_answered_as_its_page_has_it(self) -> None:
        response = self.service.post(SNIPPET_REQUEST, "/execute")
        self.assertEqual(response.status, 200)
        self.assert_like(response.json, SNIPPET_ANSWER)

    def test_health_tells_status_and_runtimes(self) -> None:
        wait_until(lambda: self.service.request("GET", "/health").json["status"] == "healthy",
                   "a healthy service")
        response = self.service.request("GET", "/health")
        self.assertEqual(response.status, 200)
        python = response.json["runtimes"]["python"]
        self.assertIs(python["available"], True)
        self.assertEqual(python["workers"], 1)
        self.assertIs(response.json["docker_available"], True)

    def test_the_root_lists_languages_and_endpoints(self) -> None:
        answer = self.service.request("GET", "/").json
        self.assertEqual(answer["supported_languages"], ["python"])
        for endpoint in ("POST /execute", "POST /api/v1/execute", "GET /health", "GET /"):
            self.assertIn(endpoint, answer["endpoints"])


class Limits(ServiceTest):
    """MAX_EXEC_TIMEOUT_MS and CPU_TIME_LIMIT_SEC bind /v1 and nobody else."""

    settings = {"MAX_EXEC_TIMEOUT_MS": "300", "CPU_TIME_LIMIT_SEC": "1", "LANGUAGES": "python"}
    SLEEP = "import time; time.sleep({}); print('slept')"

    def agent(self, code: str, **members: object) -> dict[str, object]:
        response = self.service.post({"code": code, **members}, "/api/v1/execute")
        self.assertEqual(response.status, 200, response.body)
        answer: dict[str, object] = response.json
        return answer

    def snippet(self, code: str, **members: object) -> dict[str, object]:
        response = self.service.post({"code": code, "language": "python", **members}, "/execute")
        self.assertEqual(response.status, 200, response.body)
        answer: dict[str, object] = response.json
        return answer

    def test_the_others_may_take_longer_than_v1(self) -> None:
        self.assertTrue(self.service.execute(self.SLEEP.format(1)).timed_out)
        self.assertEqual(self.agent(self.SLEEP.format(1))["stdout"], "slept\n")
        self.assertEqual(self.snippet(self.SLEEP.format(1))["output"], "slept\n")

    def test_more_cpu_time_than_v1_has_is_an_agents(self) -> None:
        code = "import time\nwhile time.process_time() < 1.5: pass\nprint('done')"
        self.assertEqual(self.agent(code, timeout=30)["stdout"], "done\n")
        self.assertEqual(self.snippet(code, timeout=30)["output"], "done\n")

    def limits_on_the_queue(self, path: str, **members: object) -> dict[str, int]:
        """Of a job as the API hands it to workers, none of which takes it."""
        worker = self.service.parts["worker"].pid
        wait_until(lambda: not self.service.redis("LLEN", "retort:queue:python"), "an empty queue")
        os.kill(worker, signal.SIGSTOP)
        connection = self.service.connect()
        try:
            # What the worker has outstanding takes the first; a second one stays.
            body = json.dumps({"code": "1", "language": "python", **members})
            others = [self.service.connect() for _ in range(2)]
            for one in (*others, connection):
                one.request("POST", path, body, {"Content-Type": "application/json"})
            element = wait_until(lambda: self.service.redis("LINDEX", "retort:queue:python", "0"),
                                 "a job that waits")
        finally:
            os.kill(worker, signal.SIGCONT)
        for one in (*others, connection):
            self.assertEqual(one.getresponse().status, 200)
            one.close()
        return {name: unpacked_after(element, name) for name in ("timeout_ms", "cpu_ms")}

    def test_cpu_time_is_all_of_an_agents_timeout_and_half_of_a_snippets(self) -> None:
        for path, timeout, limits in (("/api/v1/execute", 30, (30000, 30000)),
                                      ("/api/v1/execute", None, (5000, 5000)),
                                      ("/execute", 30, (30000, 15000)),
                                      ("/execute", None, (10000, 5000)),
                                      ("/execute", 99, (30000, 15000))):
            found = self.limits_on_the_queue(path, timeout=timeout)
            self.assertEqual((found["timeout_ms"], found["cpu_ms"]), limits, (path, timeout))

    def test_a_snippet_is_stopped_at_half_its_timeout_of_cpu_time(self) -> None:
        for timeout in (1, 4, 10):
            answer = self.snippet("while True: pass", timeout=timeout)
            self.assertIs(answer["success"], False)
            if answer["verdict"] == "cpu_limit":
                self.assertIn(f"stopped after {timeout / 2:.3f} s of CPU time",
                              str(answer["error"]))
                return
            self.assertEqual(answer["verdict"], "timed_out")
        self.skipTest("this machine cannot give a program half a processor now")

    def test_a_snippet_has_128_mib(self) -> None:
        code = "x = bytearray({} << 20)\nprint(len(x) >> 20)"
        self.assertEqual(self.snippet(code.format(64))["output"], "64\n")
        answer = self.snippet(code.format(128))
        self.assertEqual((answer["success"], answer["verdict"]), (False, "memory_limit"))
        self.assertIn("MemoryError", str(answer["error"]))
        self.assertEqual(self.agent(code.format(128))["stdout"], "128\n")

    def test_timeouts_that_are_none_are_refused(self) -> None:
        for path, more in (("/api/v1/execute", (0.999, 30.001, 31)), ("/execute", ())):
            for timeout in (0, -1, "5", True, [], *more):
                body = {"code": "1", "language": "python", "timeout": timeout}
                response = self.service.post(body, path)
                self.assertEqual(response.status, 422, (path, timeout, response.body))
                self.assertEqual(response.json["detail"][0]["loc"], ["body", "timeout"])

    def test_timeouts_at_the_ends_of_the_range_are_taken(self) -> None:
        for timeout in (1, 1.5, 30, None):
            self.assertEqual(self.agent("print(1)", timeout=timeout)["stdout"], "1\n")
        for timeout in (0.5, 30, 31, 10**30, None):
            self.assertEqual(self.snippet("print(1)", timeout=timeout)["output"], "1\n")


class Refusals(ServiceTest):
    """What is wrong with a request."""

    settings = {"MAX_CODE_BYTES": "20001"}

    def test_bad_bodies_are_told_in_fastapis_shape(self) -> None:
        for path in ("/execute", "/api/v1/execute"):
            for body, kind, where in ((b"{", "json_invalid", 1), (b"[]", "model_attributes_type", None),
                                      (b"", "missing", None), (b"{}", "missing", "code"),
                                      (b'{"code": 1, "language": "python"}', "string_type", "code")):
                response = self.service.post(body, path)
                self.assertEqual(response.status, 422, (path, body, response.body))
                error = response.json["detail"][0]
                self.assertEqual(error["type"], kind)
                self.assertEqual(error["loc"], ["body"] if where is None else ["body", where])

    def test_a_language_that_is_not_installed_is_told_those_that_are(self) -> None:
        for language in ("typescript", "rust", "Python", "", "py\0thon", "é" * 40):
            response = self.service.post({"code": "1", "language": language}, "/execute")
            self.assertEqual(response.status, 400, response.body)
            self.assertIn("installed: python.", response.json["detail"])
            self.assertEqual(response.json["error"]["param"], "language")
        response = self.service.post({"code": "1", "language": None}, "/execute")
        self.assertEqual(response.status, 422)

    def test_dangerous_patterns_are_named_with_their_line_on_this_surface_only(self) -> None:
        code = "x = 1\nimport  os\nprint(os.name)"
        response = self.service.post({"code": code, "language": "python"}, "/execute")
        self.assertEqual(response.status, 400, response.body)
        self.assertIn("import os in line 2", response.json["detail"])
        self.assertEqual(response.json["error"]["param"], "code")
        self.assertEqual(self.service.execute(code).stdout, "posix\n")
        answer = self.service.post({"code": code}, "/api/v1/execute").json
        self.assertEqual(answer["stdout"], "posix\n")

    def test_the_code_length_cap_counts_characters(self) -> None:
        code = "#" + "é" * 9999
        self.assertEqual(self.service.post({"code": code, "language": "python"},
                                           "/execute").status, 200)
        response = self.service.post({"code": code + "é", "language": "python"}, "/execute")
        self.assert_error(response, 400, "10001 characters", "EXECUTE_MAX_CODE_CHARS")
        self.assertEqual(self.service.post({"code": code + "éé"}, "/api/v1/execute").status, 413)
        self.assertEqual(self.service.post({"code": "#" + "x" * 20000}, "/api/v1/execute").status,
                         200)


class Settings(unittest.TestCase):
    """Services with settings of their own."""

    def test_a_file_replaces_the_built_in_patterns(self) -> None:
        with tempfile.NamedTemporaryFile("w", prefix="retort-patterns-") as file:
            file.write("# none of these\nopen(\n")
            file.flush()
            service = Service({"EXECUTE_PATTERNS_FILE": file.name, "EXECUTE_MAX_CODE_CHARS": "30"})
            self.addCleanup(lambda: self.assertEqual(service.close(), []))
            service.start()
        for code, status in (("import os; print(os.name)", 200), ("open ('/x')", 400),
                             ("#" * 30, 200), ("#" * 31, 400)):
            response = service.post({"code": code, "language": "python"}, "/execute")
            self.assertEqual(response.status, status, (code, response.body))

    def test_a_language_without_a_worker_is_told_apart_from_one_that_is_not_installed(self) -> None:
        service = Service({"LANGUAGES": "python,other", "MAX_QUEUE_WAIT_MS": "300"})
        self.addCleanup(lambda: self.assertEqual(service.close(), []))
        service.start_redis()
        service.start_worker(extra={"LANGUAGES": "python"})
        service.start_api()
        runtimes = wait_until(
            lambda: (found := service.request("GET", "/health").json)["runtimes"]["python"][
                "available"] and found, "a worker for python")
        self.assertEqual(runtimes["status"], "degraded")
        self.assertIs(runtimes["runtimes"]["other"]["available"], False)
        self.assertEqual(service.request("GET", "/").json["supported_languages"],
                         ["python", "other"])
        for language, status, words in (("rust", 400, "installed: python, other."),
                                        ("other", 504, "queue_timeout"), ("python", 200, "true")):
            response = service.post({"code": "print(1)", "language": language}, "/execute")
            self.assertEqual(response.status, status, response.body)
            self.assertIn(words, response.body.decode())

    def test_a_file_that_is_not_there_is_a_bad_setting(self) -> None:
        program = BUILD / "retort-api"
        done = subprocess.run([program, "--port", "0", "--execute-patterns-file", "/nonexistent"],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"EXECUTE_PATTERNS_FILE: /nonexistent cannot be opened")


if __name__ == "__main__":
    unittest.main()
