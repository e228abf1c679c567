"""retort-run: the sandbox from the command line."""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile
import unittest

from service import BUILD, IMAGE, native


class RetortRun(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="retort-run-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def run_it(self, *arguments: str, stdin: bytes = b"",
               image: bool = True) -> subprocess.CompletedProcess[bytes]:
        extra = [f"--image={IMAGE}"] if image else []
        return subprocess.run([str(BUILD / "retort-run"), *extra, *arguments], input=stdin,
                              capture_output=True, cwd=self.directory, timeout=60)

    def write(self, code: str) -> str:
        path = self.directory / "program.py"
        path.write_text(code, "utf-8")
        return str(path)

    def test_a_file_runs_with_its_arguments_and_input(self) -> None:
        path = self.write("import sys; print(sys.argv[1:], sys.stdin.read())")
        done = self.run_it(path, "a", "b c", "", "--json", "é", stdin=b"in")
        self.assertEqual(done.stdout.decode(), "['a', 'b c', '', '--json', 'é'] in\n")
        self.assertEqual((done.stderr, done.returncode), (b"", 0))

    def test_code_from_the_command_line_and_from_standard_input(self) -> None:
        self.assertEqual(self.run_it("-c", "print(1+1)").stdout, b"2\n")
        self.assertEqual(self.run_it("-", "x", stdin=b"import sys; print(sys.argv[1])").stdout,
                         b"x\n")

    def test_exit_codes_and_error_output_pass_through(self) -> None:
        for code in ("import sys; sys.exit(0)", "import sys; sys.exit(7)",
                     "import sys; sys.exit('text')", "1/0", "def f(:"):
            expected = native(code)
            done = self.run_it("-c", code)
            self.assertEqual((done.returncode, done.stderr), (expected.returncode, expected.stderr))

    def test_binary_output_is_not_touched(self) -> None:
        done = self.run_it("-c", "import os; os.write(1, bytes(range(256)))")
        self.assertEqual(done.stdout, bytes(range(256)))

    def test_a_limit_ends_it_with_a_sentence(self) -> None:
        for flag, code, word in (("--max-exec-timeout-ms=200", "while True: pass", b"wall-clock"),
                                 ("--cpu-time-limit-sec=1", "while True: pass", b"CPU")):
            done = self.run_it(flag, "-c", code)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(word, done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_json_has_the_whole_result(self) -> None:
        done = self.run_it("--json", "--max-output-bytes=10", "-c",
                           "import sys; print('x' * 20); sys.exit(4)")
        result = json.loads(done.stdout)
        self.assertEqual((result["verdict"], result["exit_code"], result["stdout"],
                          result["stdout_dropped_bytes"]), ("exited", 4, "x" * 10, 11))
        self.assertEqual(done.returncode, 0)

    def test_a_directory_is_copied_in_and_the_host_is_not_written(self) -> None:
        data = self.directory / "data"
        (data / "deep").mkdir(parents=True)
        (data / "deep/file.txt").write_text("content")
        (data / "link").symlink_to("/etc/passwd")
        code = ("import os\nprint(open('/data/deep/file.txt').read(), sorted(os.listdir('/data')))\n"
                "open('/data/deep/file.txt', 'w').write('changed')\n"
                "open('/data/new', 'w').write('new')")
        done = self.run_it("--dir", f"{data}::/data", "-c", code)
        self.assertEqual(done.stdout, b"content ['deep']\n", done.stderr)
        self.assertEqual((data / "deep/file.txt").read_text(), "content")
        self.assertFalse((data / "new").exists())

    def test_mistakes_are_one_sentence_and_a_status(self) -> None:
        for arguments in (["missing.py"], [], ["--no-such-flag", "-c", "1"],
                          ["--memory-limit-mb=1", "-c", "1"], ["--memory-limit-mb=x", "-c", "1"],
                          ["--dir", "nonsense", "-c", "1"], ["-c"],
                          ["--env", "nonsense", "-c", "1"], ["--env", "=x", "-c", "1"],
                          ["--env", "A=b", "-c", "1"], ["--env"],
                          ["--dir", "/no/such/dir::/x", "-c", "1"]):
            with self.subTest(arguments):
                done = self.run_it(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertTrue(done.stderr.startswith(b"retort-run: ") or b"usage" in done.stderr,
                                done.stderr)

    def test_a_missing_image_is_one_sentence(self) -> None:
        done = self.run_it("--image=/no/such/image", "-c", "1", image=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"/no/such/image", done.stderr)


if __name__ == "__main__":
    unittest.main()
