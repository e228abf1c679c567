"""The tree writer: format, order, alignment, what it refuses, and that it is reproducible."""
import io
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from retort_aot import tree
from retort_aot.errors import Failure


def decode(data):
    """{path: bytes | ("link", target) | None for a directory}, checking the format on the way."""
    magic, total, count, offset, mtime = tree.HEADER.unpack_from(data, 0)
    assert (magic, total) == (tree.MAGIC, len(data))
    rows = [tree.NODE.unpack_from(data, offset + i * tree.NODE.size) for i in range(count)]
    found = {}

    def walk(index, path):
        kind, name_bytes, name_offset, at, size = rows[index]
        name = data[name_offset:name_offset + name_bytes].decode()
        path = f"{path}/{name}" if name else path
        if kind == tree.DIRECTORY:
            found[path] = None
            names = [data[r[2]:r[2] + r[1]] for r in rows[at:at + size]]
            assert names == sorted(names), names
            for child in range(at, at + size):
                walk(child, path)
        elif kind == tree.FILE:
            assert at % tree.ALIGNMENT == 0
            found[path] = data[at:at + size]
        else:
            found[path] = ("link", data[at:at + size].decode())
    walk(0, "")
    return found, mtime


class Tree(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="retort-tree-test-")
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)

    def written(self, root="given"):
        file = io.BytesIO()
        tree.write(self.root if root == "given" else root, file)
        return file.getvalue()

    def fill(self):
        (self.root / "lib" / "python").mkdir(parents=True)
        (self.root / "lib" / "python" / "os.py").write_bytes(b"import sys\n")
        (self.root / "lib" / "empty").write_bytes(b"")
        (self.root / "lib" / "b\u00e4r").write_bytes(b"x" * 1000)
        (self.root / "lib.zip").write_bytes(b"y" * 64)
        (self.root / "usr").mkdir()
        os.symlink("../lib/python", self.root / "usr" / "python")

    def test_directories_files_and_links_come_back(self):
        self.fill()
        found, _ = decode(self.written())
        self.assertEqual(found, {
            "": None, "/lib": None, "/lib/python": None, "/lib/python/os.py": b"import sys\n",
            "/lib/empty": b"", "/lib/b\u00e4r": b"x" * 1000, "/lib.zip": b"y" * 64, "/usr": None,
            "/usr/python": ("link", "../lib/python")})

    def test_no_directory_is_an_empty_tree(self):
        found, _ = decode(self.written(None))
        self.assertEqual(found, {"": None})

    def test_the_same_input_gives_the_same_bytes(self):
        self.fill()
        first = self.written()
        os.utime(self.root / "lib.zip", (1, 1))
        os.chmod(self.root / "lib.zip", 0o600)
        self.assertEqual(self.written(), first)

    def test_times_come_from_source_date_epoch(self):
        with mock.patch.dict(os.environ, SOURCE_DATE_EPOCH="1700000000"):
            self.assertEqual(decode(self.written())[1], 1700000000 * 10**9)
        with mock.patch.dict(os.environ):
            os.environ.pop("SOURCE_DATE_EPOCH", None)
            self.assertEqual(decode(self.written())[1], tree.DEFAULT_EPOCH * 10**9)

    def test_a_device_or_a_pipe_is_refused_by_name(self):
        os.mkfifo(self.root / "pipe")
        with self.assertRaisesRegex(Failure, "pipe is neither"):
            self.written()

    def test_a_file_is_no_root(self):
        (self.root / "file").write_bytes(b"")
        with self.assertRaisesRegex(Failure, "not a directory"):
            self.written(self.root / "file")


if __name__ == "__main__":
    unittest.main()
