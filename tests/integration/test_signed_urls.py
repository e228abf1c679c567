"""Links to artifacts: who has one needs no key, and who changes it has nothing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import unittest

from service import Response
from test_files_api import FilesTest

OLD_KEY = "the key of before, 0123456789"


class LinksTest(FilesTest):
    def make(self, content: bytes, name: str = "a.png", ttl_s: int = 600) -> str:
        """An artifact, as the API process keeps one."""
        name_of_content = hashlib.sha256(content).hexdigest()
        blob = self.blob(content)
        blob.parent.mkdir(exist_ok=True)
        blob.write_bytes(content)
        artifact = "art_" + secrets.token_hex(16)
        now_ms = int(time.time() * 1000)
        self.service.redis("HSET", f"retort:artifact:{artifact}", "owner", "anonymous", "bytes",
                           str(len(content)), "created", str(now_ms), "expires",
                           str(now_ms + ttl_s * 1000), "sha256", name_of_content, "name", name,
                           "label", "run_1", "type", "image/png")
        self.service.redis("PEXPIRE", f"retort:artifact:{artifact}", str(ttl_s * 1000))
        return artifact

    def key(self) -> bytes:
        return (self.storage / "signing_key").read_bytes().strip()

    def link(self, artifact: str, expires: int | str, key: bytes | None = None) -> str:
        message = f"retort artifact link 1\n{expires}\n{artifact}".encode()
        signature = hmac.new(key or self.key(), message, hashlib.sha256).hexdigest()
        return f"/v1/artifacts/{artifact}?expires={expires}&signature={signature}"

    def soon(self) -> int:
        return int(time.time()) + 600


class Links(LinksTest):
    def test_a_link_serves_the_artifact(self) -> None:
        artifact = self.make(b"\x89PNG picture", "plots/figure 1.png")
        response = self.get(self.link(artifact, self.soon()))
        self.assertEqual((response.status, response.body), (200, b"\x89PNG picture"))
        self.assertEqual(response.headers["content-type"], "image/png")
        self.assertEqual(response.headers["content-disposition"],
                         'attachment; filename="figure 1.png"')
        part = self.get(self.link(artifact, self.soon()), Range="bytes=1-3")
        self.assertEqual((part.status, part.body), (206, b"PNG"))

    def test_links_that_are_not_good_are_all_alike(self) -> None:
        artifact, other = self.make(b"one"), self.make(b"two")
        good, soon = self.link(artifact, self.soon()), self.soon()
        self.assertEqual(self.get(good).status, 200)
        signature = good.rpartition("=")[2]
        bad = [
            self.link(artifact, int(time.time()) - 1),             # over
            good.replace(artifact, other),                         # for another one
            good.replace(artifact, "art_" + "0" * 32),             # for one that is not there
            good.replace(artifact, "x"),
            good.replace(f"expires={soon}", f"expires={soon + 1}") if f"expires={soon}" in good
            else good.replace("expires=", "expires=9"),            # for longer
            good.replace("expires=", "expires=0"),                 # the same number
            good.replace("expires=", "expires=%2B"),
            good[:-1] + ("0" if good[-1] != "0" else "1"),         # another digit
            good.replace(signature, signature.upper()),
            good.replace(signature, ""), good.replace(signature, signature + "0"),
            good.replace(signature, signature[:-1]),
            good + "&signature=" + signature, good + "&expires=1", good.partition("?")[0],
            self.link(artifact, soon, b"another key, of the right size"),
            self.link(artifact, "18446744073709551616"),
            self.link("art_" + "0" * 32, soon),                    # ours, and nothing is there
        ]
        bodies = set()
        for path in bad:
            response: Response = self.get(path)
            self.assertEqual(response.status, 403, path)
            bodies.add(response.body)
        self.assertEqual(len(bodies), 1, "all say the same")

    def test_head_and_other_methods(self) -> None:
        path = self.link(self.make(b"12345"), self.soon())
        response = self.service.request("HEAD", path)
        self.assertEqual((response.status, response.headers["content-length"]), (200, "5"))
        for method in ("DELETE", "PUT", "POST"):
            self.assertEqual(self.service.request(method, path).status, 405)


class OfRuns(LinksTest):
    def test_a_runs_artifact_is_served_by_its_link(self) -> None:
        code = "open('/work/outputs/a.csv', 'w').write('1,2')"
        run = self.service.post({"language": "python", "code": code}, "/v1/runs").json
        [artifact] = run["artifacts"]
        self.assertEqual((artifact["name"], artifact["content_type"]),
                         ("a.csv", "text/csv; charset=utf-8"))
        self.assertNotIn("content_base64", artifact)
        base = f"http://127.0.0.1:{self.service.port}"
        self.assertTrue(artifact["url"].startswith(base + "/v1/artifacts/art_"), artifact["url"])
        response = self.get(artifact["url"].removeprefix(base))
        self.assertEqual((response.status, response.body), (200, b"1,2"))
        self.assertEqual(response.headers["content-disposition"], 'attachment; filename="a.csv"')
        [again] = self.get(f"/v1/runs/{run['id']}").json["artifacts"]
        self.assertEqual(again["url"], artifact["url"])
        self.assertLess(abs(artifact["expires_at"] - time.time() - 86400), 60)


class Rotation(LinksTest):
    more = {"SIGNING_KEY": "the key of now, 0123456789", "SIGNING_KEY_OLD": OLD_KEY}

    def test_the_old_key_is_good_and_the_one_in_the_directory_is_not(self) -> None:
        artifact = self.make(b"rotated")
        self.assertEqual(self.get(self.link(artifact, self.soon(), OLD_KEY.encode())).status, 200)
        now = self.more["SIGNING_KEY"].encode()
        self.assertEqual(self.get(self.link(artifact, self.soon(), now)).status, 200)
        self.assertEqual(self.get(self.link(artifact, self.soon())).status, 403)

    def test_keys_are_not_logged(self) -> None:
        for key in self.more.values():
            self.assertNotIn(key, self.service.parts["api"].log_text())


if __name__ == "__main__":
    unittest.main()
