"""What a program leaves in /work/outputs, over HTTP and from the command line."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from service import BUILD, IMAGE, Answer, ServiceTest

COUNT = 8
EACH = 1 << 20
TOTAL = 3 << 20

SAVE = "def save(name, data): open('/work/outputs/' + name, 'wb').write(data)\n"


def kept(answer: Answer) -> dict[str, bytes]:
    contents = {}
    for artifact in answer.artifacts:
        data = base64.b64decode(artifact["content_base64"], validate=True)
        assert artifact["size"] == len(data)
        contents[artifact["name"]] = data
    return contents


def refused(answer: Answer) -> dict[str, str]:
    return {one["name"]: one["reason"] for one in answer.get("artifacts_refused", [])}


class Artifacts(ServiceTest):
    settings = {"MAX_ARTIFACTS": str(COUNT), "MAX_ARTIFACT_BYTES": str(EACH),
                "MAX_ARTIFACTS_TOTAL_BYTES": str(TOTAL), "MAX_EXEC_TIMEOUT_MS": "10000"}

    def save(self, code: str, **members: object) -> Answer:
        return self.service.execute(SAVE + code, **members)

    def test_files_come_back_whole_and_with_their_paths(self) -> None:
        answer = self.save("import os\nsave('a.bin', bytes(range(256)))\n"
                           "os.makedirs('outputs/deep/down'); save('deep/down/é', b'x')\n"
                           "os.mkdir('outputs/empty'); save('none', b'')\n"
                           "open('/work/elsewhere', 'w').write('no'); print('done')")
        self.assertEqual(kept(answer), {"a.bin": bytes(range(256)), "deep/down/é": b"x",
                                        "none": b""}, answer.stderr)
        self.assertEqual((answer.stdout, answer.exit_code), ("done\n", 0))
        self.assertNotIn("artifacts_refused", answer)

    def test_without_outputs_there_are_none(self) -> None:
        for code in ("pass", "import os; os.rmdir('/work/outputs')",
                     "import os; os.rmdir('/work/outputs'); os.symlink('/usr', '/work/outputs')",
                     "import os; os.rmdir('/work/outputs'); open('/work/outputs', 'w').write('x')",
                     "import os; os.makedirs('/work/outputs/only/directories')"):
            answer = self.service.execute(code)
            self.assertEqual((answer.artifacts, answer.exit_code), ([], 0), answer.stderr)

    def test_they_come_whatever_way_the_program_ends_by_itself(self) -> None:
        for end, verdict in (("", "exited"), ("import sys; sys.exit(3)", "exited"),
                             ("1/0", "exited"), ("import os; os._exit(7)", "exited"),
                             ("import os; os.abort()", "crashed"),
                             ("x = []\nwhile True: x.append(bytearray(1 << 20))", "memory_limit")):
            with self.subTest(end=end):
                answer = self.save("save('a', b'kept')\n" + end)
                self.assertEqual((answer.verdict, kept(answer)), (verdict, {"a": b"kept"}))

    def test_a_stack_that_ran_over_leaves_them_too(self) -> None:
        answer = self.save("save('a', b'kept')\nimport sys; sys.setrecursionlimit(10**9)\n"
                           "class A:\n    def __getattr__(self, n): return getattr(self, n + 'x')\n"
                           "A().a")
        self.assertIn(answer.verdict, ("crashed", "exited", "memory_limit"))
        self.assertEqual(kept(answer), {"a": b"kept"})

    def test_a_program_that_was_stopped_has_none(self) -> None:
        for end, members in (("while True: pass", {"timeout_ms": 300}),
                             ("import time; time.sleep(60)", {"timeout_ms": 300}),
                             ("while True: pass", {"limits": {"cpu_ms": 100}})):
            answer = self.save("save('a', b'lost')\n" + end, **members)
            self.assertIn(answer.verdict, ("timed_out", "cpu_limit"))
            self.assertEqual(answer.artifacts, [])

    def test_the_size_of_one_is_exact(self) -> None:
        answer = self.save(f"save('below', bytes({EACH} - 1)); save('at', bytes({EACH}))\n"
                           f"save('above', bytes({EACH} + 1))")
        self.assertEqual({name: len(data) for name, data in kept(answer).items()},
                         {"below": EACH - 1, "at": EACH})
        self.assertEqual(answer.artifacts_refused,
                         [{"name": "above", "size": EACH + 1, "reason": "too_large"}])
        self.assertEqual(answer.artifacts_refused_count, 1)

    def test_the_number_is_exact(self) -> None:
        for count in (COUNT - 1, COUNT, COUNT + 1):
            answer = self.save(f"for i in range({count}): save(str(i), b'x')")
            self.assertEqual(list(kept(answer)), [str(i) for i in range(min(count, COUNT))])
            self.assertEqual(refused(answer), {str(COUNT): "too_many"} if count > COUNT else {})

    def test_the_size_of_all_is_exact_and_what_fits_is_kept(self) -> None:
        fill = f"for i in 'ab': save(i, bytes({EACH}))\nsave('c', bytes({EACH} - 1))\n"
        answer = self.save(fill + "save('d', b'x')")
        self.assertEqual(sum(map(len, kept(answer).values())), TOTAL)
        self.assertEqual(refused(answer), {})
        answer = self.save(fill + "save('d', b'xx'); save('e', b'x')")
        self.assertEqual(list(kept(answer)), ["a", "b", "c", "e"])
        self.assertEqual(refused(answer), {"d": "total_too_large"})

    def test_a_request_may_want_less(self) -> None:
        code = "for i in range(4): save(str(i), b'12345')"
        answer = self.save(code, limits={"artifacts": 2})
        self.assertEqual(list(kept(answer)), ["0", "1"])
        answer = self.save(code, limits={"artifact_bytes": 4})
        self.assertEqual(set(refused(answer).values()), {"too_large"})
        answer = self.save(code, limits={"artifacts_total_bytes": 10})
        self.assertEqual(list(kept(answer)), ["0", "1"])
        answer = self.save("for i in range(9): save(str(i), b'')", limits={"artifacts": 99})
        self.assertEqual(len(answer.artifacts), COUNT)

    def test_links_are_not_followed_and_names_are_checked(self) -> None:
        answer = self.save("import os\nos.symlink('/work/main.py', 'outputs/l')\n"
                           "os.symlink('.', 'outputs/loop'); os.link('main.py', 'outputs/hard')\n"
                           "open(b'outputs/\\xff\\xfe', 'w'); save('a\\nb', b''); save('\\x1b[2J', b'')")
        self.assertEqual(list(kept(answer)), ["hard"])
        self.assertEqual(refused(answer), {"l": "link", "loop": "link", "��": "bad_name",
                                           "a\nb": "bad_name", "\x1b[2J": "bad_name"})

    def test_very_many_are_counted(self) -> None:
        answer = self.save("for i in range(3000): save(str(i), b'x')")
        self.assertEqual(len(answer.artifacts), COUNT)
        self.assertEqual(answer.artifacts_refused_count, 3000 - COUNT)
        self.assertEqual(len(answer.artifacts_refused), 64)

    def test_a_path_without_end_is_refused(self) -> None:
        answer = self.save("import os\nos.chdir('outputs')\nfor i in range(2000):\n"
                           "    os.mkdir('d'); os.chdir('d')\nopen('/work/outputs/z', 'w')")
        self.assertEqual(list(kept(answer)), ["z"], answer.stderr)
        self.assertEqual(set(refused(answer).values()), {"bad_name"})

    def test_input_in_outputs_comes_back(self) -> None:
        answer = self.save("save('b', open('outputs/a', 'rb').read() + b'!')",
                           files=[{"name": "outputs/a", "content": "in"}])
        self.assertEqual(kept(answer), {"a": b"in", "b": b"in!"})

    def test_collecting_is_not_charged_to_the_program(self) -> None:
        answer = self.save("import time\nsave('a', bytes(1 << 20)); save('b', bytes(1 << 20))\n"
                           "while time.process_time() < 0.28: pass", limits={"cpu_ms": 300})
        self.assertEqual((answer.verdict, len(answer.artifacts)), ("exited", 2))

    def test_the_service_goes_on(self) -> None:
        for _ in range(10):
            answer = self.save(f"for i in 'abc': save(i, bytes({EACH}))")
            self.assertEqual(len(answer.artifacts), 3)
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")


class OutputsFlag(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="retort-outputs-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def run_it(self, code: str, *flags: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(BUILD / "retort-run"), f"--image={IMAGE}", *flags, "-c",
                               SAVE + code], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, cwd=self.directory, timeout=60)

    def tree(self, below: str = "out") -> dict[str, bytes]:
        root = self.directory / below
        return {str(path.relative_to(root)): path.read_bytes()
                for path in root.rglob("*") if path.is_file()}

    def test_outputs_are_written_below_the_directory(self) -> None:
        done = self.run_it("import os, sys\nos.mkdir('outputs/d'); save('d/a', b'1'); save('b', b'')\n"
                           "print('out'); print('err', file=sys.stderr); sys.exit(3)",
                           "--outputs", "out")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("out\n", "err\n", 3))
        self.assertEqual(self.tree(), {"d/a": b"1", "b": b""})
        self.assertEqual(os.stat(self.directory / "out/d/a").st_mode & 0o111, 0)

    def test_nothing_is_overwritten_and_no_link_followed(self) -> None:
        (self.directory / "out").mkdir()
        (self.directory / "out/a").write_text("old")
        (self.directory / "outside").mkdir()
        (self.directory / "out/link").symlink_to("../outside")
        (self.directory / "out/new").symlink_to("../outside/new")
        done = self.run_it("import os\nos.mkdir('outputs/link'); save('link/x', b'!')\n"
                           "save('a', b'new'); save('new', b'!'); save('c', b'good')",
                           "--outputs=out")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("was not written"), 3)
        self.assertEqual(self.tree("outside"), {})
        self.assertEqual((self.directory / "out/a").read_text(), "old")
        self.assertEqual((self.directory / "out/c").read_text(), "good")

    def test_what_was_refused_is_told(self) -> None:
        done = self.run_it("save('a', b'12345')", "--outputs=out", "--artifact-bytes=4")
        self.assertEqual(done.stderr, "retort-run: outputs/a (5 bytes) was left out: larger than an"
                                      " artifact may be\n")
        self.assertEqual((done.returncode, self.tree()), (0, {}))

    def test_without_the_flag_nothing_is_written_or_said(self) -> None:
        done = self.run_it("save('a', b'12345')")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("", "", 0))
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_json_has_them(self) -> None:
        code = "import os\nsave('a', b'x'); os.symlink('a', 'outputs/l')"
        result = json.loads(self.run_it(code, "--json").stdout)
        self.assertEqual(result["artifacts"], [{"name": "a", "size": 1, "content_base64": "eA=="}])
        self.assertEqual(result["artifacts_refused"], [{"name": "l", "size": 1, "reason": "link"}])
        result = json.loads(self.run_it(code, "--json", "--outputs=out").stdout)
        self.assertEqual(result["artifacts"], [{"name": "a", "size": 1}])
        self.assertEqual(self.tree(), {"a": b"x"})

    def test_a_directory_that_cannot_be_had_is_told_before_the_program_runs(self) -> None:
        (self.directory / "file").write_text("")
        for path in ("no/such/out", "file", ""):
            done = self.run_it("print('ran')", "--outputs", path)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertTrue(done.stderr.startswith("retort-run: --outputs"), done.stderr)


if __name__ == "__main__":
    unittest.main()
