"""Clients that others have written: curl, with each example of the documents; requests and httpx."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from service import REPOSITORY, ServiceTest

DOCUMENTS = ("README.md", "docs/API.md", "docs/HTTP.md", "docs/CONTAINERS.md")
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(r"http://(127\.0\.0\.1|localhost):(8000|8080)\b")
KEY = "dev_123"


def commands(document: str) -> list[str]:
    """The commands of its blocks that begin with curl, each with the lines that continue it."""
    found: list[str] = []
    for block in BLOCK.findall((REPOSITORY / document).read_text("utf-8")):
        lines = block.splitlines()
        while lines:
            line = lines.pop(0)
            while lines and (line.endswith("\\") or line.count("'") % 2):
                line = f"{line}\n{lines.pop(0)}"
            if line.startswith("curl "):
                found.append(line)
    return found


class Curl(ServiceTest):
    def run_shell(self, command: str) -> str:
        ran = subprocess.run(["bash", "-ec", command.replace("curl ", "curl --fail-with-body ", 1)],
                             capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, f"{command}\n{ran.stdout}{ran.stderr}")
        return ran.stdout

    def test_every_example_of_the_documents_works_as_it_is_written(self) -> None:
        done = 0
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write(b"1,2\n")
            file.flush()
            for document in DOCUMENTS:
                for command in commands(document):
                    with self.subTest(document=document, command=command):
                        here = ADDRESS.sub(f"http://127.0.0.1:{self.service.port}", command)
                        self.assertNotEqual(here, command)
                        said = self.run_shell(here.replace("/tmp/a.csv", file.name))
                        self.assertTrue(json.loads(said) if said.startswith("{") else said)
                        done += 1
        self.assertGreater(done, 3)

    def test_every_example_of_the_description_works_in_curl(self) -> None:
        paths = self.service.request("GET", "/openapi.json").json["paths"]
        done = 0
        for path, item in paths.items():
            body = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
            for name, example in body.get("examples", {}).items():
                with self.subTest(path=path, example=name):
                    ran = subprocess.run(
                        ["curl", "-s", "-w", "\n%{http_code}", "-H", "Content-Type: application/json",
                         "--data-binary", "@-", f"http://127.0.0.1:{self.service.port}{path}"],
                        input=json.dumps(example["value"]), capture_output=True, text=True, timeout=60)
                    text, status = ran.stdout.rsplit("\n", 1)
                    self.assertTrue(json.loads(text))
                    told = re.search(r"\((\d+)\)", example.get("summary", ""))
                    self.assertEqual(status, told[1] if told else "200", text)
                    done += 1
        self.assertGreater(done, 5)


class Python(ServiceTest):
    settings = {"API_KEYS": f"{KEY}:dev:1000:1000"}

    def test_requests_and_httpx(self) -> None:
        clients = REPOSITORY / "tests/clients"
        venv = subprocess.run([clients / "venv"], capture_output=True, text=True, timeout=300)
        self.assertEqual(venv.returncode, 0, venv.stderr)
        ran = subprocess.run([pathlib.Path(venv.stdout.strip()) / "bin/python", clients / "python_clients.py",
                              f"http://127.0.0.1:{self.service.port}", KEY],
                             capture_output=True, text=True, timeout=120)
        self.assertEqual((ran.returncode, ran.stdout), (0, ""), ran.stderr[-3000:])


if __name__ == "__main__":
    unittest.main()
