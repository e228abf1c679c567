"""Files that go into runs by their ids, and artifacts that come out of them by signed links."""

from __future__ import annotations

import base64
import hashlib
import json
import signal
import time
from typing import Any
from urllib.parse import urlsplit

from runs import ENDED, RunsTest
from service import Response, Service

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
WRITES = f"open('/work/outputs/a.png', 'wb').write({PNG!r})"


class Files(RunsTest):
    settings = {"MAX_FILES_BYTES": "1000", "MAX_FILES": "3",
                "API_KEYS": "one_123:one:1000:1000,two_123:two:1000:1000"}
    key = "one_123"

    def post(self, code: str, headers: dict[str, str] | None = None, port: int = 0,
             **members: Any) -> Response:
        return super().post(code, {"Authorization": f"Bearer {self.key}", **(headers or {})}, port,
                            **members)

    def ask(self, method: str, path: str, port: int = 0) -> Response:
        return Service.ask(port or self.service.port, method, "/v1/runs" + path, None,
                           {"Authorization": f"Bearer {self.key}", "Content-Length": "0"})

    def upload(self, name: str, content: bytes, key: str = "one_123") -> str:
        body = (b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n\r\n%s"
                b"\r\n--x--\r\n" % (name.encode(), content))
        response = Service.ask(self.service.port, "POST", "/v1/files", body,
                               {"Content-Type": "multipart/form-data; boundary=x",
                                "Authorization": f"Bearer {key}"})
        self.assertIn(response.status, (200, 201), response.body[:300])
        return str(response.json["id"])

    def test_files_lie_where_they_were_wanted(self) -> None:
        first, second = self.upload("a", b"1,2\n"), self.upload("b", b"\0\xff")
        run = self.run_program(
            "print(open('data/x.csv').read(), open('/work/y', 'rb').read())",
            files=[{"file_id": first, "path": "data/x.csv"}, {"file_id": second, "path": "y"}])
        self.assertEqual(run["stdout"], "1,2\n b'\\x00\\xff'\n")

    def test_a_file_that_is_not_the_callers_or_too_large_is_refused(self) -> None:
        other, large = self.upload("a", b"x", "two_123"), self.upload("b", b"x" * 1001)
        half = self.upload("c", b"x" * 600)
        for files, status, param in (
                ([{"file_id": other, "path": "a"}], 422, "files[0].file_id"),
                ([{"file_id": "file_" + "0" * 32, "path": "a"}], 422, "files[0].file_id"),
                ([{"file_id": "x", "path": "a"}], 422, "files[0].file_id"),
                ([{"file_id": large, "path": "a"}], 413, "files[0].file_id"),
                ([{"file_id": half, "path": "a"}, {"file_id": half, "path": "b"}], 413,
                 "files[1].file_id"),
                ([{"file_id": half, "path": "../a"}], 422, "files"),
                ([{"file_id": half, "path": "main.py"}], 422, "files"),
                ([{"file_id": half, "path": "a"}] * 2, 422, "files"),
                ([{"file_id": half}], 422, "files"), ({}, 422, "files"),
                ([{"file_id": half, "path": str(i)} for i in range(4)], 422, "files")):
            with self.subTest(files=files):
                response = self.post("pass", files=files)
                self.assertEqual(response.status, status, response.body[:300])
                self.assertTrue(response.json["error"]["param"].startswith(param))

    def fetch(self, url: str) -> Response:
        parts = urlsplit(url)
        return Service.ask(parts.port or 80, "GET", f"{parts.path}?{parts.query}", None, {})

    def assert_comes(self, artifact: Any) -> None:
        self.assertEqual((artifact["name"], artifact["size"], artifact["content_type"]),
                         ("a.png", len(PNG), "image/png"))
        self.assertEqual(artifact["sha256"], hashlib.sha256(PNG).hexdigest())
        self.assertGreater(artifact["expires_at"], time.time())
        self.assertNotIn("content_base64", artifact)
        self.assertEqual(self.fetch(artifact["url"]).body, PNG)

    def test_artifacts_come_by_a_link_now_and_later(self) -> None:
        run = self.run_program(WRITES)
        [artifact] = run["artifacts"]
        self.assert_comes(artifact)
        self.assertEqual(self.get(run["id"]), run)
        self.assertEqual(self.ask("GET", "?limit=1").json["data"], [run])

    def test_a_run_is_its_owners_alone(self) -> None:
        run = self.run_program("print(1)")["id"]
        self.key = "two_123"
        for method, path in (("GET", ""), ("POST", "/cancel"), ("GET", "/events")):
            self.assert_error(self.ask(method, f"/{run}{path}"), 404, "not_found_error")
        self.assertEqual(self.ask("GET", f"?after={run}").status, 404)
        self.assertNotIn(run.encode(), self.ask("GET", "").body)
        mine = self.post("print(2)", {"Idempotency-Key": "k"}).json
        self.key = "one_123"
        self.assertEqual(self.post("print(3)", {"Idempotency-Key": "k"}).json["stdout"], "3\n")
        self.assertEqual(self.ask("GET", f"/{mine['id']}").status, 404)

    def test_artifacts_of_a_run_whose_process_has_died_are_stored_too(self) -> None:
        first = self.service.port
        self.service.start_api("doomed", {"PORT": "0"})
        doomed, self.service.port = self.service.port, first
        run = self.begin(f"import time\ntime.sleep(.5)\n{WRITES}", doomed)
        part = self.service.parts.pop("doomed")
        part.process.send_signal(signal.SIGKILL)
        part.process.wait(30)
        [artifact] = self.wait_for(run, *ENDED)["artifacts"]
        self.assert_comes(artifact)


class NoStorage(RunsTest):
    settings = {"STORAGE_DIR": ""}

    def test_artifacts_come_inline_to_who_waits(self) -> None:
        run = self.run_program(WRITES)
        [artifact] = run["artifacts"]
        self.assertEqual(base64.b64decode(artifact["content_base64"]), PNG)
        self.assertEqual((artifact["id"], artifact["url"], artifact["expires_at"]),
                         (None, None, None))
        [kept] = self.get(run["id"])["artifacts"]
        self.assertEqual({**kept, "content_base64": artifact["content_base64"]}, artifact)

    def test_files_are_refused(self) -> None:
        response = self.post("pass", files=[{"file_id": "file_" + "0" * 32, "path": "a"}])
        self.assertEqual(response.status, 422, json.dumps(response.json))
