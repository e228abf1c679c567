"""What happens when the disk under STORAGE_DIR is full: a file system of 1 MiB in memory."""

from __future__ import annotations

import ctypes
import os
import pathlib
import shutil
import tempfile
import unittest

from forms import file_form
from service import ServiceTest

libc = ctypes.CDLL(None, use_errno=True)
DETACH = 2


def mount(path: pathlib.Path, size: int) -> None:
    if libc.mount(b"retort", str(path).encode(), b"tmpfs", 0, b"size=%d" % size) != 0:
        raise unittest.SkipTest(f"this machine cannot mount: {os.strerror(ctypes.get_errno())}")


class FullDisk(ServiceTest):
    storage: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.storage = pathlib.Path(tempfile.mkdtemp(prefix="retort-full-"))
        try:
            mount(cls.storage, 1 << 20)
        except unittest.SkipTest:
            cls.storage.rmdir()
            raise
        cls.settings = {"STORAGE_DIR": str(cls.storage)}
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        try:
            super().tearDownClass()
        finally:
            libc.umount2(str(cls.storage).encode(), DETACH)
            shutil.rmtree(cls.storage)

    def test_a_full_disk_is_told_and_nothing_is_left(self) -> None:
        for _ in range(2):
            body, kind = file_form(b"x" * 3_000_000)
            response = self.service.request("POST", "/v1/files", body, {"Content-Type": kind})
            self.assert_error(response, 503, "storage is full")
            self.assertEqual(os.listdir(self.storage / "tmp"), [])
        self.assertEqual(self.service.request("GET", "/v1/files").json["data"], [])
        body, kind = file_form(b"x" * 300_000)
        response = self.service.request("POST", "/v1/files", body, {"Content-Type": kind})
        self.assertEqual(response.status, 200, response.body)
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")


if __name__ == "__main__":
    unittest.main()
