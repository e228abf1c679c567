"""POST /v1/files and what follows from it: contents on disk, records in Redis, downloads."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import tempfile
import time
import unittest
from typing import Any

from forms import file_form, form, part
from service import Response, Service, ServiceTest, wait_until

OLD_S = 3 * 3600  # older than what is left alone


class FilesTest(ServiceTest):
    storage: pathlib.Path
    more: dict[str, str] = {}

    @classmethod
    def setUpClass(cls) -> None:
        cls.storage = pathlib.Path(tempfile.mkdtemp(prefix="retort-files-"))
        cls.settings = {"STORAGE_DIR": str(cls.storage), **cls.more}
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        try:
            super().tearDownClass()
        finally:
            shutil.rmtree(cls.storage)

    def send(self, content: bytes, filename: str = "a.txt", content_type: str = "text/plain",
             purpose: str = "") -> Response:
        body, kind = file_form(content, filename, content_type, purpose)
        return self.send_body(body, kind)

    def send_body(self, body: bytes, kind: str) -> Response:
        return self.service.request("POST", "/v1/files", body, {"Content-Type": kind})

    def put(self, content: bytes, filename: str = "a.txt", **more: str) -> dict[str, Any]:
        response = self.send(content, filename, **more)
        self.assertEqual(response.status, 200, response.body)
        return response.json

    def get(self, path: str, **headers: str) -> Response:
        return self.service.request("GET", path, None,
                                    {name.replace("_", "-"): text for name, text in headers.items()})

    def content(self, file: dict[str, Any], **headers: str) -> Response:
        return self.get(f"/v1/files/{file['id']}/content", **headers)

    def delete(self, file: dict[str, Any]) -> Response:
        return self.service.request("DELETE", f"/v1/files/{file['id']}")

    def blob(self, content: bytes) -> pathlib.Path:
        name = hashlib.sha256(content).hexdigest()
        return self.storage / "blobs" / name[:2] / name

    def temporary(self) -> list[str]:
        return os.listdir(self.storage / "tmp")


class LifeOfAFile(FilesTest):
    def test_a_file_comes_back_as_it_was(self) -> None:
        content = os.urandom(3_000_000)
        file = self.put(content, "data.bin", content_type="application/octet-stream",
                        purpose="assistants")
        self.assertEqual(file["object"], "file")
        self.assertRegex(file["id"], "^file_[0-9a-f]{32}$")
        self.assertEqual(file["bytes"], len(content))
        self.assertEqual((file["filename"], file["purpose"]), ("data.bin", "assistants"))
        self.assertEqual(file["sha256"], hashlib.sha256(content).hexdigest())
        self.assertLess(abs(file["created_at"] - time.time()), 60)
        self.assertEqual(file["expires_at"] - file["created_at"], 2592000)
        self.assertEqual(self.get(f"/v1/files/{file['id']}").json, file)
        response = self.content(file)
        self.assertEqual((response.status, response.body), (200, content))
        self.assertEqual(self.blob(content).read_bytes(), content)
        self.assertEqual(self.temporary(), [])

    def test_a_deleted_file_is_gone(self) -> None:
        file = self.put(b"short")
        self.assertEqual(self.delete(file).json,
                         {"id": file["id"], "object": "file", "deleted": True})
        self.assert_error(self.get(f"/v1/files/{file['id']}"), 404, "not_found")
        self.assert_error(self.content(file), 404)
        self.assert_error(self.delete(file), 404)

    def test_an_empty_file(self) -> None:
        file = self.put(b"", "empty")
        self.assertEqual((file["bytes"], self.content(file).body), (0, b""))
        self.assert_error(self.content(file, Range="bytes=0-"), 416)
        self.assertEqual(self.delete(file).status, 200)

    def test_what_looks_like_a_delimiter_stays(self) -> None:
        content = b"\r\n--x\r\r\n--bo\r\n\r\n--bound\r\n--\r"
        body, kind = form(part("file", content, "a"), boundary="boundary")
        response = self.send_body(body, kind)
        self.assertEqual(self.content(response.json).body, content)

    def test_chunks_and_expect(self) -> None:
        body, kind = file_form(b"x" * 100_000)
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=30) as client:
            client.sendall(b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n"
                           b"Transfer-Encoding: chunked\r\nContent-Type: %s\r\n\r\n" % kind.encode())
            self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 100 Continue\r\n\r\n"))
            for at in range(0, len(body), 7001):
                piece = body[at:at + 7001]
                client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            client.sendall(b"0\r\n\r\n")
            self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_malformed_forms_leave_nothing(self) -> None:
        whole, kind = file_form(b"content")
        for body in (b"", b"nonsense", whole[:-4], whole.replace(b"\r\n", b"\n"), b"x" + whole,
                     whole + b"x", whole.replace(b"form-data", b"attachment"),
                     whole.replace(b'name="file"', b'name="other"'),
                     whole.replace(b'; filename="a.txt"', b""),
                     whole.replace(b"Content-Type:", b"Content-Transfer-Encoding: base64\r\nX:")):
            self.assert_error(self.send_body(body, kind), 422, "invalid")
        for bad in ("multipart/form-data", "multipart/form-data; boundary=",
                    f"multipart/form-data; boundary={'b' * 71}",
                    'multipart/form-data; boundary="a\x01b"'):
            self.assertIn(self.send_body(whole, bad).status, (400, 422), bad)
        self.assert_error(self.send_body(whole, "application/json"), 415, "multipart/form-data")
        twice, kind = form(part("file", b"1", "a"), part("file", b"2", "b"))
        self.assert_error(self.send_body(twice, kind), 422, "more than one file")
        wait_until(lambda: self.temporary() == [], "no temporary file")

    def test_ids_that_are_none(self) -> None:
        for name in ("file_" + "0" * 32, "x", "file_../../etc", "..", "%2e%2e", "file_" + "g" * 32):
            self.assertEqual(self.get(f"/v1/files/{name}").status, 404, name)


class Names(FilesTest):
    def test_hostile_names_are_names_and_no_paths(self) -> None:
        for sent, kept in (("../../etc/passwd", "passwd"), ("/etc/shadow", "shadow"),
                           ("..", "file"), (".", "file"), ("a/..", "file"), ("", "file"),
                           ("..\\..\\boot.ini", "boot.ini"), ('say "hi".txt', 'say "hi".txt'),
                           ("C:\\temp\\", "file"), ("käse ☃ 😀.csv", "käse ☃ 😀.csv"),
                           ("a;b=c.txt", "a;b=c.txt"), ("-rf *", "-rf *"), ("%2e%2e%2f", "%2e%2e%2f"),
                           ("x" * 255, "x" * 255)):
            self.assertEqual(self.put(b"1", sent)["filename"], kept)
        self.assertEqual(sorted(os.listdir(self.storage)), ["blobs", "id", "signing_key", "tmp"])
        self.assertEqual(self.temporary(), [])

    def test_names_that_are_refused(self) -> None:
        for name in (b"a\x00b", b"a\rb", b"a\nb", b"a\tb", b"a\x1b[31m", b"a\x7fb", b"\xff\xfe",
                     b"\xed\xa0\x80", b"x" * 256, b"x" * 4096):
            body, kind = form(b'Content-Disposition: form-data; name="file"; filename="%s"\r\n\r\n1'
                              % name)
            self.assert_error(self.send_body(body, kind), 422, "invalid")

    def test_the_header_that_names_the_download(self) -> None:
        for name, header in (
                ("a b.txt", 'attachment; filename="a b.txt"'),
                ('".txt', "attachment; filename=\"_.txt\"; filename*=UTF-8''%22.txt"),
                ("é€.csv", "attachment; filename=\"__.csv\"; filename*=UTF-8''%C3%A9%E2%82%AC.csv"),
                ("a%20b'(c)", "attachment; filename=\"a_20b__c_\"; "
                              "filename*=UTF-8''a%2520b%27%28c%29")):
            file = self.put(b"1", name)
            self.assertEqual(self.content(file).headers["content-disposition"], header)

    def test_types(self) -> None:
        for sent, served in (("text/html", "application/octet-stream"),
                             ("image/svg+xml", "application/octet-stream"),
                             ("application/xhtml+xml", "application/octet-stream"),
                             ("text/plain; charset=utf-7", "text/plain; charset=utf-8"),
                             ("IMAGE/PNG", "image/png"), ("text/csv", "text/csv; charset=utf-8"),
                             ("", "application/octet-stream"), ("\x22;", "application/octet-stream")):
            file = self.put(b"<script>alert(1)</script>", content_type=sent)
            headers = self.content(file).headers
            self.assertEqual((headers["content-type"], file["content_type"]), (served, served))
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertIn("sandbox", headers["content-security-policy"])
            self.assertTrue(headers["content-disposition"].startswith("attachment"))


class Ranges(FilesTest):
    body = bytes(range(256)) * 10

    def setUp(self) -> None:
        self.file = self.put(self.body)
        self.tag = f'"{self.file["sha256"]}"'

    def test_ranges(self) -> None:
        size = len(self.body)
        for header, first, last in (("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19),
                                    ("bytes=2559-", 2559, 2559), ("bytes=0-", 0, 2559),
                                    ("bytes=-1", 2559, 2559), ("bytes=-99999", 0, 2559),
                                    ("bytes=100-999999999999999999999999", 100, 2559),
                                    ("BYTES=5-6", 5, 6)):
            response = self.content(self.file, Range=header)
            self.assertEqual(response.status, 206, header)
            self.assertEqual(response.headers["content-range"], f"bytes {first}-{last}/{size}")
            self.assertEqual(response.body, self.body[first:last + 1])

    def test_ranges_that_do_not_count(self) -> None:
        for header in ("bytes=5-4", "bytes=a-b", "bytes=-", "bytes=1", "lines=1-2", "bytes=0-1,5-6",
                       "bytes=1-2x", "bytes= 1-2", "bytes=--1", ""):
            response = self.content(self.file, Range=header)
            self.assertEqual((response.status, response.body), (200, self.body), header)
        for header in ("bytes=2560-", "bytes=-0", "bytes=99999999999999999999-"):
            response = self.content(self.file, Range=header)
            self.assert_error(response, 416, "range_not_satisfiable")
            self.assertEqual(response.headers["content-range"], "bytes */2560")

    def test_conditions(self) -> None:
        whole = self.content(self.file)
        self.assertEqual(whole.headers["etag"], self.tag)
        for tags in (self.tag, f'"x", W/{self.tag}', "*"):
            response = self.content(self.file, If_None_Match=tags)
            self.assertEqual((response.status, response.body), (304, b""))
            self.assertEqual(response.headers["etag"], self.tag)
        self.assertEqual(self.content(self.file, If_None_Match='"x"').status, 200)
        date = whole.headers["last-modified"]
        self.assertEqual(self.content(self.file, If_Modified_Since=date).status, 304)
        for condition, status in ((self.tag, 206), (date, 206), ('"x"', 200), (f"W/{self.tag}", 200)):
            response = self.content(self.file, Range="bytes=1-2", If_Range=condition)
            self.assertEqual(response.status, status, condition)

    def test_head(self) -> None:
        path = f"/v1/files/{self.file['id']}/content"
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=30) as client:
            for _ in range(2):  # and the connection goes on
                client.sendall(b"HEAD %s HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=0-1\r\n\r\n"
                               % path.encode())
                answer = client.recv(4000)
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)
                self.assertIn(b"Content-Length: 2560\r\n", answer)
                self.assertTrue(answer.endswith(b"\r\n\r\n"))

    def test_one_connection_for_many(self) -> None:
        connection = self.service.connect()
        for _ in range(20):
            response = self.service.request("GET", f"/v1/files/{self.file['id']}/content",
                                            connection=connection)
            self.assertEqual(response.body, self.body)
        connection.close()


class Pages(FilesTest):
    def ids(self, query: str) -> tuple[list[str], bool]:
        page = self.get("/v1/files" + query).json
        found = [file["id"] for file in page["data"]]
        self.assertEqual((page["object"], page["first_id"], page["last_id"]),
                         ("list", found[0] if found else None, found[-1] if found else None))
        return found, page["has_more"]

    def test_pages(self) -> None:
        self.assertEqual(self.ids(""), ([], False))
        files = [self.put(b"%d" % i)["id"] for i in range(7)]
        newest = files[::-1]
        self.assertEqual(self.ids(""), (newest, False))
        self.assertEqual(self.ids("?limit=3"), (newest[:3], True))
        self.assertEqual(self.ids(f"?limit=3&after={newest[2]}"), (newest[3:6], True))
        self.assertEqual(self.ids(f"?limit=3&after={newest[5]}"), (newest[6:], False))
        self.assertEqual(self.ids(f"?order=asc&limit=2&after={files[0]}"), (files[1:3], True))
        self.delete({"id": files[3]})
        self.assertNotIn(files[3], self.ids("")[0])
        for query in ("?limit=0", "?limit=101", "?limit=x", "?limit=1&limit=2", "?order=up",
                      "?after=x", "?limit=%", "?limit=%00"):
            self.assert_error(self.get("/v1/files" + query), 422)
        for unknown in (files[3], "file_" + "0" * 32):
            self.assert_error(self.get(f"/v1/files?after={unknown}"), 404)


class Quota(FilesTest):
    more = {"STORAGE_QUOTA_BYTES": "1000", "STORAGE_QUOTA_FILES": "5", "MAX_FILE_BYTES": "2000"}

    def test_quota_and_size(self) -> None:
        first = self.put(b"a" * 600)
        self.assert_error(self.send(b"b" * 401), 413, "quota")
        second = self.put(b"c" * 400)
        self.assert_error(self.send(b"d"), 413, "quota")
        self.delete(first)
        self.put(b"e" * 600)
        self.delete(second)
        for _ in range(4):
            self.put(b"")
        self.assert_error(self.send(b""), 413, "quota")
        self.assert_error(self.send(b"f" * 2001), 413, "too_large")
        body, kind = file_form(b"f" * 100_000)
        self.assert_error(self.send_body(body, kind), 413, "MAX_FILE_BYTES")
        self.assertEqual(len(self.get("/v1/files").json["data"]), 5)
        wait_until(lambda: self.temporary() == [], "no temporary file")


class Ending(FilesTest):
    more = {"FILE_TTL_SEC": "1", "STORAGE_SWEEP_SEC": "1"}

    def test_expired_contents_are_removed_and_others_stay(self) -> None:
        file = self.put(b"soon gone")
        other = self.storage / "tmp/0123"
        other.write_bytes(b"of a dead process")
        young = self.storage / "tmp/4567"
        young.write_bytes(b"of a living one")
        foreign = self.storage / "blobs/notes.txt"
        foreign.write_bytes(b"not ours")
        then = time.time() - OLD_S
        os.utime(other, (then, then))
        wait_until(lambda: self.get(f"/v1/files/{file['id']}").status == 404, "expired")
        self.assertEqual(self.get("/v1/files").json["data"], [])
        blob = self.blob(b"soon gone")
        self.assertTrue(blob.exists(), "one that was put in place lately stays")
        os.utime(blob, (then, then))
        wait_until(lambda: not blob.exists(), "removed")
        wait_until(lambda: not other.exists(), "removed")
        self.assertTrue(young.exists() and foreign.exists())
        young.unlink()
        wait_until(lambda: [key for key in self.service.keys() if "file" in key or "refs" in key] == [],
                   "no key is left")


class Orphans(FilesTest):
    more = {"STORAGE_SWEEP_SEC": "1"}

    def test_what_one_of_two_files_has_stays(self) -> None:
        first, second = self.put(b"shared"), self.put(b"shared")
        lonely = self.put(b"lonely")
        then = time.time() - OLD_S
        blob, alone = self.blob(b"shared"), self.blob(b"lonely")
        for path in (blob, alone):
            os.utime(path, (then, then))
        self.delete(first)
        self.delete(lonely)
        wait_until(lambda: not alone.exists(), "removed")
        self.assertEqual(self.content(second).body, b"shared")

    def test_a_damaged_content_is_told_and_healed(self) -> None:
        file = self.put(b"healthy")
        self.blob(b"healthy").write_bytes(b"")
        self.assert_error(self.content(file), 500, "damaged")
        again = self.put(b"healthy")
        self.assertEqual(self.content(file).body, b"healthy")
        self.assertEqual(self.content(again).body, b"healthy")


class Crash(FilesTest):
    more = {"STORAGE_SWEEP_SEC": "1"}

    def test_a_process_that_is_killed_leaves_a_temporary_file_only(self) -> None:
        body, kind = file_form(b"z" * 500_000)
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=30) as client:
            client.sendall(b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n"
                           b"Content-Type: %s\r\n\r\n" % (len(body), kind.encode()) + body[:300_000])
            tmp = self.storage / "tmp"
            wait_until(lambda: any(p.stat().st_size > 100_000 for p in tmp.iterdir()), "it arrives")
            os.kill(self.service.parts["api"].pid, signal.SIGKILL)
            self.service.parts.pop("api").process.wait(10)
        left = list(tmp.iterdir())
        self.assertEqual(len(left), 1)
        self.assertFalse(self.blob(b"z" * 500_000).exists())
        self.service.start_api("api2")
        self.assertEqual(self.get("/v1/files").json["data"], [])
        then = time.time() - OLD_S
        os.utime(left[0], (then, then))
        wait_until(lambda: not left[0].exists(), "removed")
        self.put(b"z" * 500_000)

    def test_a_client_that_hangs_up_leaves_nothing(self) -> None:
        body, kind = file_form(b"z" * 500_000)
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=30) as client:
            client.sendall(b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n"
                           b"Content-Type: %s\r\n\r\n" % (len(body), kind.encode()) + body[:300_000])
            wait_until(self.temporary, "it arrives")
        wait_until(lambda: not self.temporary(), "removed")


class Sharing(FilesTest):
    def test_two_processes_have_the_same_files(self) -> None:
        file = self.put(b"to both")
        first = self.service.port
        self.service.start_api("second")
        self.assertNotEqual(self.service.port, first)
        self.assertEqual(self.content(file).body, b"to both")
        self.assertEqual(self.delete(file).status, 200)
        self.service.port = first
        self.assertEqual(self.content(file).status, 404)

    def test_another_directory_is_refused(self) -> None:
        with tempfile.TemporaryDirectory(prefix="retort-other-") as other:
            part_ = self.service.start_part("stranger", [str(self.service.build / "retort-api")],
                                            {"STORAGE_DIR": other})
            part_.process.wait(20)
            del self.service.parts["stranger"]
            self.assertEqual(part_.process.returncode, 2)
            last = part_.log_text().strip().splitlines()[-1]
            self.assertIn("share another one", last)

    def test_a_directory_that_is_not_there(self) -> None:
        part_ = self.service.start_part("lost", [str(self.service.build / "retort-api")],
                                        {"STORAGE_DIR": "/nonexistent/retort"})
        part_.process.wait(20)
        del self.service.parts["lost"]
        self.assertEqual(part_.process.returncode, 2)
        self.assertIn("STORAGE_DIR", part_.log_text())

    def test_secrets_are_nobody_elses(self) -> None:
        for name in ("id", "signing_key"):
            self.assertEqual((self.storage / name).stat().st_mode & 0o777, 0o600)
        self.put(b"private")
        self.assertEqual(self.blob(b"private").stat().st_mode & 0o777, 0o600)


class Owners(FilesTest):
    more = {"API_KEYS": "one_12345:one:1000:1000,two_12345:two:1000:1000"}

    def ask(self, method: str, path: str, token: str, body: bytes | None = None,
            kind: str = "") -> Response:
        return self.service.request(method, path, body, {"Authorization": f"Bearer {token}",
                                                         **({"Content-Type": kind} if kind else {})})

    def test_a_key_sees_its_own_files_only(self) -> None:
        body, kind = file_form(b"of one")
        self.assertEqual(self.service.request("POST", "/v1/files", body,
                                              {"Content-Type": kind}).status, 401)
        file = self.ask("POST", "/v1/files", "one_12345", body, kind).json
        path = f"/v1/files/{file['id']}"
        for method, each in (("GET", path), ("GET", path + "/content"), ("DELETE", path)):
            self.assert_error(self.ask(method, each, "two_12345"), 404, "not_found")
            self.assertEqual(self.ask(method, each, "none").status, 401)
        self.assertEqual(self.ask("GET", "/v1/files", "two_12345").json["data"], [])
        self.assertEqual(self.ask("GET", f"/v1/files?after={file['id']}", "two_12345").status, 404)
        self.assertEqual(self.ask("GET", path + "/content", "one_12345").body, b"of one")


class NoStorage(ServiceTest):
    settings = {"STORAGE_DIR": ""}

    def test_without_a_directory_there_are_no_files(self) -> None:
        body, kind = file_form(b"1")
        response = self.service.request("POST", "/v1/files", body, {"Content-Type": kind})
        self.assert_error(response, 503, "STORAGE_DIR")
        self.assert_error(self.service.request("GET", "/v1/files"), 503, "STORAGE_DIR")


if __name__ == "__main__":
    unittest.main()
