"""nginx with TLS before the API, as docs/OPERATIONS.md has it, with this test's names and ports."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
import unittest

from service import REPOSITORY, Service, wait_until
from test_tls_tunnel import accepts, free_port

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
KEY = {"Authorization": "Bearer dev_123"}
SLOWLY = "import time\nfor i in range(4):\n    print(i, flush=True)\n    time.sleep(0.3)\n"
FRAME = """daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 100; }}
http {{
access_log off;
client_body_temp_path {directory}/body;
proxy_temp_path {directory}/proxy;
fastcgi_temp_path {directory}/fastcgi;
uwsgi_temp_path {directory}/uwsgi;
scgi_temp_path {directory}/scgi;
{site}
}}
"""


def recipe() -> str:
    found = re.search(r"```nginx\n(.*?)```", (REPOSITORY / "docs/OPERATIONS.md").read_text("utf-8"), re.DOTALL)
    assert found, "the page has no recipe"
    return found[1]


class Nginx(unittest.TestCase):
    def setUp(self) -> None:
        self.service = Service({"API_KEYS": "dev_123:dev:1000:1000", "MAX_EXEC_TIMEOUT_MS": "10000"})
        self.addCleanup(self.close_service)
        self.service.start()
        self.port = free_port()
        self.start_nginx()

    def close_service(self) -> None:
        self.assertEqual(self.service.close(), [])

    def start_nginx(self) -> None:
        directory = self.service.directory
        certificate, key = directory / "site.pem", directory / "site.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key),
                        "-out", str(certificate)], check=True, capture_output=True, timeout=60)
        site = recipe()
        for written, here in (("127.0.0.1:8000", f"127.0.0.1:{self.service.port}"),
                              ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
                              ("/etc/ssl/certs/code.example.org.pem", str(certificate)),
                              ("/etc/ssl/private/code.example.org.key", str(key))):
            self.assertIn(written, site)
            site = site.replace(written, here)
        (directory / "nginx.conf").write_text(FRAME.format(directory=directory, site=site))
        with open(directory / "nginx.log", "wb") as log:
            self.nginx = subprocess.Popen([NGINX, "-c", str(directory / "nginx.conf"), "-p", str(directory)],
                                          stdout=log, stderr=log)
        self.addCleanup(self.stop_nginx)
        wait_until(lambda: accepts(self.port), "nginx listens")
        self.context = ssl.create_default_context(cafile=str(certificate))

    def stop_nginx(self) -> None:
        os.kill(self.nginx.pid, signal.SIGTERM)
        self.nginx.wait(20)

    def connect(self) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self.context)
        self.addCleanup(connection.close)
        return connection

    def ask(self, method: str, path: str, body: bytes | None = None,
            connection: http.client.HTTPSConnection | None = None, **headers: str) -> tuple[int, bytes]:
        connection = connection or self.connect()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {**KEY, "Content-Type": "application/json", **named})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_programs_large_bodies_and_files_pass(self) -> None:
        connection = self.connect()
        for number in range(20):
            status, body = self.ask("POST", "/v1/execute", json.dumps({"code": f"print({number})"}).encode(),
                                    connection)
            self.assertEqual((status, json.loads(body)["stdout"]), (200, f"{number}\n"))
        large = json.dumps({"code": "print(len(input()))", "stdin": "x" * 1000000}).encode()
        status, body = self.ask("POST", "/v1/execute", large)
        self.assertEqual((status, json.loads(body)["stdout"]), (200, "1000000\n"))
        content = os.urandom(12_000_000)
        form = (b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + content
                + b"\r\n--b--\r\n")
        status, body = self.ask("POST", "/v1/files", form, Content_Type="multipart/form-data; boundary=b")
        self.assertEqual(status, 200, body[:300])
        status, got = self.ask("GET", f"/v1/files/{json.loads(body)['id']}/content")
        self.assertEqual((status, got == content), (200, True))

    def test_refusals_are_the_apis_and_metrics_are_not_for_all(self) -> None:
        status, body = self.ask("POST", "/v1/execute", b"x" * 5_000_000)
        self.assertEqual((status, json.loads(body)["error"]["code"]), (413, "too_large"))
        status, body = self.ask("POST", "/v1/execute", b"{}", Authorization="Bearer wrong")
        self.assertEqual((status, json.loads(body)["error"]["code"]), (401, "unauthorized"))
        self.assertEqual(self.ask("GET", "/metrics")[0], 404)

    def test_output_comes_as_the_program_writes_it(self) -> None:
        body = json.dumps({"language": "python", "code": SLOWLY, "wait": False}).encode()
        run = json.loads(self.ask("POST", "/v1/runs", body)[1])
        connection = self.connect()
        connection.request("GET", f"/v1/runs/{run['id']}/events", headers=KEY)
        answer = connection.getresponse()
        first = 0.0
        while line := answer.readline():
            if line.startswith(b"event: output") and not first:
                first = time.monotonic()
            if line.startswith(b"event: finished"):
                break
        self.assertTrue(first)
        self.assertGreater(time.monotonic() - first, 0.5, "the output came all at once")

    def test_a_client_that_hangs_up_cancels_its_program(self) -> None:
        connection = self.connect()
        connection.request("POST", "/v1/execute", json.dumps({"code": "while True: pass"}),
                           {**KEY, "Content-Type": "application/json", "X-Request-ID": "gone"})
        wait_until(self.service.busy_job, "the program runs")
        connection.close()
        wait_until(lambda: any(line.get("request_id") == "gone" and line.get("status") == 499
                               for line in self.service.log_lines("api")), "it is cancelled")


if __name__ == "__main__":
    unittest.main()
