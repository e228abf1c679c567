"""Files that come with a program, over HTTP and from the command line."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
import tempfile
import unittest

from service import BUILD, IMAGE, ServiceTest

FILES = 5
FILES_BYTES = 3 << 20

LIST = """
import hashlib, os
for directory, names, files in os.walk('/work'):
    for name in sorted(files):
        path = os.path.join(directory, name)
        if name != 'main.py':
            data = open(path, 'rb').read()
            print(os.path.relpath(path, '/work'), len(data), hashlib.sha256(data).hexdigest()[:8])
"""


def text(name: str, content: str) -> dict[str, str]:
    return {"name": name, "content": content}


def binary(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "content_base64": base64.b64encode(content).decode()}


class Files(ServiceTest):
    settings = {"MAX_FILES": str(FILES), "MAX_FILES_BYTES": str(FILES_BYTES),
                "MAX_BODY_BYTES": "16777216"}

    def test_files_lie_beside_the_program(self) -> None:
        answer = self.service.execute(
            "print(open('a.csv').read(), open('/work/deep/down/b.bin', 'rb').read(),"
            " open('grüße').read())",
            files=[text("a.csv", "x,é\n"), binary("deep/down/b.bin", bytes(range(256))),
                   text("grüße", "")])
        self.assertEqual(answer.stdout, f"x,é\n {bytes(range(256))!r} \n", answer.stderr)

    def test_files_are_the_programs_to_change(self) -> None:
        answer = self.service.execute(
            "import os\n"
            "open('a', 'a').write('more'); print(open('a').read())\n"
            "os.truncate('b', 1); print(open('b').read())\n"
            "os.rename('a', 'd/c'); os.unlink('b'); open('d/new', 'w').close()\n"
            "print(sorted(os.listdir('d')))",
            files=[text("a", "text"), text("b", "text"), text("d/e", "")])
        self.assertEqual(answer.stdout, "textmore\nt\n['c', 'e', 'new']\n", answer.stderr)

    def test_large_files_arrive_whole(self) -> None:
        import hashlib
        data = bytes(i * 7 & 255 for i in range(4096)) * (FILES_BYTES // 4096)
        answer = self.service.execute(LIST, files=[binary("big", data)])
        digest = hashlib.sha256(data).hexdigest()[:8]
        self.assertEqual(answer.stdout, f"big {len(data)} {digest}\n", answer.stderr)

    def test_the_size_together_is_exact(self) -> None:
        for size in (FILES_BYTES - 1, FILES_BYTES):
            half = size // 2
            answer = self.service.execute("import os; print(os.stat('a').st_size"
                                          " + os.stat('b').st_size)",
                                          files=[text("a", "x" * half), text("b", "y" * (size - half))])
            self.assertEqual(answer.stdout, f"{size}\n")
        response = self.service.post({"code": "1", "files": [text("a", "x" * FILES_BYTES),
                                                             text("b", "y")]})
        self.assert_error(response, 413, "MAX_FILES_BYTES")

    def test_the_number_is_exact(self) -> None:
        files = [text(str(i), str(i)) for i in range(FILES)]
        for count in (FILES - 1, FILES):
            answer = self.service.execute("import os; print(len(os.listdir('/work')))",
                                          files=files[:count])
            names = int(answer.stdout)
            bare = int(self.service.execute("import os; print(len(os.listdir('/work')))").stdout)
            self.assertEqual(names - bare, count)
        response = self.service.post({"code": "1", "files": [*files, text("more", "")]})
        self.assert_error(response, 422, "MAX_FILES", '"too_long"')

    def test_the_longest_and_deepest_names_arrive(self) -> None:
        deepest = "/".join("abcdefghijklmnop")
        longest = "/".join(["ä" * 127] * 4)
        self.assertEqual(len(longest.encode()), 4 * 254 + 3)
        answer = self.service.execute(LIST, files=[text(deepest, "1"), text(longest, "22")])
        self.assertEqual(answer.stdout.count("\n"), 2, answer.stderr)
        self.assertIn(deepest + " 1 ", answer.stdout)
        self.assertIn(longest + " 2 ", answer.stdout)

    def test_input_does_not_count_against_the_programs_own_names(self) -> None:
        answer = self.service.execute(
            "import os\nmade = 0\ntry:\n    while True:\n        os.mkdir(f'/tmp/{made}'); made += 1\n"
            "except OSError as error: print(made, error.errno)",
            files=[text("a/b/c/d", ""), text("e", "")], limits={"work_files": 3})
        self.assertEqual(answer.stdout, "3 28\n")

    def test_names_that_lead_elsewhere_are_refused(self) -> None:
        for name in ("../a", "/etc/passwd", "a/../../b", "", ".", "a//b", "a/", "a\n", "main.py",
                     "main.py/a", "outputs", "\ufeff\0", "x" * 256):
            with self.subTest(name=name):
                response = self.service.post({"code": "1", "files": [text(name, "")]})
                self.assert_error(response, 422, '"loc":["body","files",0,"name"]')

    def test_nothing_of_one_job_is_left_for_the_next(self) -> None:
        for _ in range(4):
            answer = self.service.execute(LIST, files=[text("secret", "s")])
            self.assertIn("secret", answer.stdout)
            self.assertEqual(self.service.execute(LIST).stdout, "")


class FileFlag(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="retort-files-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def run_it(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(BUILD / "retort-run"), f"--image={IMAGE}", *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              cwd=self.directory, timeout=60)

    def test_a_file_goes_by_its_own_name_or_another(self) -> None:
        (self.directory / "a.csv").write_text("1,2\n")
        done = self.run_it("--file", "a.csv", f"--file={self.directory}/a.csv::data/b", "-c",
                           "print(open('a.csv').read() + open('/work/data/b').read(), end='')")
        self.assertEqual((done.stdout, done.returncode), ("1,2\n1,2\n", 0), done.stderr)
        self.assertEqual((self.directory / "a.csv").read_text(), "1,2\n")

    def test_a_file_that_links_to_another_is_that_one(self) -> None:
        (self.directory / "real").write_text("text")
        (self.directory / "link").symlink_to("real")
        self.assertEqual(self.run_it("--file", "link", "-c", "print(open('link').read())").stdout,
                         "text\n")

    def test_mistakes_are_one_sentence(self) -> None:
        (self.directory / "a").write_text("")
        for value in ("", "missing", ".", "a::", "::a", "a::../b", "a::/b", "a::main.py", "-",
                      "a::" + "x" * 256, "a::outputs"):
            done = self.run_it("--file", value, "-c", "1")
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertTrue(done.stderr.startswith("retort-run: --file"), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
        done = self.run_it("--file", "a", "--file", "a", "-c", "1")
        self.assertEqual(done.returncode, 2)

    def test_limits_have_flags(self) -> None:
        done = self.run_it("--json", "--cpu-ms=50", "-c", "while True: pass")
        self.assertEqual(json.loads(done.stdout)["verdict"], "cpu_limit")
        for flag in ("--cpu-ms=0", "--cpu-ms=-1", "--cpu-ms=x", "--cpu-ms=1.5", "--cpu-ms=",
                     "--cpu-ms=2001", "--memory-mb=47", "--work-bytes=99999999999999999999"):
            done = self.run_it(flag, "-c", "1")
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
        done = self.run_it("--cpu-ms=5000", "--cpu-time-limit-sec=5", "-c", "print(1)")
        self.assertEqual((done.stdout, done.returncode), ("1\n", 0))


if __name__ == "__main__":
    unittest.main()
