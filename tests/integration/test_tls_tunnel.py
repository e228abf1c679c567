"""The way to a Redis behind TLS, as docs/OPERATIONS.md has it: its stunnel configuration, with the
names and ports of this test in the places of the page's.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import socket
import subprocess
import unittest

from service import REPOSITORY, Service, StackError, wait_until

STUNNEL = shutil.which("stunnel4") or shutil.which("stunnel")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def recipe() -> str:
    page = (REPOSITORY / "docs/OPERATIONS.md").read_text("utf-8")
    found = re.search(r"```ini\n(client = yes.*?)```", page, re.DOTALL)
    assert found, "the page has no recipe"
    return found[1]


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Tunnel(unittest.TestCase):
    def setUp(self) -> None:
        assert STUNNEL, "stunnel4 is missing (deploy/deps.sh --with tests)"
        self.service = Service({"MAX_QUEUE_WAIT_MS": "2000"})
        self.addCleanup(self.close)
        self.directory = self.service.directory
        self.server_port, self.client_port = free_port(), free_port()
        self.make_certificate("redis.example.org")
        self.service.start_redis()
        self.tunnel("server", f"""accept = 127.0.0.1:{self.server_port}
connect = {self.directory}/redis.sock
cert = {self.directory}/redis.pem
""", "", self.server_port)
        self.service.environment["REDIS_URL"] = f"redis://127.0.0.1:{self.client_port}/0"

    def close(self) -> None:
        self.assertEqual(self.service.close(), [])

    def make_certificate(self, name: str) -> None:
        key, certificate = self.directory / "key.pem", self.directory / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                        "-keyout", str(key), "-out", str(certificate)],
                       check=True, capture_output=True, timeout=60)
        whole = self.directory / "redis.pem"
        whole.touch(0o600)
        whole.write_text(key.read_text() + certificate.read_text())

    def tunnel(self, name: str, section: str, options: str, port: int) -> None:
        config = self.directory / f"{name}.conf"
        config.write_text(f"foreground = yes\npid =\n{options}\n[redis]\n{section}")
        self.service.start_part(name, [str(STUNNEL), str(config)])
        self.service.expected_deaths.add(name)  # ends of SIGTERM with a status of its own
        wait_until(lambda: accepts(port), f"{name} listens")

    def start_client(self, host: str) -> None:
        options, section = recipe().split("[redis]\n")
        for there, here in (("127.0.0.1:6379", f"127.0.0.1:{self.client_port}"),
                            ("connect = redis.example.org:6380",
                             f"connect = 127.0.0.1:{self.server_port}"),
                            ("/etc/ssl/certs/ca-certificates.crt",
                             f"{self.directory}/certificate.pem"),
                            ("checkHost = redis.example.org", f"checkHost = {host}")):
            self.assertIn(there, section)
            section = section.replace(there, here)
        self.tunnel("client", section, options, self.client_port)

    def test_jobs_run_over_it(self) -> None:
        self.start_client("redis.example.org")
        self.service.start_worker()
        self.service.start_api()
        self.service.wait_ready()
        self.assertEqual(self.service.execute("print(1+1)").stdout, "2\n")

    def test_another_host_s_certificate_is_no_redis(self) -> None:
        self.start_client("other.example.org")
        self.service.start_api()
        answer = self.service.post({"code": "print(1)"})
        self.assertEqual(answer.status, 503, answer.body)
        with self.assertRaises(StackError):
            self.service.wait_for(self.service.is_ready, "ready", 1)


if __name__ == "__main__":
    unittest.main()
